/**
 * The hash of a page of RAM as generated code: four lanes of multiply, rotate and multiply over 64-bit words, mixed, times
 * an odd number made of the page's address. (The word is multiplied before it is added: else one bit of a word and another
 * one of the next would cancel out.) A page of zeroes hashes to 0 at every address, so a machine's memory hash, the sum
 * over its pages, starts at 0 without being computed. It finds faults; it is no defence against somebody who wants to collide.
 */
import { type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { PAGE_BYTES } from './memory-map.ts';

const MULTIPLIERS = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n];

/** (offset in linear memory i32, page number i64) → i64 */
export function emitPageHash(m: ModuleBuilder): Callee {
  const f = m.function('hashPage', ['i32', 'i64'], ['i64']);
  const at = f.let(f.param<'i32'>(0));
  const end = f.let(i32.add(at, i32.const(PAGE_BYTES)));
  const lanes = MULTIPLIERS.map(() => f.local('i64'));
  for (const lane of lanes) f.set(lane, i64.const(0));
  f.loop((again) => {
    for (const [i, lane] of lanes.entries()) {
      const added = i64.add(lane, i64.mul(i64.load(at, i * 8), i64.const(MULTIPLIERS[i])));
      f.set(lane, i64.mul(i64.rotl(added, i64.const(31)), i64.const(MULTIPLIERS[(i + 1) % 4])));
    }
    f.set(at, i32.add(at, i32.const(32)));
    f.brIf(again, i32.lt_u(at, end));
  });
  const finish = (value: I64): I64 => {
    const once = f.let(i64.mul(i64.xor(value, i64.shr_u(value, i64.const(32))), i64.const(MULTIPLIERS[0])));
    return f.let(i64.mul(i64.xor(once, i64.shr_u(once, i64.const(29))), i64.const(MULTIPLIERS[1])));
  };
  let sum: I64 = lanes[0];
  for (const lane of lanes.slice(1)) sum = f.let(i64.add(i64.mul(finish(sum), i64.const(MULTIPLIERS[2])), lane));
  const key = i64.or(i64.mul(i64.add(f.param<'i64'>(1), i64.const(1)), i64.const(MULTIPLIERS[3])), i64.const(1));
  f.return(i64.mul(finish(f.let(sum)), key));
  return f;
}
