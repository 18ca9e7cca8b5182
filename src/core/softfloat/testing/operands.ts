/**
 * Random operands chosen to be nasty, after the manner of oracle.c: few bits or runs of them, the ends of the ranges, operands
 * that belong together (nearly equal, opposite, a product at an edge, an addend that cancels a product), integers near powers
 * of two. The same seed gives the same cases everywhere.
 */
import { F32, F64, type Format } from '../format.ts';

export interface Triple {
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
}

const scratch = new DataView(new ArrayBuffer(8));

function product(format: Format, a: bigint, b: bigint): bigint {
  const read = (bits: bigint): number => {
    scratch.setBigUint64(0, bits);
    return format === F64 ? scratch.getFloat64(0) : scratch.getFloat32(4);
  };
  const value = read(a) * read(b);
  if (format === F64) scratch.setFloat64(0, value);
  else scratch.setBigUint64(0, 0n);
  if (format === F32) scratch.setFloat32(4, value);
  return scratch.getBigUint64(0);
}

export class Operands {
  readonly #words = new Uint32Array(2);
  readonly #pair = new BigUint64Array(this.#words.buffer);
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 bits (Steele and Vigna's mixing of a counter, as in mulberry32). */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  below(n: number): number {
    return this.word() % n;
  }

  bits(width: number): bigint {
    this.#words[0] = this.word();
    this.#words[1] = this.word();
    return width === 64 ? this.#pair[0] : BigInt.asUintN(width, this.#pair[0]);
  }

