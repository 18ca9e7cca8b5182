/**
 * Single and double precision (RISC-V unprivileged specification, chapters "F" and "D"), from one text: the formats differ
 * in a field of the encoding, in the width of loads and stores, and in NaN boxing. A single is unboxed before it is used
 * as a number and its result is boxed; moves, loads and stores look at raw bits. Every instruction asks for mstatus.FS first.
 */
import type { I64 } from '../wasm/expression.ts';
import { i64 } from '../wasm/expression.ts';
import type { Context, FloatFormat, FloatOperation } from './context.ts';
import { formats } from './formats.ts';
import {
  type FixedFields,
  type Kind,
  type Operand,
  type Operation,
  opcode,
  operation,
  type Semantics,
} from './instruction.ts';
import { signExtendWord, zeroExtendWord } from './values.ts';

/** What distinguishes a format: its field in the encoding, its size, its sign bit, and how registers hold it. */
interface Precision {
  readonly format: FloatFormat;
  readonly fmt: number;
  readonly size: 4 | 8;
  /** funct3 of its loads and stores. */
  readonly width: number;
  readonly sign: bigint;
  readonly read: (c: Context, register: I64) => I64;
  readonly write: (c: Context, bits: I64) => void;
}

const single: Precision = {
  format: 's',
  fmt: 0b00,
  size: 4,
  width: 2,
  sign: 1n << 31n,
  read: (c, register) => c.unbox(register),
  write: (c, bits) => c.fd(c.box(bits)),
};

const double: Precision = {
  format: 'd',
  fmt: 0b01,
  size: 8,
  width: 3,
  sign: 1n << 63n,
  read: (_c, register) => register,
  write: (c, bits) => c.fd(bits),
};

/** The fixed fields of an OP-FP instruction. */
const opFp = (p: Precision, funct5: number, more: FixedFields = {}): FixedFields => ({
  opcode: opcode.OP_FP,
  funct5,
  funct2: p.fmt,
  ...more,
});

/** An instruction that needs the FS check, as all here do; `.s` or `.d` is not yet in the name. */
function floating(
  name: string,
  fields: FixedFields,
  operands: readonly Operand[],
  semantics: Semantics,
  kind: Kind = 'compute',
): Operation {
  const format = 'rs2' in fields ? formats.floatUnary : formats.float;
  return operation(name, fields, format, operands, kind, (c) => {
    c.requireFloat();
    semantics(c);
  });
}

// ---- loads and stores ------------------------------------------------------------------------------------------------

function memory(p: Precision, load: string, store: string): readonly Operation[] {
  const address = (c: Context): I64 => i64.add(c.rs1, c.imm);
  return [
    operation(load, { opcode: opcode.LOAD_FP, funct3: p.width }, formats.I, ['fd', 'imm(rs1)'], 'load', (c) => {
      c.requireFloat();
      p.write(c, c.load(p.size, false, address(c)));
    }),
    operation(store, { opcode: opcode.STORE_FP, funct3: p.width }, formats.S, ['fs2', 'imm(rs1)'], 'store', (c) => {
      c.requireFloat();
      c.store(p.size, address(c), c.fs2);
    }),
  ];
}

// ---- arithmetic ------------------------------------------------------------------------------------------------------

/** fma is a*b+c; the other three flip the sign of the product (through a, even of a NaN: results are canonical) or of c. */
function fusedMultiplyAdd(p: Precision): readonly Operation[] {
  const flip = (bits: I64): I64 => i64.xor(bits, i64.const(p.sign));
  const fused = (name: string, major: number, negateProduct: boolean, negateAddend: boolean): Operation =>
    operation(
      `${name}.${p.format}`,
      { opcode: major, funct2: p.fmt },
      formats.R4,
      ['fd', 'fs1', 'fs2', 'fs3', 'rm'],
      'compute',
      (c) => {
        c.requireFloat();
        const a = p.read(c, c.fs1);
        const b = p.read(c, c.fs2);
        const addend = p.read(c, c.fs3);
        p.write(c, c.float('fma', p.format, negateProduct ? flip(a) : a, b, negateAddend ? flip(addend) : addend));
      },
    );
  return [
    fused('fmadd', opcode.MADD, false, false),
    fused('fmsub', opcode.MSUB, false, true),
    fused('fnmsub', opcode.NMSUB, true, false),
    fused('fnmadd', opcode.NMADD, true, true),
  ];
}

function arithmetic(p: Precision): readonly Operation[] {
  const binary =
    (what: FloatOperation): Semantics =>
    (c) =>
      p.write(c, c.float(what, p.format, p.read(c, c.fs1), p.read(c, c.fs2)));
  const rounded = (what: 'add' | 'sub' | 'mul' | 'div', funct5: number): Operation =>
    floating(`f${what}.${p.format}`, opFp(p, funct5), ['fd', 'fs1', 'fs2', 'rm'], binary(what));
  const chosen = (what: 'min' | 'max', funct3: number): Operation =>
    floating(`f${what}.${p.format}`, opFp(p, 0b00101, { funct3 }), ['fd', 'fs1', 'fs2'], binary(what));
  return [
    rounded('add', 0b00000),
    rounded('sub', 0b00001),
    rounded('mul', 0b00010),
    rounded('div', 0b00011),
    floating(`fsqrt.${p.format}`, opFp(p, 0b01011, { rs2: 0 }), ['fd', 'fs1', 'rm'], (c) =>
      p.write(c, c.float('sqrt', p.format, p.read(c, c.fs1))),
    ),
    chosen('min', 0),
    chosen('max', 1),
  ];
}

