/**
 * Operators as they are built: constants are folded, and what a shorter tree says as well is said by it. Every rule keeps
 * the value for all operands, and none computes an operand twice; operands that do not matter are not computed (they have
 * no effects; one that would trap in WebAssembly, as a division by zero does, may vanish).
 *
 * Engines do most of this themselves, but only in their optimizing tier, and only after they have read it all.
 */
import { isSignExtended, possibleBits } from './bits.ts';
import type { Expr, I32 } from './expression.ts';
import { type LoadName, type Op, type OpName, ops, type StoreName, type Type } from './ops.ts';

/** A constant's value, or undefined where it is known at run time only. */
export function constantOf(e: Expr): number | bigint | undefined {
  return e.kind === 'const' ? e.value : undefined;
}

export function makeConst<T extends Type>(type: T, value: number | bigint): Expr<T> {
  if (type === 'i64') return { kind: 'const', type, value: BigInt.asIntN(64, BigInt(value)) };
  if (type !== 'i32') return { kind: 'const', type, value };
  return { kind: 'const', type, value: Number(typeof value === 'bigint' ? BigInt.asIntN(32, value) : value) | 0 };
}

export function makeOp<T extends Type>(name: OpName, args: readonly Expr[]): Expr<T> {
  const op: Op = ops[name];
  const type = op.result as T;
  const [a, b] = args;
  if (op.fold && args.every((x) => x.kind === 'const')) {
    const fold = op.fold as (a: unknown, b: unknown) => number | bigint | undefined;
    const value = fold(constantOf(a), b && constantOf(b));
    if (value !== undefined) return makeConst(type, value);
  }
  const simpler = rules.get(name)?.(a, b);
  return (simpler as Expr<T> | undefined) ?? { kind: 'op', type, op: name, args };
}

export function makeSelect<T extends Type>(ifTrue: Expr<T>, ifFalse: Expr<T>, condition: I32): Expr<T> {
  const { type } = ifTrue;
  const known = constantOf(condition);
  if (known !== undefined) return known !== 0 ? ifTrue : ifFalse;
  if (isSame(ifTrue, ifFalse)) return ifTrue;
  const test = truth(condition);
  if (isOp(test, 'i32.eqz')) return makeSelect(ifFalse, ifTrue, test.args[0] as I32);
  if (type === 'i32' || type === 'i64') {
    const isOneFor = (one: Expr, zero: Expr): boolean => integerOf(one) === 1n && integerOf(zero) === 0n;
    const widen = (e: Expr): Expr<T> => (type === 'i32' ? e : make('i64.extend_i32_u', e)) as Expr<T>;
    if (isOneFor(ifTrue, ifFalse) && isBoolean(test)) return widen(test);
    if (isOneFor(ifFalse, ifTrue)) return widen(make('i32.eqz', test));
  }
  return { kind: 'select', type, args: [ifTrue, ifFalse, test] };
}

/** A condition that holds where this one does, if there is a shorter one. */
export function truth(e: I32): I32 {
  return isOp(e, 'i32.ne') && integerOf(e.args[1]) === 0n ? truth(e.args[0] as I32) : e;
}

/** A store that writes the same bytes. */
export function makeStore(op: StoreName, value: Expr): { readonly op: StoreName; readonly value: Expr } {
  if (value.kind !== 'op') return { op, value };
  if (value.op === 'i32.reinterpret_f32' && op === 'i32.store') return { op: 'f32.store', value: value.args[0] };
  if (value.op === 'i64.reinterpret_f64' && op === 'i64.store') return { op: 'f64.store', value: value.args[0] };
  const [bits, ofWord] = narrowStores[op] ?? [];
  if (bits === undefined || ofWord === undefined) return { op, value };
  const low = narrow<Type>(value, bits);
  return isOp(low, 'i64.extend_i32_s', 'i64.extend_i32_u') ? makeStore(ofWord, low.args[0]) : { op, value: low };
}

/** The bits that a store takes of its value, and the store that takes them of a word. */
const narrowStores: { readonly [op: string]: readonly [number, StoreName] } = {
  'i32.store8': [8, 'i32.store8'],
  'i32.store16': [16, 'i32.store16'],
  'i32.store': [32, 'i32.store'],
  'i64.store8': [8, 'i32.store8'],
  'i64.store16': [16, 'i32.store16'],
  'i64.store32': [32, 'i32.store'],
};

