/**
 * Exact RISC-V floating point, F and D, written for being right and for being read: the reference for the code that the
 * engines generate (engine/float.ts and engine/float/), which the tests compare with it bit by bit. Every operation takes
 * its operands apart, computes the exact result with integers (or enough of it and a sticky bit), and rounds once.
 *
 * A number is its bit pattern in a bigint: 64 bits for F64, 32 for F32 (NaN boxing is the caller's). Only the low bits of
 * an argument count, so that the signed bigints which WebAssembly hands over may come as they are; results are not
 * negative. Every NaN delivered is the canonical one.
 *
 * Sources: RISC-V unprivileged specification, chapters "F" and "D"; IEEE 754-2008, chapters 5 to 7.
 */
import { Flag, type Format, Rounding, type RoundingMode, type Status } from './format.ts';
import { blankOperand, Kind, type Operand, unpack } from './operand.ts';
import { round, roundToInteger } from './round.ts';

/** The exceptions accrue in `flags`, in the encoding of `fflags`; the caller reads and clears them. */
export class Softfloat implements Status {
  flags = 0;
  private readonly x: Operand = blankOperand();
  private readonly y: Operand = blankOperand();
  private readonly z: Operand = blankOperand();

  /** a + b */
  add(format: Format, a: bigint, b: bigint, rm: RoundingMode): bigint {
    const { x, y } = this;
    unpack(format, a, x);
    unpack(format, b, y);
    return this.addOperands(format, rm);
  }

  /** a - b */
  sub(format: Format, a: bigint, b: bigint, rm: RoundingMode): bigint {
    const { x, y } = this;
    unpack(format, a, x);
    unpack(format, b, y);
    y.negative = !y.negative;
    return this.addOperands(format, rm);
  }

  /** a * b */
  mul(format: Format, a: bigint, b: bigint, rm: RoundingMode): bigint {
    const { x, y } = this;
    unpack(format, a, x);
    unpack(format, b, y);
    const negative = x.negative !== y.negative;
    if (x.kind === Kind.finite && y.kind === Kind.finite) {
      return round(format, this, negative, x.exponent + y.exponent, x.significand * y.significand, rm);
    }
    if (isNaNOperand(x) || isNaNOperand(y)) return this.deliverNaN(format, x, y);
    if (x.kind === Kind.infinite || y.kind === Kind.infinite) {
      if (x.kind === Kind.zero || y.kind === Kind.zero) return this.invalid(format);
      return infinity(format, negative);
    }
    return zero(format, negative);
  }

  /** a / b */
  div(format: Format, a: bigint, b: bigint, rm: RoundingMode): bigint {
    const { x, y } = this;
    unpack(format, a, x);
    unpack(format, b, y);
    const negative = x.negative !== y.negative;
    if (x.kind !== Kind.finite || y.kind !== Kind.finite) return this.divSpecial(format, negative);
    // At least two places more than the result has: below its half there is room for the sticky bit.
    const places = format.precision + 2;
    const dividend = x.significand << BigInt(places);
    let quotient = dividend / y.significand;
    if (quotient * y.significand !== dividend) quotient |= 1n;
    return round(format, this, negative, x.exponent - y.exponent - places, quotient, rm);
  }

  /** The square root of a. */
  sqrt(format: Format, a: bigint, rm: RoundingMode): bigint {
    const { x } = this;
    unpack(format, a, x);
    if (isNaNOperand(x)) return this.deliverNaN(format, x, x);
    if (x.kind === Kind.zero) return zero(format, x.negative);
    if (x.negative) return this.invalid(format);
    if (x.kind === Kind.infinite) return infinity(format, false);
    // The radicand gets an even exponent, and enough places for a root with two places more than the result.
    const places = format.precision + 4 + ((x.exponent + format.precision) & 1);
    const exponent = x.exponent - places;
    const radicand = x.significand << BigInt(places);
    let root = integerSquareRoot(radicand);
    if (root * root !== radicand) root |= 1n;
    return round(format, this, false, exponent / 2, root, rm);
  }

