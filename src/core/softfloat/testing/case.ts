/**
 * One case of the tests: an operation, its operands, and what an oracle (oracle.c) answered.
 */
import { F32, F64, type Format, type RoundingMode } from '../format.ts';
import type { Softfloat } from '../softfloat.ts';

export interface Case {
  operation: string;
  /** Of the operands; `convert` goes from here to the other one. */
  wide: boolean;
  rm: RoundingMode;
  a: bigint;
  b: bigint;
  c: bigint;
  flags: number;
  result: bigint;
}

type Perform = (softfloat: Softfloat, format: Format, operands: Case) => bigint;

/** In the order of oracle.c's numbers. */
const operations: Record<string, Perform> = {
  add: (softfloat, format, { a, b, rm }) => softfloat.add(format, a, b, rm),
  sub: (softfloat, format, { a, b, rm }) => softfloat.sub(format, a, b, rm),
  mul: (softfloat, format, { a, b, rm }) => softfloat.mul(format, a, b, rm),
  div: (softfloat, format, { a, b, rm }) => softfloat.div(format, a, b, rm),
  sqrt: (softfloat, format, { a, rm }) => softfloat.sqrt(format, a, rm),
  fma: (softfloat, format, { a, b, c, rm }) => softfloat.fma(format, a, b, c, rm),
  min: (softfloat, format, { a, b }) => softfloat.min(format, a, b),
  max: (softfloat, format, { a, b }) => softfloat.max(format, a, b),
  eq: (softfloat, format, { a, b }) => BigInt(softfloat.eq(format, a, b)),
  lt: (softfloat, format, { a, b }) => BigInt(softfloat.lt(format, a, b)),
  le: (softfloat, format, { a, b }) => BigInt(softfloat.le(format, a, b)),
  class: (softfloat, format, { a }) => BigInt(softfloat.classify(format, a)),
  toW: (softfloat, format, { a, rm }) => softfloat.toInt(format, a, 32, true, rm),
  toWU: (softfloat, format, { a, rm }) => softfloat.toInt(format, a, 32, false, rm),
  toL: (softfloat, format, { a, rm }) => softfloat.toInt(format, a, 64, true, rm),
  toLU: (softfloat, format, { a, rm }) => softfloat.toInt(format, a, 64, false, rm),
  fromW: (softfloat, format, { a, rm }) => softfloat.fromInt(format, a, 32, true, rm),
  fromWU: (softfloat, format, { a, rm }) => softfloat.fromInt(format, a, 32, false, rm),
  fromL: (softfloat, format, { a, rm }) => softfloat.fromInt(format, a, 64, true, rm),
  fromLU: (softfloat, format, { a, rm }) => softfloat.fromInt(format, a, 64, false, rm),
  convert: (softfloat, format, { a, rm }) => softfloat.convert(format, format === F64 ? F32 : F64, a, rm),
};

const names = Object.keys(operations);

/** What softfloat makes of a case; its flags are in `softfloat.flags` afterwards, alone. */
export function perform(softfloat: Softfloat, operands: Case): bigint {
  softfloat.flags = 0;
  return operations[operands.operation](softfloat, operands.wide ? F64 : F32, operands);
}

/** The format of the case's result; nothing for those that deliver an integer. */
export function resultFormat({ operation, wide }: Case): Format | undefined {
  if (/^(eq|lt|le|class|to.*)$/.test(operation)) return undefined;
  return wide === (operation !== 'convert') ? F64 : F32;
}

/** Bytes of an oracle's record (see oracle.c). */
export const recordBytes = 40;

export function readRecord(view: DataView, offset: number): Case {
  return {
    operation: names[view.getUint8(offset)],
    rm: view.getUint8(offset + 1) as RoundingMode,
    flags: view.getUint8(offset + 2),
    wide: view.getUint8(offset + 3) === 1,
    a: view.getBigUint64(offset + 8, true),
    b: view.getBigUint64(offset + 16, true),
    c: view.getBigUint64(offset + 24, true),
    result: view.getBigUint64(offset + 32, true),
  };
}

/** A case as a line of the table: `add.d RNE a b c = result flags`, numbers in hexadecimal. */
export function formatCase({ operation, wide, rm, a, b, c, result, flags }: Case): string {
  const mode = modes[rm];
  const [x, y, z, r] = [a, b, c, result].map((bits) => bits.toString(16));
  return `${operation}.${wide ? 'd' : 's'} ${mode} ${x} ${y} ${z} = ${r} ${flags}`;
}

const modes = ['RNE', 'RTZ', 'RDN', 'RUP', 'RMM'];

export function parseCase(line: string): Case {
  const [name, mode, a, b, c, , result, flags] = line.split(' ');
  const [operation, format] = name.split('.');
  const number = (digits: string) => BigInt(`0x${digits}`);
  return {
    operation,
    wide: format === 'd',
    rm: modes.indexOf(mode) as RoundingMode,
    a: number(a),
    b: number(b),
    c: number(c),
    result: number(result),
    flags: Number(flags),
  };
}