// ---- what the rules are made from -------------------------------------------------------------------------------------

type Operation = Extract<Expr, { kind: 'op' }>;

const make = (name: OpName, ...args: readonly Expr[]): Expr => makeOp(name, args);

const isOp = (e: Expr, ...names: readonly OpName[]): e is Operation => e.kind === 'op' && names.includes(e.op);
const isBoolean = (e: Expr): boolean => possibleBits(e) <= 1n;

/** Whether two expressions in one place have one value, where that is easily seen. */
function isSame(a: Expr, b: Expr): boolean {
  if (a.kind === 'local') return b.kind === 'local' && a.index === b.index;
  return a.kind === 'const' && b.kind === 'const' && a.type === b.type && Object.is(a.value, b.value);
}

/** An integer constant's value, signed. */
const integerOf = (e: Expr): bigint | undefined =>
  e.kind === 'const' && (e.type === 'i32' || e.type === 'i64') ? BigInt(e.value) : undefined;

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** An expression whose low `bits` bits are those of `e`; the others may be anything. `e` itself if there is no simpler one. */
export function narrow<T extends Type>(e: Expr<T>, bits: number): Expr<T>;
export function narrow(e: Expr, bits: number): Expr {
  const value = integerOf(e);
  if (value !== undefined) {
    const low = BigInt.asIntN(bits, value);
    return magnitude(low) < magnitude(value) ? makeConst(e.type, low) : e;
  }
  if (e.kind !== 'op') return e;
  const [a, b] = e.args;
  switch (e.op.slice(4)) {
    case 'and':
    case 'or':
    case 'xor':
    case 'add':
    case 'sub':
    case 'mul':
      return rebuilt(e, narrow(a, bits), narrow(b, bits));
    case 'shl': {
      const distance = Number(integerOf(b) ?? 0n) & (e.type === 'i32' ? 31 : 63);
      return distance < bits ? rebuilt(e, narrow(a, bits - distance), b) : makeConst(e.type, 0);
    }
    case 'extend8_s':
      return bits <= 8 ? narrow(a, bits) : e;
    case 'extend16_s':
      return bits <= 16 ? narrow(a, bits) : e;
    case 'extend32_s':
      return bits <= 32 ? narrow(a, bits) : e;
    case 'extend_i32_s':
    case 'extend_i32_u':
      if (bits > 32 || e.type !== 'i64') return e;
      return isOp(a, 'i32.wrap_i64') ? narrow(a.args[0], bits) : rebuilt(e, narrow(a, bits));
    case 'wrap_i64':
      return rebuilt(e, narrow(a, bits));
    default:
      return e;
  }
}

const rebuilt = (e: Operation, ...args: readonly Expr[]): Expr =>
  args.every((arg, i) => arg === e.args[i]) ? e : makeOp(e.op, args);

/** The same place in memory, read in another way. */
const reread = (e: Extract<Expr, { kind: 'load' }>, type: Type, op: LoadName): Expr => ({ ...e, type, op });
/** Reads in the way that the table has for this one, if it has one. */
function rereadBy(e: Expr, type: Type, ways: { readonly [op: string]: LoadName }): Expr | undefined {
  return e.kind === 'load' && e.op in ways ? reread(e, type, ways[e.op]) : undefined;
}

/** How a load reads no more than the word that is extended. */
const signExtendedLoads: { readonly [op: string]: LoadName } = {
  'i64.load8_s': 'i32.load8_s',
  'i64.load8_u': 'i32.load8_u',
  'i64.load16_s': 'i32.load16_s',
  'i64.load16_u': 'i32.load16_u',
  'i64.load32_s': 'i32.load',
};
const zeroExtendedLoads: { readonly [op: string]: LoadName } = {
  'i64.load8_u': 'i32.load8_u',
  'i64.load16_u': 'i32.load16_u',
  'i64.load32_u': 'i32.load',
};
const wordLoads = { ...signExtendedLoads, ...zeroExtendedLoads };