  /** a * b + c, rounded once. The other three variants negate the patterns of a or c. */
  fma(format: Format, a: bigint, b: bigint, c: bigint, rm: RoundingMode): bigint {
    const { x, y, z } = this;
    unpack(format, a, x);
    unpack(format, b, y);
    unpack(format, c, z);
    const negative = x.negative !== y.negative;
    const finite = x.kind === Kind.finite && y.kind === Kind.finite;
    if (!finite || z.kind > Kind.finite) return this.fmaSpecial(format, negative, c, rm);
    const exponent = x.exponent + y.exponent;
    const product = x.significand * y.significand;
    if (z.kind === Kind.zero) return round(format, this, negative, exponent, product, rm);
    return this.sum(format, negative, exponent, product, z.negative, z.exponent, z.significand, rm);
  }

  /** The lesser of a and b, -0 below +0, a number before a NaN. */
  min(format: Format, a: bigint, b: bigint): bigint {
    return this.pick(format, a, b, true);
  }

  /** The greater of a and b, +0 above -0, a number before a NaN. */
  max(format: Format, a: bigint, b: bigint): bigint {
    return this.pick(format, a, b, false);
  }

  /** a = b; only a signalling NaN is invalid. */
  eq(format: Format, a: bigint, b: bigint): boolean {
    const left = order(format, a);
    const right = order(format, b);
    if (isNaNOrder(format, left) || isNaNOrder(format, right)) {
      this.noticeSignalling(format, left, right);
      return false;
    }
    return left === right;
  }

  /** a < b; every NaN is invalid. */
  lt(format: Format, a: bigint, b: bigint): boolean {
    const left = order(format, a);
    const right = order(format, b);
    return this.ordered(format, left, right) && left < right;
  }

  /** a <= b; every NaN is invalid. */
  le(format: Format, a: bigint, b: bigint): boolean {
    const left = order(format, a);
    const right = order(format, b);
    return this.ordered(format, left, right) && left <= right;
  }

  /** The mask of `fclass`: one bit of ten set. */
  classify(format: Format, a: bigint): number {
    const { x } = this;
    unpack(format, a, x);
    switch (x.kind) {
      case Kind.infinite:
        return x.negative ? 1 << 0 : 1 << 7;
      case Kind.finite: {
        const normal = x.exponent >= format.minQuantum;
        if (normal) return x.negative ? 1 << 1 : 1 << 6;
        return x.negative ? 1 << 2 : 1 << 5;
      }
      case Kind.zero:
        return x.negative ? 1 << 3 : 1 << 4;
      case Kind.signallingNaN:
        return 1 << 8;
      case Kind.quietNaN:
        return 1 << 9;
    }
  }

  /**
   * `fcvt` to an integer of 32 or 64 bits, as the 64 bits of the destination register (a 32-bit result is
   * sign-extended, an unsigned one too). Out of range and NaN: the nearest bound, a NaN counting as positive, and NV.
   */
  toInt(format: Format, a: bigint, width: 32 | 64, signed: boolean, rm: RoundingMode): bigint {
    const { x } = this;
    unpack(format, a, x);
    if (x.kind === Kind.zero) return 0n;
    const least = signed ? -1n << BigInt(width - 1) : 0n;
    const greatest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
    const flagsBefore = this.flags;
    if (x.kind === Kind.finite && x.exponent <= 64) {
      const magnitude = roundToInteger(this, x.negative, x.exponent, x.significand, rm);
      const value = x.negative ? -magnitude : magnitude;
      if (value >= least && value <= greatest) return toRegister(width, value);
    }
    this.flags = flagsBefore | Flag.NV;
    return toRegister(width, x.negative && !isNaNOperand(x) ? least : greatest);
  }

  /** `fcvt` from the low 32 bits, or the 64, of an integer register. */
  fromInt(format: Format, value: bigint, width: 32 | 64, signed: boolean, rm: RoundingMode): bigint {
    const integer = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    if (integer === 0n) return 0n;
    const negative = integer < 0n;
    return round(format, this, negative, 0, negative ? -integer : integer, rm);
  }

