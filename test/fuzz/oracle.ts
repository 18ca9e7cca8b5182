/** QEMU on a portable program: what it leaves in registers, memory and the logs of traps, against what we leave. */

import { registerNames } from '../../src/core/isa/disassembler.ts';
import { bootProgram, RAM } from '../conformance/testing/machine.ts';
import { runInQemu } from '../conformance/testing/qemu.ts';
import { build, dumped, type Program } from './generate.ts';
import { layout } from './layout.ts';

/** Undefined: the program does not come to its end on our machine, within `maxSteps`. */
export interface OracleResult {
  /** Steps of ours that were compared. */
  readonly steps: bigint;
  /** What differs, as "place: QEMU's, ours". */
  readonly what: readonly string[];
}

const MOST_TOLD = 12;
/** As much as `runInQemu` gives: what lies behind it must fault for both. */
const QEMU_RAM = 32 * 1024 * 1024;

export function compareWithQemu(program: Program, rounds: number, maxSteps: bigint): OracleResult | undefined {
  const ours = bootProgram(build(program, rounds), { engine: { kind: 'interpreter' }, ramBytes: QEMU_RAM });
  ours.machine.run(maxSteps);
  if (ours.status() !== 0n) return undefined;
  const steps = ours.machine.position;
  let theirs: Uint8Array;
  try {
    theirs = runInQemu(build(program, rounds, true));
  } catch (error) {
    return { steps, what: [(error as Error).message] };
  }
  const what: string[] = [];
  let offset = 0;
  for (const { name, start, bytes } of dumped) {
    const mine = ours.machine.ram.read(Number(start), bytes);
    if (mine === undefined || theirs.length < offset + bytes) return { steps, what: ['QEMU did not tell all'] };
    what.push(...compareBytes(name, start, mine, theirs.subarray(offset, offset + bytes)));
    offset += bytes;
  }
  return { steps, what: what.slice(0, MOST_TOLD) };
}

function compareBytes(name: string, start: bigint, ours: Uint8Array, theirs: Uint8Array): string[] {
  const [a, b] = [ours, theirs].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const what: string[] = [];
  for (let at = 0; at < ours.length; at += 8) {
    const [mine, other] = [a.getBigUint64(at, true), b.getBigUint64(at, true)];
    if (mine !== other) what.push(`${placeName(name, start, at)}: ${other.toString(16)}, ${mine.toString(16)}`);
  }
  return what;
}

function placeName(name: string, start: bigint, at: number): string {
  const index = at / 8;
  if (start === layout.dump) {
    if (index < 31) return registerNames[index + 1];
    return index < 63 ? `f${index - 31}` : (['fcsr', 'sscratch', 'sepc', 'scause', 'satp'][index - 63] ?? name);
  }
  if (start === layout.log || start === layout.supervisorLog) {
    return `${name}, number ${Math.floor(at / 32)}, ${['cause', 'epc', 'tval', 'status'][(at % 32) / 8]}`;
  }
  return `${name}, ${(start + BigInt(at)).toString(16)} (RAM + ${(start + BigInt(at) - RAM).toString(16)})`;
}