type Rule = (a: Expr, b: Expr) => Expr | undefined;
const rules = new Map<OpName, Rule>();

// ---- arithmetic of both widths ----------------------------------------------------------------------------------------

type Integer = 'i32' | 'i64';

function arithmeticRules(type: Integer): void {
  const width = type === 'i32' ? 32 : 64;
  const n = (name: string): OpName => `${type}.${name}` as OpName;
  const c = (value: number | bigint): Expr => makeConst(type, value);
  /** (x op k) op c = x op (k with c), if that is what `a` is. */
  const chain = (name: string, a: Expr, merge: (k: bigint) => bigint): Expr | undefined => {
    const k = isOp(a, n(name)) ? integerOf(a.args[1]) : undefined;
    return k === undefined ? undefined : make(n(name), (a as Operation).args[0], c(merge(k)));
  };
  /** A rule for a constant operand, which goes to the right, and one for equal operands. */
  const commutative = (name: string, withConstant: (a: Expr, k: bigint) => Expr | undefined, same?: Rule): void => {
    rules.set(n(name), (a, b) => {
      const k = integerOf(b);
      if (k !== undefined) return withConstant(a, k);
      if (a.kind === 'const') return make(n(name), b, a);
      return isSame(a, b) ? same?.(a, b) : undefined;
    });
  };

  commutative('add', (a, k) => (k === 0n ? a : chain('add', a, (j) => j + k)));
  rules.set(n('sub'), (a, b) => {
    const k = integerOf(b);
    if (k !== undefined) return make(n('add'), a, c(-k));
    return isSame(a, b) ? c(0) : undefined;
  });
  commutative('mul', (a, k) => {
    const power = BigInt.asUintN(width, k);
    if (k === 0n) return c(0);
    if ((power & (power - 1n)) === 0n) return make(n('shl'), a, c(power.toString(2).length - 1));
    return chain('mul', a, (j) => j * k);
  });
  commutative(
    'or',
    (a, k) => {
      if (k === 0n) return a;
      return k === -1n ? c(-1) : chain('or', a, (j) => j | k);
    },
    (a) => a,
  );
  commutative(
    'xor',
    (a, k) => {
      if (k === 0n) return a;
      if (k === 1n && type === 'i32' && isBoolean(a)) return make('i32.eqz', a);
      if (k === 1n && isOp(a, 'i64.extend_i32_u') && isBoolean(a)) {
        return make('i64.extend_i32_u', make('i32.eqz', a.args[0]));
      }
      return chain('xor', a, (j) => j ^ k);
    },
    () => c(0),
  );
  commutative(
    'and',
    (a, k) => {
      const mask = BigInt.asUintN(width, k);
      const possible = possibleBits(a);
      if ((possible & mask) === 0n) return c(0);
      if ((possible & ~mask) === 0n) return a;
      const bits = mask.toString(2).length;
      const narrowed = bits < width ? narrow(a, bits) : a;
      if (narrowed !== a) return make(n('and'), narrowed, c(k));
      if (mask === 0xffff_ffffn && type === 'i64') return make('i64.extend_i32_u', make('i32.wrap_i64', a));
      const isWhole = mask + 1n === 1n << BigInt(bits);
      return (isWhole ? rereadBy(a, type, unsignedLoads[bits] ?? {}) : undefined) ?? chain('and', a, (j) => j & k);
    },
    (a) => a,
  );
}

/** Loads whose upper bits a mask of so many bits takes away. */
const unsignedLoads: { readonly [bits: number]: { readonly [op: string]: LoadName } } = {
  8: { 'i32.load8_s': 'i32.load8_u', 'i64.load8_s': 'i64.load8_u' },
  16: { 'i32.load16_s': 'i32.load16_u', 'i64.load16_s': 'i64.load16_u' },
};

// ---- shifts -----------------------------------------------------------------------------------------------------------

