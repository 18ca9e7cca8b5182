/**
 * The host-target interface of bare-metal RISC-V programs: a 64-bit word at the symbol `tohost`. Device 0 with bit 0 set
 * ends the program (exit status in the other bits); device 1, command 1 puts a character. The word is cleared after.
 */
import type { GuestRam } from '../machine/ram.ts';

export interface HtifEvents {
  exit(status: bigint): void;
  character(code: number): void;
}

export class Htif {
  readonly #address: number;
  readonly #ram: GuestRam;
  readonly #events: HtifEvents;

  constructor(address: number, ram: GuestRam, events: HtifEvents) {
    this.#address = address;
    this.#ram = ram;
    this.#events = events;
  }

  /** A store of `size` bytes went to this physical address. */
  stored(address: number, size: number): void {
    if (address >= this.#address + 8 || address + size <= this.#address || size < 4) return;
    const word = this.#ram.read64(this.#address) ?? 0n;
    if (word === 0n) return;
    const device = Number(word >> 56n);
    const command = Number((word >> 48n) & 255n);
    const payload = word & 0xffff_ffff_ffffn;
    if (device === 0 && command === 0 && (payload & 1n) !== 0n) this.#events.exit(payload >> 1n);
    else if (device === 1 && command === 1) this.#events.character(Number(payload & 255n));
    this.#ram.write64(this.#address, 0n);
  }
}
