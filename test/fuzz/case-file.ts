/** A failing case as JSON, so that it can be run again when the generator has long learnt to make other programs. */
import type { Case } from './fuzz.ts';
import { linesOf } from './part.ts';

const BIG = /^0x[0-9a-f]+$/;

export function writeCase(one: Case): string {
  const { program } = one;
  // A tree no more: nobody shrinks it again.
  const flat = { ...one, program: { ...program, body: linesOf(program.body) } };
  return JSON.stringify(flat, (_key, value) =>
    typeof value === 'bigint' ? `0x${BigInt.asUintN(64, value).toString(16)}` : value,
  );
}

export function readCase(json: string): Case {
  return JSON.parse(json, (_key, value) =>
    typeof value === 'string' && BIG.test(value) ? BigInt(value) : value,
  ) as Case;
}
