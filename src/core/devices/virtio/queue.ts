/**
 * A split virtqueue (virtio 1.2, 2.7) seen from the device, with indirect descriptors (2.7.5.3) and the event index
 * (2.7.7, 2.7.10).
 *
 * The rings are the guest's memory, so every number in them may be a lie. Nothing here loops longer than a ring or a
 * table has entries, nothing allocates by a length that the guest names, and whatever breaks the rules calls `broken`:
 * the device then asks for a reset. Reading the available index once for each round bounds the round, also when a
 * buffer overlaps the ring itself.
 */
import type { GuestMemory, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import type { Chain } from './chain.ts';

const VERSION = 1;

/** The most entries of a queue, and of an indirect table. */
export const QUEUE_MAX_SIZE = 256;

const DESCRIPTOR_BYTES = 16;
const FLAG_NEXT = 1;
const FLAG_WRITE = 2;
const FLAG_INDIRECT = 4;
const AVAILABLE_NO_INTERRUPT = 1;
const MAX_CHAIN_BYTES = 2 ** 32;

/** The parts of a queue in guest memory, in the order of the transport's registers. */
export type QueueArea = 'descriptors' | 'driver' | 'device';

/** What was negotiated; one object for all queues, which the transport changes. */
export interface QueueFeatures {
  indirect: boolean;
  eventIndex: boolean;
}

export interface QueueDependencies {
  readonly memory: GuestMemory;
  readonly features: QueueFeatures;
  /** The driver broke the rules of the queue. */
  broken(): void;
  /** Buffers have been used and the driver wants to hear of it. */
  used(): void;
}

interface Descriptor {
  readonly address: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

export class VirtQueue {
  readonly #dependencies: QueueDependencies;
  readonly #memory: GuestMemory;
  #size = 0;
  #ready = false;
  readonly #areas: Record<QueueArea, number> = { descriptors: 0, driver: 0, device: 0 };
  /** Free-running 16-bit indices: next entry to take, next to give back, and the last one told to the driver. */
  #nextAvailable = 0;
  #nextUsed = 0;
  #signalledUsed = 0;

  constructor(dependencies: QueueDependencies) {
    this.#dependencies = dependencies;
    this.#memory = dependencies.memory;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Sets the number of entries; ignored once the queue is ready. */
  setSize(size: number): void {
    if (!this.#ready) this.#size = size;
  }

  /** Sets half of the address of an area; ignored once the queue is ready. */
  setAddress(area: QueueArea, high: boolean, half: number): void {
    if (this.#ready) return;
    const old = this.#areas[area];
    // A number above 2^53 is not exact, but no such address is in RAM either.
    const oldLow = old % 2 ** 32;
    this.#areas[area] = high ? half * 2 ** 32 + oldLow : old - oldLow + half;
  }

  /** Starts the queue; false if its size or the alignment of its areas breaks the rules. */
  start(): boolean {
    const size = this.#size;
    if (size === 0 || size > QUEUE_MAX_SIZE || (size & (size - 1)) !== 0) return false;
    const { descriptors, driver, device } = this.#areas;
    if (descriptors % 16 !== 0 || driver % 2 !== 0 || device % 4 !== 0) return false;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
    this.#signalledUsed = 0;
    this.#ready = true;
    return true;
  }

  stop(): void {
    this.#ready = false;
  }

  reset(): void {
    this.#ready = false;
    this.#size = 0;
    for (const area of ['descriptors', 'driver', 'device'] as const) this.#areas[area] = 0;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
    this.#signalledUsed = 0;
  }

  /** How many chains wait to be popped: the bound of the caller's loop. */
  available(): number {
    if (!this.#ready) return 0;
    const index = this.#memory.read16(this.#areas.driver + 2);
    if (index === undefined) return this.#fail() ?? 0;
    const count = (index - this.#nextAvailable) & 0xffff;
    return count <= this.#size ? count : (this.#fail() ?? 0);
  }

  /** Takes the next chain, which `available` has counted; undefined if it is broken. */
  pop(): Chain | undefined {
    const slot = this.#nextAvailable & (this.#size - 1);
    const head = this.#memory.read16(this.#areas.driver + 4 + 2 * slot);
    if (head === undefined || head >= this.#size) return this.#fail();
    const chain = this.#walk(head);
    if (chain === undefined) return this.#fail();
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return chain;
  }

  /** Puts the chain popped last back, as if it had not been taken. */
  unpop(): void {
    this.#nextAvailable = (this.#nextAvailable - 1) & 0xffff;
  }

  /** Asks the driver to notify when it adds a buffer beyond those popped so far (only the event index needs asking). */
  wantNotification(): void {
    if (!this.#ready || !this.#dependencies.features.eventIndex) return;
    const availableEvent = this.#areas.device + 4 + 8 * this.#size;
    if (!this.#memory.write16(availableEvent, this.#nextAvailable)) this.#fail();
  }

  /** Gives a chain back, with the number of bytes written into it. `signal` tells the driver. */
  push(head: number, writtenBytes: number): void {
    if (!this.#ready) return;
    const entry = this.#areas.device + 4 + 8 * (this.#nextUsed & (this.#size - 1));
    const next = (this.#nextUsed + 1) & 0xffff;
    const written =
      this.#memory.write32(entry, head) &&
      this.#memory.write32(entry + 4, writtenBytes) &&
      this.#memory.write16(this.#areas.device + 2, next);
    if (written) this.#nextUsed = next;
    else this.#fail();
  }

  /** Interrupts the driver for what was pushed since the last call, if it wants that. */
  signal(): void {
    const old = this.#signalledUsed;
    const now = this.#nextUsed;
    if (!this.#ready || old === now) return;
    this.#signalledUsed = now;
    if (this.#dependencies.features.eventIndex) {
      const event = this.#memory.read16(this.#areas.driver + 4 + 2 * this.#size);
      if (event === undefined) this.#fail();
      else if (((now - event - 1) & 0xffff) < ((now - old) & 0xffff)) this.#dependencies.used();
    } else {
      const flags = this.#memory.read16(this.#areas.driver);
      if (flags === undefined) this.#fail();
      else if ((flags & AVAILABLE_NO_INTERRUPT) === 0) this.#dependencies.used();
    }
  }

  save(): Plain {
    return {
      version: VERSION,
      size: this.#size,
      ready: this.#ready,
      descriptors: this.#areas.descriptors,
      driver: this.#areas.driver,
      device: this.#areas.device,
      nextAvailable: this.#nextAvailable,
      nextUsed: this.#nextUsed,
      signalledUsed: this.#signalledUsed,
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState('virtqueue', VERSION, state);
    this.#size = saved.uint('size', 0xffff_ffff);
    this.#ready = saved.boolean('ready');
    for (const area of ['descriptors', 'driver', 'device'] as const) this.#areas[area] = saved.uint(area, 2 ** 64);
    this.#nextAvailable = saved.uint('nextAvailable', 0xffff);
    this.#nextUsed = saved.uint('nextUsed', 0xffff);
    this.#signalledUsed = saved.uint('signalledUsed', 0xffff);
  }

  #fail(): undefined {
    this.#dependencies.broken();
  }

  /** Follows a chain from its head; undefined if it breaks a rule. */
  #walk(head: number): Chain | undefined {
    const chain: Chain = { head, readable: [], writable: [], readableBytes: 0, writableBytes: 0 };
    let index = head;
    for (let steps = 0; steps < this.#size; steps++) {
      const descriptor = this.#descriptor(index);
      if (descriptor === undefined) return undefined;
      if ((descriptor.flags & FLAG_INDIRECT) !== 0) return this.#walkTable(descriptor, chain);
      if (!append(chain, descriptor)) return undefined;
      if ((descriptor.flags & FLAG_NEXT) === 0) return chain;
      index = descriptor.next;
      if (index >= this.#size) return undefined;
    }
    return undefined; // A loop: longer than the queue has descriptors.
  }

  /** Follows the chain in an indirect table, which ends the whole chain. */
  #walkTable(table: Descriptor, chain: Chain): Chain | undefined {
    if (!this.#dependencies.features.indirect || (table.flags & FLAG_NEXT) !== 0) return undefined;
    const entries = table.length / DESCRIPTOR_BYTES;
    if (!Number.isInteger(entries) || entries === 0 || entries > QUEUE_MAX_SIZE) return undefined;
    const bytes = this.#memory.read(table.address, table.length);
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let index = 0;
    for (let steps = 0; steps < entries; steps++) {
      const descriptor = decode(view, index * DESCRIPTOR_BYTES);
      if ((descriptor.flags & FLAG_INDIRECT) !== 0 || !append(chain, descriptor)) return undefined;
      if ((descriptor.flags & FLAG_NEXT) === 0) return chain;
      index = descriptor.next;
      if (index >= entries) return undefined;
    }
    return undefined;
  }

  #descriptor(index: number): Descriptor | undefined {
    const bytes = this.#memory.read(this.#areas.descriptors + index * DESCRIPTOR_BYTES, DESCRIPTOR_BYTES);
    if (bytes === undefined) return undefined;
    return decode(new DataView(bytes.buffer, bytes.byteOffset, DESCRIPTOR_BYTES), 0);
  }
}

function decode(view: DataView, at: number): Descriptor {
  return {
    address: view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32,
    length: view.getUint32(at + 8, true),
    flags: view.getUint16(at + 12, true),
    next: view.getUint16(at + 14, true),
  };
}

/** Adds a buffer to the chain; false if it breaks the order or the total length (virtio 1.2, 2.7.4.2 and 2.7.5.2). */
function append(chain: Chain, descriptor: Descriptor): boolean {
  const { address, length } = descriptor;
  if ((descriptor.flags & FLAG_WRITE) !== 0) {
    chain.writable.push({ address, length });
    chain.writableBytes += length;
  } else {
    if (chain.writable.length > 0) return false;
    chain.readable.push({ address, length });
    chain.readableBytes += length;
  }
  return chain.readableBytes + chain.writableBytes <= MAX_CHAIN_BYTES;
}
