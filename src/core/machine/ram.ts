/**
 * Guest RAM as everybody but the hart sees it: the boot loader, DMA, the SBI. All writes go through `touch`, the one
 * routine that keeps decoded code, translations and dirty marks true (MACHINE.md, 11).
 */
import { type MemoryMap, RAM_BASE } from './memory-map.ts';

export class GuestRam {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #map: MemoryMap;
  readonly #touch: (offset: number, length: number) => void;

  /** `touch` takes an offset into linear memory. */
  constructor(memory: ArrayBufferLike, map: MemoryMap, touch: (offset: number, length: number) => void) {
    this.#bytes = new Uint8Array(memory, map.ram, map.ramBytes);
    this.#view = new DataView(memory, map.ram, map.ramBytes);
    this.#map = map;
    this.#touch = touch;
  }

  /** Offset into RAM, or -1 if any byte lies outside. */
  #offset(address: number, length: number): number {
    const offset = address - RAM_BASE;
    const inside = Number.isSafeInteger(address) && offset >= 0 && offset + length <= this.#map.ramBytes;
    return inside ? offset : -1;
  }

  #beforeWrite(address: number, length: number): number {
    const offset = this.#offset(address, length);
    if (offset >= 0 && length > 0) this.#touch(this.#map.ram + offset, length);
    return offset;
  }

  read(address: number, length: number): Uint8Array | undefined {
    const offset = this.#offset(address, length);
    return offset < 0 ? undefined : this.#bytes.slice(offset, offset + length);
  }
  write(address: number, bytes: Uint8Array): boolean {
    const offset = this.#beforeWrite(address, bytes.length);
    if (offset < 0) return false;
    this.#bytes.set(bytes, offset);
    return true;
  }
  read16(address: number): number | undefined {
    const offset = this.#offset(address, 2);
    return offset < 0 ? undefined : this.#view.getUint16(offset, true);
  }
  read32(address: number): number | undefined {
    const offset = this.#offset(address, 4);
    return offset < 0 ? undefined : this.#view.getUint32(offset, true);
  }
  read64(address: number): bigint | undefined {
    const offset = this.#offset(address, 8);
    return offset < 0 ? undefined : this.#view.getBigUint64(offset, true);
  }
  write16(address: number, value: number): boolean {
    const offset = this.#beforeWrite(address, 2);
    if (offset < 0) return false;
    this.#view.setUint16(offset, value, true);
    return true;
  }
  write32(address: number, value: number): boolean {
    const offset = this.#beforeWrite(address, 4);
    if (offset < 0) return false;
    this.#view.setUint32(offset, value, true);
    return true;
  }
  write64(address: number, value: bigint): boolean {
    const offset = this.#beforeWrite(address, 8);
    if (offset < 0) return false;
    this.#view.setBigUint64(offset, value, true);
    return true;
  }
}