function shiftRules(type: Integer): void {
  const width = type === 'i32' ? 32 : 64;
  const countBits = type === 'i32' ? 5 : 6;
  const n = (name: string): OpName => `${type}.${name}` as OpName;
  const c = (value: number | bigint): Expr => makeConst(type, value);
  /** Rules by a constant distance between 1 and width - 1. */
  const shift = (name: string, fixed: readonly bigint[], by: (a: Expr, distance: number) => Expr | undefined): void => {
    rules.set(n(name), (a, b) => {
      const k = integerOf(b);
      const value = integerOf(a);
      if (value !== undefined && fixed.includes(value)) return a;
      if (k === undefined) {
        const count = narrow(b, countBits);
        return count === b ? undefined : make(n(name), a, count);
      }
      const distance = Number(BigInt.asUintN(countBits, k));
      if (distance === 0) return a;
      return distance === Number(k) ? by(a, distance) : make(n(name), a, c(distance));
    });
  };
  /** The distance of a shift by a constant, if `a` is one. */
  const distanceOf = (a: Expr, name: string): number =>
    isOp(a, n(name)) && a.args[1].kind === 'const' ? Number(a.args[1].value) : 0;

  shift('shl', [0n], (a, distance) => {
    const inner = distanceOf(a, 'shl');
    if (inner + distance >= width) return c(0);
    if (inner > 0) return make(n('shl'), (a as Operation).args[0], c(inner + distance));
    if (distanceOf(a, 'shr_u') === distance)
      return make(n('and'), (a as Operation).args[0], c(-1n << BigInt(distance)));
    const narrowed = narrow(a, width - distance);
    return narrowed === a ? undefined : make(n('shl'), narrowed, c(distance));
  });
  shift('shr_u', [0n], (a, distance) => {
    const inner = distanceOf(a, 'shr_u');
    if (possibleBits(a) >> BigInt(distance) === 0n) return c(0);
    if (inner > 0) return make(n('shr_u'), (a as Operation).args[0], c(inner + distance));
    if (!isOp(a, n('and'))) return undefined;
    // A mask of bits that are shifted out, or that were not there.
    const [x, y] = a.args;
    const mask = integerOf(y);
    if (mask === undefined) return undefined;
    return (possibleBits(x) & ~mask) >> BigInt(distance) === 0n ? make(n('shr_u'), x, c(distance)) : undefined;
  });
  shift('shr_s', [0n, -1n], (a, distance) => {
    const inner = distanceOf(a, 'shr_s');
    if (inner > 0) return make(n('shr_s'), (a as Operation).args[0], c(Math.min(inner + distance, width - 1)));
    if (possibleBits(a) >> BigInt(width - 1) === 0n) return make(n('shr_u'), a, c(distance));
    const name = n(`extend${width - distance}_s`);
    return distanceOf(a, 'shl') === distance && name in ops ? make(name, (a as Operation).args[0]) : undefined;
  });
  shift('rotl', [0n, -1n], () => undefined);
  shift('rotr', [0n, -1n], () => undefined);
}

// ---- comparisons ------------------------------------------------------------------------------------------------------

const swapped = { lt: 'gt', gt: 'lt', le: 'ge', ge: 'le' } as const;

/**
 * Opposites of comparisons. Floating-point orders have none (of a NaN both are false); eqz has `ne` with 0.
 */
const opposites: ReadonlyMap<OpName, OpName> = new Map(
  [
    ...['i32', 'i64', 'f32', 'f64'].map((type) => [`${type}.eq`, `${type}.ne`]),
    ...['i32', 'i64'].flatMap((type) => [
      [`${type}.lt_s`, `${type}.ge_s`],
      [`${type}.lt_u`, `${type}.ge_u`],
      [`${type}.gt_s`, `${type}.le_s`],
      [`${type}.gt_u`, `${type}.le_u`],
    ]),
  ].flatMap(([a, b]) => [[a, b] as [OpName, OpName], [b, a] as [OpName, OpName]]),
);

function inverted(e: Expr): Expr | undefined {
  if (e.kind !== 'op') return undefined;
  const [a, b] = e.args;
  if (e.op === 'i32.eqz') return make('i32.ne', a, makeConst('i32', 0));
  if (e.op === 'i64.eqz') return make('i64.ne', a, makeConst('i64', 0));
  const opposite = opposites.get(e.op);
  return opposite && make(opposite, a, b);
}

