/**
 * A real-time clock: the goldfish RTC, which Linux for RISC-V has built in (device tree `google,goldfish-rtc`; registers as
 * in Linux drivers/rtc/rtc-goldfish.c). It shows nanoseconds since 1970 (UTC): guest time plus an offset that a `wall-clock`
 * input sets at the machine's start, and that the guest may set. Over a failover it goes on with guest time. It has no alarm.
 */
import type { Device, Plain } from './device.ts';
import { SavedState } from './state.ts';

const VERSION = 1;

/** The size of the register window in bytes. */
export const RTC_WINDOW_BYTES = 0x1000;

const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const NANOSECONDS_PER_TICK = 100n;
const WORD = 0xffff_ffffn;

export interface RtcDependencies {
  /** The machine's time now, in ticks of 100 ns. */
  time(): bigint;
}

export class Rtc implements Device {
  readonly #dependencies: RtcDependencies;
  /** Nanoseconds since 1970 when guest time was 0, modulo 2^64. */
  #offset = 0n;
  /** The high word of the time whose low word was read, and the one that was written before the low word. */
  #readHigh = 0;
  #writtenHigh = 0;

  constructor(dependencies: RtcDependencies) {
    this.#dependencies = dependencies;
  }

  /** It is now so many nanoseconds after the beginning of 1970. */
  set(nanoseconds: bigint): void {
    this.#offset = BigInt.asUintN(64, nanoseconds - this.#dependencies.time() * NANOSECONDS_PER_TICK);
  }

  read(offset: number, size: number): number {
    if (size !== 4) return 0;
    if (offset === TIME_HIGH) return this.#readHigh;
    if (offset !== TIME_LOW) return 0;
    const now = BigInt.asUintN(64, this.#offset + this.#dependencies.time() * NANOSECONDS_PER_TICK);
    this.#readHigh = Number(now >> 32n);
    return Number(now & WORD);
  }

  write(offset: number, size: number, value: number): void {
    if (size !== 4) return;
    if (offset === TIME_HIGH) this.#writtenHigh = value;
    else if (offset === TIME_LOW) this.set((BigInt(this.#writtenHigh) << 32n) | BigInt(value));
  }

  save(): Plain {
    return { version: VERSION, offset: [this.#offset], readHigh: this.#readHigh, writtenHigh: this.#writtenHigh };
  }

  restore(state: Plain): void {
    const saved = new SavedState('rtc', VERSION, state);
    this.#offset = saved.bigints('offset', 1)[0];
    this.#readHigh = saved.uint('readHigh', 0xffff_ffff);
    this.#writtenHigh = saved.uint('writtenHigh', 0xffff_ffff);
  }
}
