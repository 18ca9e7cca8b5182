/**
 * The WebAssembly operators that we use, as one table: name (as in the text format), opcode, operand types, result type,
 * and for pure integer operators the function that folds constants (WebAssembly core 2.0, 5.4 and 4.3.2). Of vectors there
 * is what it takes to reach the host's fused multiply-add (relaxed SIMD, part of WebAssembly 3.0).
 */
export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export interface Op {
  /** The bytes of the opcode, a lane included, the first one highest. */
  readonly code: number;
  readonly operands: readonly Type[];
  readonly result: Type;
  /** Folds constant operands (i32 as signed number, i64 as signed bigint); absent or undefined = not folded. */
  readonly fold?: (a: never, b: never) => number | bigint | undefined;
}

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const bool = (x: boolean): number => (x ? 1 : 0);

const unary = (code: number, from: Type, to: Type, fold?: (a: never) => number | bigint): Op =>
  fold ? { code, operands: [from], result: to, fold } : { code, operands: [from], result: to };
const binary = (
  code: number,
  type: Type,
  result: Type,
  fold?: (a: never, b: never) => number | bigint | undefined,
): Op => (fold ? { code, operands: [type, type], result, fold } : { code, operands: [type, type], result });

const i32b = (code: number, fold: (a: number, b: number) => number | undefined): Op => binary(code, 'i32', 'i32', fold);
const i64b = (code: number, fold: (a: bigint, b: bigint) => bigint | undefined): Op => binary(code, 'i64', 'i64', fold);
const i64c = (code: number, fold: (a: bigint, b: bigint) => boolean): Op =>
  binary(code, 'i64', 'i32', (a: bigint, b: bigint) => bool(fold(a, b)));
const i32c = (code: number, fold: (a: number, b: number) => boolean): Op =>
  binary(code, 'i32', 'i32', (a: number, b: number) => bool(fold(a, b)));

const multiplyAdd = (code: number): Op => ({ code, operands: ['v128', 'v128', 'v128'], result: 'v128' });