function comparisonRules(type: Integer): void {
  const width = BigInt(type === 'i32' ? 32 : 64);
  const n = (name: string): OpName => `${type}.${name}` as OpName;
  const c = (value: number | bigint): Expr => makeConst(type, value);
  const truthValue = (value: boolean): Expr => makeConst('i32', value ? 1 : 0);

  rules.set(n('eqz'), (a) => {
    if (type === 'i32') {
      const opposite = inverted(a);
      if (opposite) return opposite;
    }
    return equality('eq', a, 0n, true);
  });
  for (const name of ['eq', 'ne'] as const) {
    rules.set(n(name), (a, b) => {
      const k = integerOf(b);
      if (k !== undefined) return equality(name, a, k, false);
      if (a.kind === 'const') return make(n(name), b, a);
      return isSame(a, b) ? truthValue(name === 'eq') : comparedAsWords(name, a, b);
    });
  }
  /** a = k or a != k. `final`: there is no shorter form of a = 0 to go to. */
  function equality(name: 'eq' | 'ne', a: Expr, k: bigint, final: boolean): Expr | undefined {
    const isEq = name === 'eq';
    if (a.kind === 'op') {
      const [x, y] = a.args;
      const j = y && integerOf(y);
      if (isOp(a, n('add')) && j !== undefined) return make(n(name), x, c(k - j));
      if (isOp(a, n('xor')) && j !== undefined) return make(n(name), x, c(k ^ j));
      if (isOp(a, n('xor'), n('sub')) && k === 0n) return make(n(name), x, y);
      if (isOp(a, 'i64.extend32_s') && k === 0n)
        return make(`i32.${name}`, make('i32.wrap_i64', x), makeConst('i32', 0));
    }
    if (a.kind === 'local') return k === 0n && isEq && !final ? make(n('eqz'), a) : undefined;
    const asWords = comparedAsWords(name, a, c(k));
    if (asWords) return asWords;
    if ((BigInt.asUintN(Number(width), k) & ~possibleBits(a)) !== 0n) return truthValue(!isEq);
    if (type === 'i32' && isBoolean(a)) {
      // Only 0 and 1 are left.
      if ((k === 1n) === isEq) return a;
      return isEq && final ? undefined : make('i32.eqz', a);
    }
    return k === 0n && isEq && !final ? make(n('eqz'), a) : undefined;
  }

  const least = { s: -(1n << (width - 1n)), u: 0n };
  const greatest = { s: (1n << (width - 1n)) - 1n, u: -1n };
  for (const order of ['lt', 'gt', 'le', 'ge'] as const) {
    for (const sign of ['s', 'u'] as const) {
      const name = `${order}_${sign}`;
      const mirrored = n(`${swapped[order]}_${sign}`);
      rules.set(n(name), (a, b) => {
        const k = integerOf(b);
        if (a.kind === 'const' && k === undefined) return make(mirrored, b, a);
        if (isSame(a, b)) return truthValue(order === 'le' || order === 'ge');
        if (k === least[sign]) {
          if (order === 'lt' || order === 'ge') return truthValue(order === 'ge');
          return make(n(order === 'gt' ? 'ne' : 'eq'), a, b);
        }
        if (k === greatest[sign]) {
          if (order === 'gt' || order === 'le') return truthValue(order === 'le');
          return make(n(order === 'lt' ? 'ne' : 'eq'), a, b);
        }
        if (k === 1n && sign === 'u' && (order === 'lt' || order === 'ge')) {
          return make(n(order === 'lt' ? 'eq' : 'ne'), a, c(0));
        }
        return comparedAsWords(name, a, b);
      });
    }
  }
}

/** A comparison of two extended words, one of which may be a constant, is one of words. */
function comparedAsWords(name: string, a: Expr, b: Expr): Expr | undefined {
  if (a.type !== 'i64' || (a.kind !== 'op' && a.kind !== 'load')) return undefined;
  const compare = (op: string, x: Expr | undefined, y: Expr | undefined): Expr | undefined =>
    x && y && make(`i32.${op}` as OpName, x, y);
  // Sign extension keeps both orders; without sign none is negative, so that both orders are the unsigned one.
  return (
    compare(name, signedWord(a), signedWord(b)) ?? compare(name.replace('_s', '_u'), unsignedWord(a), unsignedWord(b))
  );
}