  /** `fcvt.d.s` and `fcvt.s.d`: a number of one format in another. */
  convert(from: Format, to: Format, a: bigint, rm: RoundingMode): bigint {
    const { x } = this;
    unpack(from, a, x);
    if (x.kind === Kind.finite) return round(to, this, x.negative, x.exponent, x.significand, rm);
    if (x.kind === Kind.zero) return zero(to, x.negative);
    if (x.kind === Kind.infinite) return infinity(to, x.negative);
    return this.deliverNaN(to, x, x);
  }

  /** The sum of the operands x and y. */
  private addOperands(format: Format, rm: RoundingMode): bigint {
    const { x, y } = this;
    if (x.kind === Kind.finite && y.kind === Kind.finite) {
      return this.sum(format, x.negative, x.exponent, x.significand, y.negative, y.exponent, y.significand, rm);
    }
    if (isNaNOperand(x) || isNaNOperand(y)) return this.deliverNaN(format, x, y);
    if (x.kind === Kind.infinite) {
      if (y.kind === Kind.infinite && x.negative !== y.negative) return this.invalid(format);
      return infinity(format, x.negative);
    }
    if (y.kind === Kind.infinite) return infinity(format, y.negative);
    if (x.kind === Kind.finite) return round(format, this, x.negative, x.exponent, x.significand, rm);
    if (y.kind === Kind.finite) return round(format, this, y.negative, y.exponent, y.significand, rm);
    return x.negative === y.negative ? zero(format, x.negative) : exactZero(format, rm);
  }

  /** Rounds the sum of two finite numbers that are not zero, with significands of `precision` to twice as many bits. */
  private sum(
    format: Format,
    negativeA: boolean,
    exponentA: number,
    significandA: bigint,
    negativeB: boolean,
    exponentB: number,
    significandB: bigint,
    rm: RoundingMode,
  ): bigint {
    if (exponentA < exponentB) {
      return this.sum(format, negativeB, exponentB, significandB, negativeA, exponentA, significandA, rm);
    }
    let exponent = exponentB;
    let shift = exponentA - exponentB;
    let small = significandB;
    const guardPlaces = 4;
    if (shift > 2 * format.precision + guardPlaces) {
      // b lies entirely below a's guard places: all that matters of it is that it is there.
      shift = guardPlaces;
      exponent = exponentA - guardPlaces;
      small = 1n;
    }
    const large = shift === 0 ? significandA : significandA << BigInt(shift);
    if (negativeA === negativeB) return round(format, this, negativeA, exponent, large + small, rm);
    const difference = large - small;
    if (difference === 0n) return exactZero(format, rm);
    if (difference > 0n) return round(format, this, negativeA, exponent, difference, rm);
    return round(format, this, negativeB, exponent, -difference, rm);
  }

  /** x / y where one of them is zero, infinite or NaN. */
  private divSpecial(format: Format, negative: boolean): bigint {
    const { x, y } = this;
    if (isNaNOperand(x) || isNaNOperand(y)) return this.deliverNaN(format, x, y);
    if (x.kind === y.kind) return this.invalid(format);
    if (x.kind === Kind.infinite) return infinity(format, negative);
    if (y.kind === Kind.zero) {
      this.flags |= Flag.DZ;
      return infinity(format, negative);
    }
    return zero(format, negative);
  }

