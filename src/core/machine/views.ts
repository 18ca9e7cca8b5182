/** The hart's state as JavaScript sees it: typed views over linear memory, by field. */
import { F, type Field, hart, PMP_ENTRIES, pmpaddr0, X } from './hart.ts';

export class HartViews {
  readonly #i32: Int32Array;
  readonly #u64: BigUint64Array;

  constructor(memory: ArrayBufferLike) {
    this.#i32 = new Int32Array(memory, 0, 1024);
    this.#u64 = new BigUint64Array(memory, 0, 512);
  }
  get32(field: Field): number {
    return this.#i32[field.offset >>> 2];
  }
  set32(field: Field, value: number): void {
    this.#i32[field.offset >>> 2] = value;
  }
  get64(field: Field): bigint {
    return this.#u64[field.offset >>> 3];
  }
  set64(field: Field, value: bigint): void {
    this.#u64[field.offset >>> 3] = value;
  }
  /** Raises or lowers a line of mip (its bit is below 32). */
  setPending(bit: number, asserted: boolean): void {
    const index = hart.mipHardware.offset >>> 2;
    if (asserted) this.#i32[index] |= 1 << bit;
    else this.#i32[index] &= ~(1 << bit);
  }
  x(register: number): bigint {
    return this.#u64[(X >>> 3) + register];
  }
  setX(register: number, value: bigint): void {
    if (register !== 0) this.#u64[(X >>> 3) + register] = value;
  }
  f(register: number): bigint {
    return this.#u64[(F >>> 3) + register];
  }
  setF(register: number, value: bigint): void {
    this.#u64[(F >>> 3) + register] = value;
  }
  pmpaddr(index: number): bigint {
    return this.#u64[(pmpaddr0 >>> 3) + index];
  }
  setPmpaddr(index: number, value: bigint): void {
    this.#u64[(pmpaddr0 >>> 3) + index] = value;
  }
  /** Every word of the architectural state in a fixed order: what hash and snapshot cover. */
  stateWords(): bigint[] {
    const words: bigint[] = [];
    for (let i = 0; i < 32; i++) words.push(this.x(i));
    for (let i = 0; i < 32; i++) words.push(this.f(i));
    for (let i = 0; i < PMP_ENTRIES; i++) words.push(this.pmpaddr(i));
    for (const field of Object.values(hart)) {
      if (!field.state) continue;
      words.push(field.bytes === 8 ? this.get64(field) : BigInt(this.get32(field) >>> 0));
    }
    return words;
  }
}