/** The word of which this is the sign extension, and that of which it is the extension without sign. */
function signedWord(e: Expr): Expr | undefined {
  const k = integerOf(e);
  if (k !== undefined) return BigInt.asIntN(32, k) === k ? makeConst('i32', k) : undefined;
  if (!isOp(e, 'i64.extend_i32_s', 'i64.extend32_s')) return rereadBy(e, 'i32', signExtendedLoads);
  return e.op === 'i64.extend_i32_s' ? e.args[0] : make('i32.wrap_i64', e.args[0]);
}
function unsignedWord(e: Expr): Expr | undefined {
  const k = integerOf(e);
  if (k !== undefined) return BigInt.asUintN(32, k) === k ? makeConst('i32', k) : undefined;
  return isOp(e, 'i64.extend_i32_u') ? e.args[0] : rereadBy(e, 'i32', zeroExtendedLoads);
}

// ---- conversions ------------------------------------------------------------------------------------------------------

/** How a load reads a word that is extended to 64 bits, with or without sign. */
const signedWordLoads: { readonly [op: string]: LoadName } = {
  'i32.load': 'i64.load32_s',
  'i32.load8_s': 'i64.load8_s',
  'i32.load8_u': 'i64.load8_u',
  'i32.load16_s': 'i64.load16_s',
  'i32.load16_u': 'i64.load16_u',
};
const unsignedWordLoads: { readonly [op: string]: LoadName } = {
  'i32.load': 'i64.load32_u',
  'i32.load8_u': 'i64.load8_u',
  'i32.load16_u': 'i64.load16_u',
};

rules.set('i32.wrap_i64', (a) => {
  if (isOp(a, 'i64.extend_i32_s', 'i64.extend_i32_u')) return a.args[0];
  const narrowed = narrow(a, 32);
  return narrowed === a ? rereadBy(a, 'i32', wordLoads) : make('i32.wrap_i64', narrowed);
});
rules.set('i64.extend_i32_s', (a) => {
  if (isOp(a, 'i32.wrap_i64')) return make('i64.extend32_s', a.args[0]);
  if (possibleBits(a) < 0x8000_0000n) return make('i64.extend_i32_u', a);
  return rereadBy(a, 'i64', signedWordLoads);
});
rules.set('i64.extend_i32_u', (a) => {
  if (isOp(a, 'i32.and') && isOp(a.args[0], 'i32.wrap_i64')) {
    const mask = integerOf(a.args[1]);
    if (mask !== undefined && mask >= 0n) return make('i64.and', a.args[0].args[0], makeConst('i64', mask));
  }
  return rereadBy(a, 'i64', unsignedWordLoads);
});

for (const [type, bits] of [
  ['i32', 8],
  ['i32', 16],
  ['i64', 8],
  ['i64', 16],
  ['i64', 32],
] as const) {
  const name = `${type}.extend${bits}_s` as OpName;
  const load = `${type}.load${bits}_`;
  rules.set(name, (a) => {
    if (isSignExtended(a, bits)) return a;
    if (bits === 32 && isOp(a, 'i64.extend_i32_u')) return make('i64.extend_i32_s', a.args[0]);
    const narrowed = narrow(a, bits);
    return narrowed === a ? rereadBy(a, type, { [`${load}u`]: `${load}s` as LoadName }) : make(name, narrowed);
  });
}

/** Bits that change their type and back, or that are read as the wrong one. */
for (const [integer, float, load] of [
  ['i32', 'f32', 'f32.load'],
  ['i64', 'f64', 'f64.load'],
] as const) {
  const toInteger: OpName = `${integer}.reinterpret_${float}` as OpName;
  const toFloat: OpName = `${float}.reinterpret_${integer}` as OpName;
  rules.set(toInteger, (a) => (isOp(a, toFloat) ? a.args[0] : rereadBy(a, integer, { [load]: `${integer}.load` })));
  rules.set(toFloat, (a) => (isOp(a, toInteger) ? a.args[0] : rereadBy(a, float, { [`${integer}.load`]: load })));
}

for (const type of ['i32', 'i64'] as const) {
  arithmeticRules(type);
  shiftRules(type);
  comparisonRules(type);
}