  #pack(format: Format, field: number, fraction: bigint): bigint {
    const inRange = BigInt(Math.min(Math.max(field, 0), format.maxField));
    const magnitude = (inRange << format.fractionShift) | BigInt.asUintN(format.fractionBits, fraction);
    return this.below(2) ? magnitude | format.signBit : magnitude;
  }

  #fraction({ fractionBits }: Format): bigint {
    const all = (1n << BigInt(fractionBits)) - 1n;
    const shift = (): bigint => BigInt(this.below(fractionBits));
    switch (this.below(8)) {
      case 0:
        return 0n;
      case 1:
        return all;
      case 2:
        return 1n << shift();
      case 3:
        return (1n << shift()) | (1n << shift());
      case 4:
        return all << shift();
      case 5:
        return all >> shift();
      case 6: {
        const places = shift();
        return (this.bits(fractionBits) >> places) << places;
      }
      default:
        return this.bits(fractionBits);
    }
  }

  #special(format: Format): bigint {
    const { maxField, fractionBits, implicitBit } = format;
    const bias = maxField >> 1;
    const few = BigInt(this.below(3));
    switch (this.below(10)) {
      case 0:
        return this.#pack(format, 0, 0n);
      case 1:
        return this.#pack(format, 0, 1n + few);
      case 2:
        return this.#pack(format, 0, -1n - few);
      case 3:
        return this.#pack(format, 1, few);
      case 4:
        return this.#pack(format, maxField - 1, -1n - few);
      case 5:
        return this.#pack(format, maxField, 0n);
      case 6:
        return this.#pack(format, maxField, (implicitBit >> 1n) | (this.below(2) ? this.bits(fractionBits) : 0n));
      case 7:
        return this.#pack(format, maxField, 1n + (this.bits(fractionBits - 1) & -2n));
      case 8:
        return this.#pack(format, bias, few);
      default:
        return this.#pack(format, bias - 1 + this.below(3), -few);
    }
  }

  number(format: Format): bigint {
    const { maxField } = format;
    switch (this.below(16)) {
      case 0:
        return this.#special(format);
      case 1:
        return this.bits(format.width);
      case 2:
        return this.#pack(format, 0, this.#fraction(format));
      case 3:
        return this.#pack(format, 1 + this.below(3), this.#fraction(format));
      case 4:
        return this.#pack(format, maxField - 1 - this.below(3), this.#fraction(format));
      case 5:
        return this.#pack(format, this.below(maxField + 1), this.#fraction(format));
      default:
        return this.#pack(format, (maxField >> 1) - 70 + this.below(140), this.#fraction(format));
    }
  }

  /** As large as the other, nearly equal, or some places away. */
  #near(format: Format, a: bigint): bigint {
    const { fractionBits, width, signBit } = format;
    const field = Number(a >> format.fractionShift) & format.maxField;
    const close = BigInt.asUintN(width, a + BigInt(this.below(5) - 2));
    switch (this.below(4)) {
      case 0:
        return close;
      case 1:
        return close ^ signBit;
      case 2:
        return this.#pack(format, field + this.below(5) - 2, this.#fraction(format));
      default:
        return this.#pack(format, field + this.below(2 * fractionBits + 12) - fractionBits - 6, this.#fraction(format));
    }
  }

  /** Brings the product, or the quotient, with `a` to an end of the range. */
  #atTheEdge(format: Format, a: bigint, quotient: boolean): bigint {
    const { maxField, fractionBits } = format;
    const bias = maxField >> 1;
    const field = Number(a >> format.fractionShift) & maxField;
    const target = this.below(3) ? 2 - this.below(fractionBits + 4) : maxField - 2 + this.below(4);
    return this.#pack(format, quotient ? field - target + bias : target - field + bias, this.#fraction(format));
  }

  /** Give or take some last places. */
  #nearPower(format: Format, power: number): bigint {
    const { maxField, width } = format;
    const field = Math.max((maxField >> 1) + power, 1);
    return BigInt.asUintN(width, this.#pack(format, field, 0n) + BigInt(this.below(9) - 4));
  }

  /** For a binary operation or a multiply-add; `quotient` for a division. */
  triple(format: Format, quotient: boolean): Triple {
    let a = this.number(format);
    let b = this.number(format);
    let c = this.number(format);
    switch (this.below(6)) {
      case 0:
        b = this.#near(format, a);
        break;
      case 1:
        b = this.#atTheEdge(format, a, quotient);
        break;
      case 2: {
        const power = this.below(format === F64 ? 1000 : 120);
        const least = format.minQuantum + format.fractionBits + this.below(4) - 2;
        a = this.#nearPower(format, quotient ? least + power : -power);
        b = this.#nearPower(format, quotient ? power : least + power);
        break;
      }
      default:
        break;
    }
    const cancelling = BigInt.asUintN(
      format.width,
      (product(format, a, b) ^ format.signBit) + BigInt(this.below(5) - 2),
    );
    switch (this.below(6)) {
      case 0:
        c = this.#pack(format, this.below(3), this.#fraction(format));
        break;
      case 1:
        c = cancelling;
        break;
      case 2:
      case 3:
        c = this.#near(format, cancelling);
        break;
      default:
        break;
    }
    if (this.below(12) === 0) b = this.#special(format);
    if (this.below(12) === 0) c = this.#special(format);
    return { a, b, c };
  }

  /** A number close to an end of an integer type's range, or a small one, with a fraction. */
  nearInteger(format: Format): bigint {
    const { maxField, fractionBits, width } = format;
    const bias = maxField >> 1;
    const power = [31, 32, 63, 64, 0, 1, 2, 52, 53, 24][this.below(10)];
    const off = (count: number): bigint => BigInt(this.below(2 * count + 1) - count);
    switch (this.below(4)) {
      case 0:
        return this.#pack(format, bias + power - this.below(2), this.#fraction(format));
      case 1:
        return this.#pack(format, bias - 2 + this.below(68), this.#fraction(format));
      case 2:
        return BigInt.asUintN(width, this.#pack(format, bias + power, 0n) + off(4));
      default: {
        const half = 1n << BigInt(Math.max(fractionBits - power - 1, 0));
        return BigInt.asUintN(width, this.#pack(format, bias + power, 0n) + off(4) * half + off(1));
      }
    }
  }

  /** A double close to the ends and the halves of what singles can be. */
  nearSingle(): bigint {
    const bias = F64.maxField >> 1;
    const field = this.below(3) ? bias - 126 - 25 + this.below(28) : bias + 125 + this.below(4);
    switch (this.below(4)) {
      case 0:
        return this.#pack(F64, field, BigInt(this.below(16)) << 28n);
      case 1:
        return this.#pack(F64, field, this.#fraction(F64));
      case 2:
        return this.#pack(F64, bias - 70 + this.below(140), BigInt(this.below(64)) << BigInt(22 + this.below(8)));
      default: {
        const off = (BigInt(this.below(65) - 32) << BigInt(22 + this.below(8))) + BigInt(this.below(3) - 1);
        return BigInt.asUintN(64, this.#pack(F64, bias - 126, 0n) + off);
      }
    }
  }

  integer(): bigint {
    const x = this.bits(64);
    const some = BigInt(this.below(5) - 2);
    const shift = BigInt(this.below(64));
    switch (this.below(6)) {
      case 0:
        return x;
      case 1:
        return BigInt.asUintN(64, BigInt.asIntN(64, x) >> shift);
      case 2:
        return BigInt.asUintN(64, (1n << shift) + some);
      case 3:
        return BigInt.asUintN(64, (-1n << shift) + some);
      case 4: {
        // Twenty-five bits or more, and the next one.
        const places = BigInt(this.below(40));
        return BigInt.asUintN(64, (((x | (1n << 63n)) >> places) | 1n) + some);
      }
      default: {
        const half = 1n << BigInt(this.below(40));
        return BigInt.asUintN(64, (x & ~(2n * half - 1n)) + half + BigInt(this.below(3) - 1));
      }
    }
  }
}
