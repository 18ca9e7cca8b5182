/** A failure for people: what differs, the program, the steps before the difference, and the commands that find it again. */
import { disassemble, registerNames } from '../../src/core/isa/disassembler.ts';
import { hart } from '../../src/core/machine/hart.ts';
import type { Machine } from '../../src/core/vm/machine.ts';
import { instructionAt } from '../../src/core/vm/peek.ts';
import type { Assembled } from '../conformance/testing/assembler.ts';
import { bootProgram } from '../conformance/testing/machine.ts';
import type { Failure } from './fuzz.ts';
import { build, ramBytesOf } from './generate.ts';
import { layout, RAM } from './layout.ts';

const TRACED = 40;

/** `command` runs the seed as it was found. */
export function describeFailure({ case: one, difference }: Failure, command: string): string {
  const { program, rounds, engine, simple, maxSteps } = one;
  const { features, seed } = program;
  const image = build(program, rounds);
  const listing = list(image);
  const lines = [
    `seed ${seed}, kind ${features.kind} (${features.paging}, from ${features.start}): ${engine} differs ` +
      (engine === 'qemu'
        ? `after ${difference.position} steps`
        : `at position ${difference.position}, and does not at ${difference.equalAt}`),
    ...difference.what.map((what) => `  ${what}`),
    '',
    `again: ${command}`,
    `the program, ${listing.length} instructions in ${rounds} rounds${simple ? `, run to position ${maxSteps} without a stop` : ''}:`,
    '',
    ...listing.map((line) => `  ${line}`),
  ];
  if (!features.inputs && engine !== 'qemu') {
    lines.push('', `the interpreter's last steps before (position, privilege, address, instruction, changes):`, '');
    lines.push(...trace(image, ramBytesOf(program), difference.position).map((line) => `  ${line}`));
  }
  return lines.join('\n');
}

/** The body's code; gaps are left out. */
function list({ bytes, origin }: Assembled): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Number(layout.code + layout.codePages * 4096n - origin);
  const lines: string[] = [];
  for (let at = Number(layout.code - origin); at < end; ) {
    const low = view.getUint16(at, true);
    const length = (low & 3) === 3 ? 4 : 2;
    const address = origin + BigInt(at);
    if (low !== 0) {
      const bits = length === 4 ? view.getUint32(at, true) : low;
      lines.push(
        `${address.toString(16)}  ${bits
          .toString(16)
          .padStart(length * 2, '0')
          .padEnd(8)}  ${text(bits, address)}`,
      );
    }
    at += length;
  }
  return lines;
}

const text = (bits: number, address: bigint): string => disassemble(bits, address).replace('\t', ' ');

/** The steps up to a position, one by one. Handlers' steps are counted only. */
function trace(image: Assembled, ramBytes: number, end: bigint): string[] {
  const { machine } = bootProgram(image, { engine: { kind: 'interpreter' }, ramBytes });
  const from = end > 4000n ? end - 4000n : 0n;
  machine.run(from);
  const lines: string[] = [];
  while (machine.position < end) {
    const before = machine.position;
    const line = step(machine);
    if (line !== undefined) lines.push(line);
    if (machine.position === before) break;
  }
  return lines.slice(-TRACED);
}

function step(machine: Machine): string | undefined {
  const pc = machine.hart.get64(hart.pc);
  const privilege = machine.hart.get32(hart.privilege);
  const bits = instructionAt(machine.hart, machine.ram, pc);
  const before = Array.from({ length: 32 }, (_, i) => machine.hart.x(i));
  machine.run(machine.position + 1n);
  const changes = registerNames.flatMap((name, i) => {
    const now = machine.hart.x(i);
    return now === before[i] ? [] : [`${name}=${now.toString(16)}`];
  });
  const isHandler = pc >= RAM && pc < layout.code;
  if (isHandler) return undefined;
  if (bits === undefined) return undefined;
  const instruction = text(bits, pc);
  return `${machine.position}  ${'US M'[privilege]}  ${pc.toString(16)}  ${instruction.padEnd(32)}  ${changes.join(' ')}`;
}
