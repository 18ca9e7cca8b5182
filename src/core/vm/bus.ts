/** Finds the device behind a physical address. Devices see accesses of at most 4 bytes; larger ones come low half first. */
import type { Device } from '../devices/device.ts';

interface Window {
  readonly base: number;
  readonly length: number;
  readonly device: Device;
}

export class Bus {
  readonly #windows: Window[] = [];

  attach(base: number, length: number, device: Device): void {
    this.#windows.push({ base, length, device });
  }

  #find(address: number, size: number): Window | undefined {
    for (const window of this.#windows) {
      const offset = address - window.base;
      if (offset >= 0 && offset + size <= window.length) return window;
    }
    return undefined;
  }

  /** Low and high word into `into`; false if there is no device. */
  read(address: number, size: number, into: [low: number, high: number]): boolean {
    const window = this.#find(address, size);
    if (window === undefined) return false;
    const offset = address - window.base;
    into[0] = window.device.read(offset, Math.min(size, 4));
    into[1] = size === 8 ? window.device.read(offset + 4, 4) : 0;
    return true;
  }

  write(address: number, size: number, low: number, high: number): boolean {
    const window = this.#find(address, size);
    if (window === undefined) return false;
    const offset = address - window.base;
    const masked = size < 4 ? low & ((1 << (size * 8)) - 1) : low >>> 0;
    window.device.write(offset, Math.min(size, 4), masked);
    if (size === 8) window.device.write(offset + 4, 4, high >>> 0);
    return true;
  }
}
