/**
 * Guest memory for device tests: a few megabytes of RAM in an array, with the bounds of the real one and nothing else.
 */
import type { GuestMemory } from './device.ts';

export const RAM_BASE = 0x8000_0000;

export class TestMemory implements GuestMemory {
  readonly bytes: Uint8Array;
  /** How often memory was read or written: a measure of work that no clock disturbs. */
  touches = 0;
  readonly #view: DataView;

  constructor(sizeBytes = 4 * 1024 * 1024) {
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  read(address: number, length: number): Uint8Array | undefined {
    const at = this.#at(address, length);
    return at === undefined ? undefined : this.bytes.slice(at, at + length);
  }

  write(address: number, bytes: Uint8Array): boolean {
    const at = this.#at(address, bytes.length);
    if (at === undefined) return false;
    this.bytes.set(bytes, at);
    return true;
  }

  read16(address: number): number | undefined {
    const at = this.#at(address, 2);
    return at === undefined ? undefined : this.#view.getUint16(at, true);
  }

  read32(address: number): number | undefined {
    const at = this.#at(address, 4);
    return at === undefined ? undefined : this.#view.getUint32(at, true);
  }

  read64(address: number): bigint | undefined {
    const at = this.#at(address, 8);
    return at === undefined ? undefined : this.#view.getBigUint64(at, true);
  }

  write16(address: number, value: number): boolean {
    const at = this.#at(address, 2);
    if (at !== undefined) this.#view.setUint16(at, value, true);
    return at !== undefined;
  }

  write32(address: number, value: number): boolean {
    const at = this.#at(address, 4);
    if (at !== undefined) this.#view.setUint32(at, value, true);
    return at !== undefined;
  }

  write64(address: number, value: bigint): boolean {
    const at = this.#at(address, 8);
    if (at !== undefined) this.#view.setBigUint64(at, value, true);
    return at !== undefined;
  }

  #at(address: number, length: number): number | undefined {
    this.touches += 1;
    if (!Number.isSafeInteger(address) || address < RAM_BASE) return undefined;
    const at = address - RAM_BASE;
    return at + length <= this.bytes.length ? at : undefined;
  }
}
