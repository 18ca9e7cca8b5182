/**
 * What is known of a value before it is computed: which of its bits can be set at all, and whether it is the sign extension
 * of its low word. A few levels of the tree are looked at: it is asked for each operator that is built.
 */
import type { Expr } from './expression.ts';
import { ops } from './ops.ts';

const LEVELS = 4;

/** Numbers of so many ones. */
const ones: readonly bigint[] = Array.from({ length: 65 }, (_, bits) => (1n << BigInt(bits)) - 1n);

const loadBits: { readonly [op: string]: number } = {
  'i32.load8_u': 8,
  'i32.load16_u': 16,
  'i64.load8_u': 8,
  'i64.load16_u': 16,
  'i64.load32_u': 32,
};

const namesLike = (pattern: RegExp): ReadonlySet<string> =>
  new Set(Object.keys(ops).filter((name) => pattern.test(name)));
/** They give 0 or 1. */
const comparisons = namesLike(/[.](eqz|eq|ne|[lg][te](_[su])?)$/);
/** They give at most 64. */
const counts = namesLike(/[.](clz|ctz|popcnt)$/);

/** An integer's bits that may be set, as an unsigned number. */
export function possibleBits(e: Expr, levels = LEVELS): bigint {
  const width = e.type === 'i32' ? 32 : 64;
  const all = ones[width];
  if (e.kind === 'const') return BigInt.asUintN(width, BigInt(e.value));
  if (e.kind === 'load') return e.op in loadBits ? ones[loadBits[e.op]] : all;
  if (levels === 0 || (e.kind !== 'op' && e.kind !== 'select')) return all;
  const of = (x: Expr): bigint => possibleBits(x, levels - 1);
  if (e.kind === 'select') return of(e.args[0]) | of(e.args[1]);
  const [a, b] = e.args;
  if (comparisons.has(e.op)) return 1n;
  if (counts.has(e.op)) return 127n;
  switch (e.op.slice(4)) {
    case 'and':
      return of(a) & of(b);
    case 'or':
    case 'xor':
      return of(a) | of(b);
    case 'shl':
      return b.kind === 'const' ? (of(a) << (BigInt(b.value) & BigInt(width - 1))) & all : all;
    case 'shr_u':
      return b.kind === 'const' ? of(a) >> (BigInt(b.value) & BigInt(width - 1)) : all;
    case 'extend_i32_u':
      return of(a);
    case 'wrap_i64':
      return of(a) & all;
    default:
      return all;
  }
}

/** Whether an i64 equals the sign extension of its low `bits` bits (8, 16 or 32). */
export function isSignExtended(e: Expr, bits: number, levels = LEVELS): boolean {
  if (e.kind === 'const') return BigInt.asIntN(bits, BigInt(e.value)) === BigInt(e.value);
  if (possibleBits(e, levels) <= ones[bits - 1]) return true;
  if (e.kind === 'load') return e.op.endsWith('_s') && Number(e.op.slice(8, -2)) <= bits;
  if (levels === 0) return false;
  const is = (x: Expr): boolean => isSignExtended(x, bits, levels - 1);
  if (e.kind === 'select') return is(e.args[0]) && is(e.args[1]);
  if (e.kind !== 'op') return false;
  const [a, b] = e.args;
  switch (e.op) {
    case 'i64.extend_i32_s':
      return bits === 32;
    case 'i64.extend8_s':
      return true;
    case 'i64.extend16_s':
      return bits >= 16;
    case 'i64.extend32_s':
      return bits >= 32;
    case 'i64.and':
    case 'i64.or':
    case 'i64.xor':
      return is(a) && is(b);
    case 'i64.shr_s':
      return is(a) || (b.kind === 'const' && Number(b.value) >= 64 - bits && Number(b.value) < 64);
    default:
      return false;
  }
}