export const ops = {
  'i32.eqz': unary(0x45, 'i32', 'i32', (a: number) => bool(a === 0)),
  'i32.eq': i32c(0x46, (a, b) => a === b),
  'i32.ne': i32c(0x47, (a, b) => a !== b),
  'i32.lt_s': i32c(0x48, (a, b) => a < b),
  'i32.lt_u': i32c(0x49, (a, b) => a >>> 0 < b >>> 0),
  'i32.gt_s': i32c(0x4a, (a, b) => a > b),
  'i32.gt_u': i32c(0x4b, (a, b) => a >>> 0 > b >>> 0),
  'i32.le_s': i32c(0x4c, (a, b) => a <= b),
  'i32.le_u': i32c(0x4d, (a, b) => a >>> 0 <= b >>> 0),
  'i32.ge_s': i32c(0x4e, (a, b) => a >= b),
  'i32.ge_u': i32c(0x4f, (a, b) => a >>> 0 >= b >>> 0),
  'i64.eqz': unary(0x50, 'i64', 'i32', (a: bigint) => bool(a === 0n)),
  'i64.eq': i64c(0x51, (a, b) => a === b),
  'i64.ne': i64c(0x52, (a, b) => a !== b),
  'i64.lt_s': i64c(0x53, (a, b) => a < b),
  'i64.lt_u': i64c(0x54, (a, b) => u64(a) < u64(b)),
  'i64.gt_s': i64c(0x55, (a, b) => a > b),
  'i64.gt_u': i64c(0x56, (a, b) => u64(a) > u64(b)),
  'i64.le_s': i64c(0x57, (a, b) => a <= b),
  'i64.le_u': i64c(0x58, (a, b) => u64(a) <= u64(b)),
  'i64.ge_s': i64c(0x59, (a, b) => a >= b),
  'i64.ge_u': i64c(0x5a, (a, b) => u64(a) >= u64(b)),
  'f32.eq': binary(0x5b, 'f32', 'i32'),
  'f32.ne': binary(0x5c, 'f32', 'i32'),
  'f32.lt': binary(0x5d, 'f32', 'i32'),
  'f32.gt': binary(0x5e, 'f32', 'i32'),
  'f32.le': binary(0x5f, 'f32', 'i32'),
  'f32.ge': binary(0x60, 'f32', 'i32'),
  'f64.eq': binary(0x61, 'f64', 'i32'),
  'f64.ne': binary(0x62, 'f64', 'i32'),
  'f64.lt': binary(0x63, 'f64', 'i32'),
  'f64.gt': binary(0x64, 'f64', 'i32'),
  'f64.le': binary(0x65, 'f64', 'i32'),
  'f64.ge': binary(0x66, 'f64', 'i32'),
  'i32.clz': unary(0x67, 'i32', 'i32'),
  'i32.ctz': unary(0x68, 'i32', 'i32'),
  'i32.popcnt': unary(0x69, 'i32', 'i32'),
  'i32.add': i32b(0x6a, (a, b) => a + b),
  'i32.sub': i32b(0x6b, (a, b) => a - b),
  'i32.mul': i32b(0x6c, (a, b) => Math.imul(a, b)),
  'i32.div_s': binary(0x6d, 'i32', 'i32'),
  'i32.div_u': binary(0x6e, 'i32', 'i32'),
  'i32.rem_s': binary(0x6f, 'i32', 'i32'),
  'i32.rem_u': binary(0x70, 'i32', 'i32'),
  'i32.and': i32b(0x71, (a, b) => a & b),
  'i32.or': i32b(0x72, (a, b) => a | b),
  'i32.xor': i32b(0x73, (a, b) => a ^ b),
  'i32.shl': i32b(0x74, (a, b) => a << b),
  'i32.shr_s': i32b(0x75, (a, b) => a >> b),
  'i32.shr_u': i32b(0x76, (a, b) => a >>> b),
  'i32.rotl': i32b(0x77, (a, b) => (a << b) | (a >>> (32 - (b & 31)))),
  'i32.rotr': i32b(0x78, (a, b) => (a >>> b) | (a << (32 - (b & 31)))),
  'i64.clz': unary(0x79, 'i64', 'i64'),
  'i64.ctz': unary(0x7a, 'i64', 'i64'),
  'i64.popcnt': unary(0x7b, 'i64', 'i64'),
  'i64.add': i64b(0x7c, (a, b) => a + b),
  'i64.sub': i64b(0x7d, (a, b) => a - b),
  'i64.mul': i64b(0x7e, (a, b) => a * b),
  'i64.div_s': binary(0x7f, 'i64', 'i64'),
  'i64.div_u': binary(0x80, 'i64', 'i64'),
  'i64.rem_s': binary(0x81, 'i64', 'i64'),
  'i64.rem_u': binary(0x82, 'i64', 'i64'),
  'i64.and': i64b(0x83, (a, b) => a & b),
  'i64.or': i64b(0x84, (a, b) => a | b),
  'i64.xor': i64b(0x85, (a, b) => a ^ b),
  'i64.shl': i64b(0x86, (a, b) => a << (b & 63n)),
  'i64.shr_s': i64b(0x87, (a, b) => a >> (b & 63n)),
  'i64.shr_u': i64b(0x88, (a, b) => u64(a) >> (b & 63n)),
  'i64.rotl': binary(0x89, 'i64', 'i64'),
  'i64.rotr': binary(0x8a, 'i64', 'i64'),
  'f32.abs': unary(0x8b, 'f32', 'f32'),
  'f32.neg': unary(0x8c, 'f32', 'f32'),
  'f32.sqrt': unary(0x91, 'f32', 'f32'),
  'f32.add': binary(0x92, 'f32', 'f32'),
  'f32.sub': binary(0x93, 'f32', 'f32'),
  'f32.mul': binary(0x94, 'f32', 'f32'),
  'f32.div': binary(0x95, 'f32', 'f32'),
  'f32.min': binary(0x96, 'f32', 'f32'),
  'f32.max': binary(0x97, 'f32', 'f32'),
  'f64.abs': unary(0x99, 'f64', 'f64'),
  'f64.neg': unary(0x9a, 'f64', 'f64'),
  'f64.ceil': unary(0x9b, 'f64', 'f64'),
  'f64.floor': unary(0x9c, 'f64', 'f64'),
  'f64.trunc': unary(0x9d, 'f64', 'f64'),
  'f64.nearest': unary(0x9e, 'f64', 'f64'),
  'f64.sqrt': unary(0x9f, 'f64', 'f64'),
  'f64.add': binary(0xa0, 'f64', 'f64'),
  'f64.sub': binary(0xa1, 'f64', 'f64'),
  'f64.mul': binary(0xa2, 'f64', 'f64'),
  'f64.div': binary(0xa3, 'f64', 'f64'),
  'f64.min': binary(0xa4, 'f64', 'f64'),
  'f64.max': binary(0xa5, 'f64', 'f64'),
  'i32.wrap_i64': unary(0xa7, 'i64', 'i32', (a: bigint) => Number(BigInt.asIntN(32, a))),
  'i64.trunc_f64_s': unary(0xb0, 'f64', 'i64'),
  'i64.extend_i32_s': unary(0xac, 'i32', 'i64', (a: number) => BigInt(a)),
  'i64.extend_i32_u': unary(0xad, 'i32', 'i64', (a: number) => BigInt(a >>> 0)),
  'f32.convert_i32_s': unary(0xb2, 'i32', 'f32'),
  'f32.convert_i32_u': unary(0xb3, 'i32', 'f32'),
  'f32.convert_i64_s': unary(0xb4, 'i64', 'f32'),
  'f32.convert_i64_u': unary(0xb5, 'i64', 'f32'),
  'f32.demote_f64': unary(0xb6, 'f64', 'f32'),
  'f64.convert_i32_s': unary(0xb7, 'i32', 'f64'),
  'f64.convert_i32_u': unary(0xb8, 'i32', 'f64'),
  'f64.convert_i64_s': unary(0xb9, 'i64', 'f64'),
  'f64.convert_i64_u': unary(0xba, 'i64', 'f64'),
  'f64.promote_f32': unary(0xbb, 'f32', 'f64'),
  'i32.reinterpret_f32': unary(0xbc, 'f32', 'i32'),
  'i64.reinterpret_f64': unary(0xbd, 'f64', 'i64'),
  'f32.reinterpret_i32': unary(0xbe, 'i32', 'f32'),
  'f64.reinterpret_i64': unary(0xbf, 'i64', 'f64'),
  'i32.extend8_s': unary(0xc0, 'i32', 'i32', (a: number) => (a << 24) >> 24),
  'i32.extend16_s': unary(0xc1, 'i32', 'i32', (a: number) => (a << 16) >> 16),
  'i64.extend8_s': unary(0xc2, 'i64', 'i64', (a: bigint) => BigInt.asIntN(8, a)),
  'i64.extend16_s': unary(0xc3, 'i64', 'i64', (a: bigint) => BigInt.asIntN(16, a)),
  'i64.extend32_s': unary(0xc4, 'i64', 'i64', (a: bigint) => BigInt.asIntN(32, a)),
  'i64.trunc_sat_f64_s': unary(0xfc06, 'f64', 'i64'),
  'i64.trunc_sat_f64_u': unary(0xfc07, 'f64', 'i64'),
  'f32x4.splat': unary(0xfd13, 'f32', 'v128'),
  'f64x2.splat': unary(0xfd14, 'f64', 'v128'),
  'f32x4.extract_lane 0': unary(0xfd1f00, 'v128', 'f32'),
  'f64x2.extract_lane 0': unary(0xfd2100, 'v128', 'f64'),
  'f32x4.relaxed_madd': multiplyAdd(0xfd8502),
  'f64x2.relaxed_madd': multiplyAdd(0xfd8702),
} as const satisfies Record<string, Op>;