  /** x * y + z where x or y is zero, infinite or NaN, or z infinite or NaN; `negative` is the product's sign. */
  private fmaSpecial(format: Format, negative: boolean, c: bigint, rm: RoundingMode): bigint {
    const { x, y, z } = this;
    const infiniteProduct = x.kind === Kind.infinite || y.kind === Kind.infinite;
    const zeroProduct = x.kind === Kind.zero || y.kind === Kind.zero;
    // infinity * 0 is invalid whatever is added to it, a quiet NaN too.
    if (infiniteProduct && zeroProduct) return this.invalid(format);
    if (isNaNOperand(z)) this.deliverNaN(format, z, z);
    if (isNaNOperand(x) || isNaNOperand(y)) return this.deliverNaN(format, x, y);
    if (isNaNOperand(z)) return format.canonicalNaN;
    if (infiniteProduct) {
      if (z.kind === Kind.infinite && z.negative !== negative) return this.invalid(format);
      return infinity(format, negative);
    }
    if (z.kind !== Kind.zero) return BigInt.asUintN(format.width, c);
    return z.negative === negative ? zero(format, negative) : exactZero(format, rm);
  }

  private pick(format: Format, a: bigint, b: bigint, lesser: boolean): bigint {
    const left = order(format, a);
    const right = order(format, b);
    this.noticeSignalling(format, left, right);
    if (isNaNOrder(format, left)) {
      return isNaNOrder(format, right) ? format.canonicalNaN : BigInt.asUintN(format.width, b);
    }
    let first = isNaNOrder(format, right) || left < right === lesser;
    // Equal: only zeros can differ, and then by their sign.
    if (left === right) first = isNegative(format, a) === lesser;
    return BigInt.asUintN(format.width, first ? a : b);
  }

  /** The result of an operation that has a NaN among its operands. */
  private deliverNaN(format: Format, x: Operand, y: Operand): bigint {
    if (x.kind === Kind.signallingNaN || y.kind === Kind.signallingNaN) this.flags |= Flag.NV;
    return format.canonicalNaN;
  }

  private invalid(format: Format): bigint {
    this.flags |= Flag.NV;
    return format.canonicalNaN;
  }

  private noticeSignalling(format: Format, left: bigint, right: bigint): void {
    if (isSignallingOrder(format, left) || isSignallingOrder(format, right)) this.flags |= Flag.NV;
  }

  private ordered(format: Format, left: bigint, right: bigint): boolean {
    if (!isNaNOrder(format, left) && !isNaNOrder(format, right)) return true;
    this.flags |= Flag.NV;
    return false;
  }
}

function isNaNOperand(operand: Operand): boolean {
  return operand.kind >= Kind.quietNaN;
}

function zero(format: Format, negative: boolean): bigint {
  return negative ? format.signBit : 0n;
}

function infinity(format: Format, negative: boolean): bigint {
  return negative ? format.infinity | format.signBit : format.infinity;
}

/** A sum of opposite numbers is +0, and -0 when rounding down (IEEE 754-2008, 6.3). */
function exactZero(format: Format, rm: RoundingMode): bigint {
  return zero(format, rm === Rounding.RDN);
}

function isNegative(format: Format, bits: bigint): boolean {
  return (bits & format.signBit) !== 0n;
}

/** A signed integer that orders patterns as numbers: magnitudes are ordered like integers, and both zeros are 0. */
function order(format: Format, bits: bigint): bigint {
  const magnitude = BigInt.asUintN(format.width - 1, bits);
  return isNegative(format, bits) ? -magnitude : magnitude;
}

function isNaNOrder(format: Format, key: bigint): boolean {
  return key > format.infinity || -key > format.infinity;
}

function isSignallingOrder(format: Format, key: bigint): boolean {
  const magnitude = key < 0n ? -key : key;
  return magnitude > format.infinity && magnitude < format.canonicalNaN;
}

function toRegister(width: 32 | 64, value: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(width, value));
}

/** The greatest integer whose square is at most `radicand`, which is positive and below 2^1000. */
function integerSquareRoot(radicand: bigint): bigint {
  // The host's root is right to about 52 bits; one step of Newton's method doubles that, and the rest is a last unit.
  const estimate = BigInt(Math.floor(Math.sqrt(Number(radicand))));
  let root = (estimate + radicand / estimate) >> 1n;
  while (root * root > radicand) root -= 1n;
  while ((root + 1n) * (root + 1n) <= radicand) root += 1n;
  return root;
}
