/** What all makers of parts draw from: the seeded numbers, the features of the program, and fresh labels. */
import { Random } from '../conformance/testing/random.ts';
import type { Features } from './kinds.ts';
import { free } from './layout.ts';

export class Draw extends Random {
  readonly features: Features;
  /** A few registers that many instructions share for a while, so that results depend on each other. */
  #near: readonly string[] = free;
  #labels = 0;

  constructor(seed: number, features: Features) {
    super(seed);
    this.features = features;
  }

  label(): string {
    return `L${this.#labels++}`;
  }

  /** Chooses other registers to work on. */
  refocus(): void {
    this.#near = Array.from({ length: this.between(3, 8) }, () => this.pick(free));
  }

  source(): string {
    if (this.chance(6)) return this.pick(['zero', 'sp', 's0', 's6', 'ra', 's8']);
    return this.pick(this.chance(75) ? this.#near : free);
  }
  destination(): string {
    if (this.chance(3)) return 'zero';
    return this.pick(this.chance(75) ? this.#near : free);
  }
  /** A register of RVC's three-bit fields. */
  short(): string {
    return this.pick(['a0', 'a1', 'a2', 'a3', 'a4', 'a5']);
  }

  integer(): bigint {
    const edges = [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 31n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 32n - 1n];
    if (this.chance(40)) return this.pick([...edges, 0xffn, -128n, 63n, 64n, 0x8000n]);
    return BigInt.asIntN(64, this.doubleword()) >> BigInt(this.below(64));
  }

  #root(): bigint {
    const fraction = this.pick([0n, 1n, -1n, -2n, this.doubleword()]);
    if (this.chance(50)) return (BigInt(this.between(0x1fe, 0x201)) << 52n) | BigInt.asUintN(52, fraction);
    return 0xffff_ffff_0000_0000n | (BigInt(this.between(0x3e, 0x41)) << 23n) | BigInt.asUintN(23, fraction);
  }

  /** Bits of a number that floating point cares about: of a double, or of a single in its box. */
  float(): bigint {
    const doubles = [
      0x3ff0n,
      0xbff8n,
      0x7ff0n,
      0xfff0n,
      0x7ff8n,
      0x7ff4n,
      0n,
      0x8000n,
      0x0010n,
      0x7fefn,
      0x43e0n,
      0x41efn,
    ];
    const low = this.chance(50) ? 0n : this.doubleword() & 0xffff_ffff_ffffn;
    if (this.chance(40)) return (this.pick(doubles) << 48n) | low;
    // Plain numbers of like size, so that sums round and cancel.
    if (this.chance(40)) return (BigInt(this.between(0x3fc, 0x403)) << 52n) | (this.doubleword() >> 12n);
    // Their products are about the least normal number.
    if (this.chance(20)) return this.#root();
    const singles = [0x3f80n, 0xbfc0n, 0x7f80n, 0x7fc0n, 0x7fa0n, 0n, 0x8000n, 0x0080n, 0x4f00n, 0xdf00n, 0x5f00n];
    const single = this.chance(50)
      ? (this.pick(singles) << 16n) | (low & 0xffffn)
      : BigInt((this.between(0x7c, 0x83) << 23) | (this.word() >>> 9));
    return this.chance(95) ? 0xffff_ffff_0000_0000n | single : single;
  }
}