/** Memory operators: opcode, natural alignment (log2 of the size in bytes), value type. */
export const loads = {
  'i32.load': [0x28, 2, 'i32'],
  'i64.load': [0x29, 3, 'i64'],
  'f32.load': [0x2a, 2, 'f32'],
  'f64.load': [0x2b, 3, 'f64'],
  'i32.load8_s': [0x2c, 0, 'i32'],
  'i32.load8_u': [0x2d, 0, 'i32'],
  'i32.load16_s': [0x2e, 1, 'i32'],
  'i32.load16_u': [0x2f, 1, 'i32'],
  'i64.load8_s': [0x30, 0, 'i64'],
  'i64.load8_u': [0x31, 0, 'i64'],
  'i64.load16_s': [0x32, 1, 'i64'],
  'i64.load16_u': [0x33, 1, 'i64'],
  'i64.load32_s': [0x34, 2, 'i64'],
  'i64.load32_u': [0x35, 2, 'i64'],
} as const satisfies Record<string, readonly [number, number, Type]>;

export const stores = {
  'i32.store': [0x36, 2, 'i32'],
  'i64.store': [0x37, 3, 'i64'],
  'f32.store': [0x38, 2, 'f32'],
  'f64.store': [0x39, 3, 'f64'],
  'i32.store8': [0x3a, 0, 'i32'],
  'i32.store16': [0x3b, 1, 'i32'],
  'i64.store8': [0x3c, 0, 'i64'],
  'i64.store16': [0x3d, 1, 'i64'],
  'i64.store32': [0x3e, 2, 'i64'],
} as const satisfies Record<string, readonly [number, number, Type]>;

export type OpName = keyof typeof ops;
export type LoadName = keyof typeof loads;
export type StoreName = keyof typeof stores;