/** Sign injection: bits only, no flags, NaNs pass as they are (but a badly boxed single is the canonical NaN). */
function signInjection(p: Precision): readonly Operation[] {
  const sign = i64.const(p.sign);
  const rest = i64.const(p.sign - 1n);
  const injected = (name: string, funct3: number, combine: (a: I64, b: I64) => I64): Operation =>
    floating(`${name}.${p.format}`, opFp(p, 0b00100, { funct3 }), ['fd', 'fs1', 'fs2'], (c) =>
      p.write(c, combine(p.read(c, c.fs1), p.read(c, c.fs2))),
    );
  return [
    injected('fsgnj', 0, (a, b) => i64.or(i64.and(a, rest), i64.and(b, sign))),
    injected('fsgnjn', 1, (a, b) => i64.or(i64.and(a, rest), i64.xor(i64.and(b, sign), sign))),
    injected('fsgnjx', 2, (a, b) => i64.xor(a, i64.and(b, sign))),
  ];
}

function comparisons(p: Precision): readonly Operation[] {
  const compare = (what: 'eq' | 'lt' | 'le', funct3: number): Operation =>
    floating(`f${what}.${p.format}`, opFp(p, 0b10100, { funct3 }), ['rd', 'fs1', 'fs2'], (c) =>
      c.rd(c.float(what, p.format, p.read(c, c.fs1), p.read(c, c.fs2))),
    );
  return [
    compare('eq', 2),
    compare('lt', 1),
    compare('le', 0),
    floating(`fclass.${p.format}`, opFp(p, 0b11100, { funct3: 1, rs2: 0 }), ['rd', 'fs1'], (c) =>
      c.rd(c.float('classify', p.format, p.read(c, c.fs1))),
    ),
  ];
}

// ---- conversions and moves -------------------------------------------------------------------------------------------

const integerTypes = [
  { name: 'w', rs2: 0, extend: signExtendWord },
  { name: 'wu', rs2: 1, extend: zeroExtendWord },
  { name: 'l', rs2: 2, extend: (a: I64) => a },
  { name: 'lu', rs2: 3, extend: (a: I64) => a },
] as const;

/** Exact conversions round nothing, but an invalid rounding mode is illegal there too: `float` checks it. */
function conversions(p: Precision): readonly Operation[] {
  return integerTypes.flatMap(({ name, rs2, extend }) => [
    floating(`fcvt.${name}.${p.format}`, opFp(p, 0b11000, { rs2 }), ['rd', 'fs1', 'rm'], (c) =>
      c.rd(c.float(`to-${name}`, p.format, p.read(c, c.fs1))),
    ),
    floating(`fcvt.${p.format}.${name}`, opFp(p, 0b11010, { rs2 }), ['fd', 'rs1', 'rm'], (c) =>
      p.write(c, c.float(`from-${name}`, p.format, extend(c.rs1))),
    ),
  ]);
}

/** The format given to `float` is that of the operand. */
const betweenFormats: readonly Operation[] = [
  floating('fcvt.s.d', opFp(single, 0b01000, { rs2: 1 }), ['fd', 'fs1', 'rm'], (c) =>
    single.write(c, c.float('to-s', 'd', double.read(c, c.fs1))),
  ),
  floating('fcvt.d.s', opFp(double, 0b01000, { rs2: 0 }), ['fd', 'fs1', 'rm'], (c) =>
    double.write(c, c.float('to-d', 's', single.read(c, c.fs1))),
  ),
];

/** The low half is moved raw: whether it is properly boxed does not matter. */
const moves: readonly Operation[] = [
  floating('fmv.x.w', opFp(single, 0b11100, { funct3: 0, rs2: 0 }), ['rd', 'fs1'], (c) => c.rd(signExtendWord(c.fs1))),
  floating('fmv.w.x', opFp(single, 0b11110, { funct3: 0, rs2: 0 }), ['fd', 'rs1'], (c) =>
    c.fd(c.box(zeroExtendWord(c.rs1))),
  ),
  floating('fmv.x.d', opFp(double, 0b11100, { funct3: 0, rs2: 0 }), ['rd', 'fs1'], (c) => c.rd(c.fs1)),
  floating('fmv.d.x', opFp(double, 0b11110, { funct3: 0, rs2: 0 }), ['fd', 'rs1'], (c) => c.fd(c.rs1)),
];

const forms = (p: Precision): readonly Operation[] => [
  ...fusedMultiplyAdd(p),
  ...arithmetic(p),
  ...signInjection(p),
  ...comparisons(p),
  ...conversions(p),
];

export const fd: readonly Operation[] = [
  ...memory(single, 'flw', 'fsw'),
  ...forms(single),
  ...memory(double, 'fld', 'fsd'),
  ...forms(double),
  ...betweenFormats,
  ...moves,
];
