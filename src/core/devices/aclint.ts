/**
 * The timer and software interrupt registers in the layout of SiFive's CLINT (RISC-V ACLINT specification 1.0: MSWI at
 * 0x0, MTIMER's compare registers at 0x4000 and its time at 0xbff8). The bus splits 64-bit accesses into a low and then
 * a high half.
 *
 * Time is an input of the machine and never runs backwards, so `mtime` is read-only here: writes are ignored.
 * The timer interrupt itself is derived by the hart from its compare value and the time.
 */
import type { Device, Plain } from './device.ts';
import { SavedState } from './state.ts';

const VERSION = 1;

/** The size of the register window in bytes. */
export const ACLINT_WINDOW_BYTES = 0x1_0000;

const MTIMECMP_BASE = 0x4000;
const MTIME_LOW = 0xbff8;
const MTIME_HIGH = 0xbffc;
const LOW_HALF = 0xffff_ffffn;

export interface AclintOptions {
  readonly harts: number;
}

export interface AclintDependencies {
  /** The machine's time now, in ticks of 100 ns. */
  time(): bigint;
  /** The hart's `mtimecmp` has a new value; also called for every hart by `restore`. */
  setTimeCompare(hart: number, value: bigint): void;
  /** The hart's machine software interrupt (MSIP) rises or falls; also called for every hart by `restore`. */
  setSoftware(hart: number, asserted: boolean): void;
}

export class Aclint implements Device {
  readonly #harts: number;
  readonly #dependencies: AclintDependencies;
  #timeCompare: bigint[];
  #software: boolean[];

  /** After reset no timer is armed: `mtimecmp` is all ones. */
  constructor(options: AclintOptions, dependencies: AclintDependencies) {
    this.#harts = options.harts;
    this.#dependencies = dependencies;
    this.#timeCompare = new Array<bigint>(options.harts).fill((1n << 64n) - 1n);
    this.#software = new Array<boolean>(options.harts).fill(false);
  }

  read(offset: number, size: number): number {
    if (size !== 4 || (offset & 3) !== 0) return 0;
    if (offset === MTIME_LOW) return Number(this.#dependencies.time() & LOW_HALF);
    if (offset === MTIME_HIGH) return Number(this.#dependencies.time() >> 32n);
    if (offset < MTIMECMP_BASE) return this.#software[offset >>> 2] ? 1 : 0;
    const compare = this.#timeCompare[(offset - MTIMECMP_BASE) >>> 3];
    if (compare === undefined) return 0;
    return Number((offset & 4) === 0 ? compare & LOW_HALF : compare >> 32n);
  }

  write(offset: number, size: number, value: number): void {
    if (size !== 4 || (offset & 3) !== 0) return;
    if (offset < MTIMECMP_BASE) this.#writeSoftware(offset >>> 2, (value & 1) !== 0);
    else this.#writeTimeCompare((offset - MTIMECMP_BASE) >>> 3, (offset & 4) !== 0, BigInt(value >>> 0));
  }

  save(): Plain {
    return {
      version: VERSION,
      timeCompare: this.#timeCompare.slice(),
      software: this.#software.map((asserted) => (asserted ? 1 : 0)),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState('aclint', VERSION, state);
    this.#timeCompare = saved.bigints('timeCompare', this.#harts);
    this.#software = saved.uints('software', 1, this.#harts).map((bit) => bit === 1);
    for (let hart = 0; hart < this.#harts; hart++) {
      this.#dependencies.setTimeCompare(hart, this.#timeCompare[hart]);
      this.#dependencies.setSoftware(hart, this.#software[hart]);
    }
  }

  #writeSoftware(hart: number, asserted: boolean): void {
    if (hart >= this.#harts) return;
    this.#software[hart] = asserted;
    this.#dependencies.setSoftware(hart, asserted);
  }

  #writeTimeCompare(hart: number, high: boolean, half: bigint): void {
    if (hart >= this.#harts) return;
    const old = this.#timeCompare[hart];
    const compare = high ? (half << 32n) | (old & LOW_HALF) : ((old >> 32n) << 32n) | half;
    this.#timeCompare[hart] = compare;
    this.#dependencies.setTimeCompare(hart, compare);
  }
}
