/**
 * A trace: a line for each step, with the position before it, pc, privilege, the instruction as `objdump` writes it, and
 * what it left in a register. A trap or an interrupt is a step of its own and looks like one.
 */
import { decode } from '../../core/isa/decoder.ts';
import { disassemble, floatRegisterNames, registerNames } from '../../core/isa/disassembler.ts';
import { operations } from '../../core/isa/table.ts';
import { hart } from '../../core/machine/hart.ts';
import type { Machine } from '../../core/vm/machine.ts';
import type { RunResult } from '../../core/vm/machine-interface.ts';
import { instructionAt } from '../../core/vm/peek.ts';

const exceptions = [
  'instruction address misaligned',
  'instruction access fault',
  'illegal instruction',
  'breakpoint',
  'load address misaligned',
  'load access fault',
  'store address misaligned',
  'store access fault',
  'ecall from U',
  'ecall from S',
  'exception 10',
  'ecall from M',
  'instruction page fault',
  'load page fault',
  'exception 14',
  'store page fault',
] as const;

const interrupts: { readonly [code: number]: string } = {
  1: 'supervisor software',
  3: 'machine software',
  5: 'supervisor timer',
  7: 'machine timer',
  9: 'supervisor external',
  11: 'machine external',
};

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** Takes one step (none while the machine waits) and tells it to `print` as a line without its newline. */
export function tracedStep(machine: Machine, print: (line: string) => void): RunResult {
  const { hart: views, position } = machine;
  const pc = views.get64(hart.pc);
  const privilege = 'US?M'[views.get32(hart.privilege)];
  const bits = instructionAt(views, machine.ram, pc);
  const unretired = views.get64(hart.unretired);
  const result = machine.run(position + 1n);
  if (machine.position === position) return result;
  const place = `${position}\t${hex(pc)} ${privilege}`;
  if (views.get64(hart.unretired) !== unretired) print(`${place}\t${trapText(machine)}`);
  else if (bits !== undefined) print(`${place}\t${disassemble(bits, pc)}${written(machine, bits)}`);
  return result;
}

function trapText({ hart: views }: Machine): string {
  const why = views.get64(hart.trapCause);
  const code = Number(BigInt.asUintN(63, why));
  const to = `${'US?M'[views.get32(hart.privilege)]} at ${hex(views.get64(hart.pc))}`;
  if (why >> 63n !== 0n) return `*** interrupt: ${interrupts[code]}, to ${to}`;
  return `*** trap: ${exceptions[code]}, value ${hex(views.get64(hart.trapValue))}, to ${to}`;
}

/** What the instruction left in its destination register. */
function written({ hart: views }: Machine, bits: number): string {
  const decoded = decode(bits);
  if (decoded === undefined) return '';
  const { rd, operation } = decoded;
  const file = operations[operation].writes;
  if (file === 'f') return `\t${floatRegisterNames[rd]}=${hex(views.f(rd))}`;
  return file === 'x' && rd !== 0 ? `\t${registerNames[rd]}=${hex(views.x(rd))}` : '';
}
