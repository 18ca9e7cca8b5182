/**
 * The guest's side of virtio for tests: a small driver that negotiates, lays out split virtqueues in memory, and hands
 * buffers to a device through its registers, as a kernel would. It is written from the specification's driver
 * requirements (virtio 1.2, 2.7 and 3.1) and shares no code with the devices.
 */
import type { Output } from '../../machine/doors.ts';
import type { Device } from '../device.ts';
import { RAM_BASE, TestMemory } from '../memory.test-support.ts';
import type { VirtioDependencies } from './transport.ts';

export const FEATURE_INDIRECT = 28;
export const FEATURE_EVENT_INDEX = 29;
export const FEATURE_VERSION_1 = 32;

/** The world around a device: memory, the level of its line with a count of its rises, and what it has put out. */
export class TestWorld {
  readonly memory = new TestMemory();
  readonly outputs: Output[] = [];
  line = false;
  rises = 0;

  get dependencies(): VirtioDependencies {
    return {
      memory: this.memory,
      interrupt: (asserted) => {
        if (asserted && !this.line) this.rises += 1;
        this.line = asserted;
      },
      emit: (output) => this.outputs.push(output),
    };
  }

  /** Takes the outputs of one kind, in order, and forgets all. */
  take<Kind extends Output['kind']>(kind: Kind): Extract<Output, { kind: Kind }>[] {
    const taken = this.outputs.filter((output): output is Extract<Output, { kind: Kind }> => output.kind === kind);
    this.outputs.length = 0;
    return taken;
  }
}

/** A buffer as the driver offers it. */
export interface Buffer {
  readonly address: number;
  readonly length: number;
  readonly writable: boolean;
}

/** One virtqueue in the guest's memory. */
export class DriverQueue {
  readonly index: number;
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  readonly #driver: Driver;
  #free: number[];
  #availableIndex = 0;
  #usedIndex = 0;

  constructor(driver: Driver, index: number, size: number, address: number) {
    this.#driver = driver;
    this.index = index;
    this.size = size;
    this.descriptors = address;
    this.available = address + 0x2000;
    this.used = address + 0x3000;
    this.#free = Array.from({ length: size }, (_, at) => at);
  }

  /** Makes one chain available, in direct descriptors; returns its head. The device is not notified. */
  add(buffers: readonly Buffer[]): number {
    const indices = this.#free.splice(0, buffers.length);
    for (const [at, buffer] of buffers.entries()) {
      const next = indices[at + 1];
      const flags = (next === undefined ? 0 : 1) | (buffer.writable ? 2 : 0);
      this.writeDescriptor(this.descriptors + 16 * indices[at], buffer.address, buffer.length, flags, next ?? 0);
    }
    this.makeAvailable(indices[0]);
    return indices[0];
  }

  /** Makes one chain available through an indirect table at `table`; returns its head. */
  addIndirect(buffers: readonly Buffer[], table: number): number {
    const head = this.#free.splice(0, 1)[0];
    for (const [at, buffer] of buffers.entries()) {
      const last = at === buffers.length - 1;
      const flags = (last ? 0 : 1) | (buffer.writable ? 2 : 0);
      this.writeDescriptor(table + 16 * at, buffer.address, buffer.length, flags, last ? 0 : at + 1);
    }
    this.writeDescriptor(this.descriptors + 16 * head, table, 16 * buffers.length, 4, 0);
    this.makeAvailable(head);
    return head;
  }

  writeDescriptor(at: number, address: number, length: number, flags: number, next: number): void {
    const { memory } = this.#driver.world;
    memory.write64(at, BigInt(address));
    memory.write32(at + 8, length);
    memory.write16(at + 12, flags);
    memory.write16(at + 14, next);
  }

  makeAvailable(head: number): void {
    const { memory } = this.#driver.world;
    memory.write16(this.available + 4 + 2 * (this.#availableIndex % this.size), head);
    this.#availableIndex = (this.#availableIndex + 1) & 0xffff;
    memory.write16(this.available + 2, this.#availableIndex);
  }

  notify(): void {
    this.#driver.device.write(0x50, 4, this.index);
  }

  /** The chains given back since the last call. */
  collect(): { head: number; written: number }[] {
    const { memory } = this.#driver.world;
    const collected: { head: number; written: number }[] = [];
    const end = memory.read16(this.used + 2) ?? 0;
    while (this.#usedIndex !== end) {
      const entry = this.used + 4 + 8 * (this.#usedIndex % this.size);
      const head = memory.read32(entry) ?? 0;
      collected.push({ head, written: memory.read32(entry + 4) ?? 0 });
      this.#release(head);
      this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    }
    return collected;
  }

  /** Event index: interrupt when the used index passes this (virtio 1.2, 2.7.7). */
  setUsedEvent(index: number): void {
    this.#driver.world.memory.write16(this.available + 4 + 2 * this.size, index);
  }

  /** Event index: where the device wants the next notification (virtio 1.2, 2.7.10). */
  availableEvent(): number {
    return this.#driver.world.memory.read16(this.used + 4 + 8 * this.size) ?? -1;
  }

  #release(head: number): void {
    const { memory } = this.#driver.world;
    let index = head;
    for (;;) {
      this.#free.push(index);
      const flags = memory.read16(this.descriptors + 16 * index + 12) ?? 0;
      if ((flags & 1) === 0) return;
      index = memory.read16(this.descriptors + 16 * index + 14) ?? 0;
    }
  }
}

/** Drives one device through its registers. */
export class Driver {
  readonly world: TestWorld;
  readonly queues: DriverQueue[] = [];
  /** The device behind the registers; replaced when a test goes on with a restored copy. */
  device: Device;

  constructor(world: TestWorld, device: Device) {
    this.world = world;
    this.device = device;
  }

  offered(): number[] {
    const features: number[] = [];
    for (let word = 0; word < 2; word++) {
      this.device.write(0x14, 4, word);
      const bits = this.device.read(0x10, 4);
      for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) features.push(word * 32 + bit);
    }
    return features;
  }

  /** The sequence of virtio 1.2, 3.1.1. Accepts `features`, or all that are offered. */
  start(queueCount: number, features: readonly number[] = this.offered(), queueSize = 64): this {
    this.setStatus(0);
    this.setStatus(1);
    this.setStatus(3);
    this.accept(features);
    this.setStatus(3 | 8);
    this.queues.length = 0;
    for (let index = 0; index < queueCount; index++) this.setUpQueue(index, queueSize);
    this.setStatus(3 | 8 | 4);
    return this;
  }

  accept(features: readonly number[]): void {
    for (let word = 0; word < 2; word++) {
      let bits = 0;
      for (const feature of features) if (feature >>> 5 === word) bits |= 1 << (feature & 31);
      this.device.write(0x24, 4, word);
      this.device.write(0x20, 4, bits >>> 0);
    }
  }

  setUpQueue(index: number, size: number): void {
    const queue = new DriverQueue(this, index, size, RAM_BASE + 0x10_0000 + index * 0x1_0000);
    this.world.memory.write(queue.descriptors, new Uint8Array(0x5000));
    const { device } = this;
    device.write(0x30, 4, index);
    device.write(0x38, 4, size);
    for (const [register, address] of [
      [0x80, queue.descriptors],
      [0x90, queue.available],
      [0xa0, queue.used],
    ]) {
      device.write(register, 4, address);
      device.write(register + 4, 4, 0);
    }
    device.write(0x44, 4, 1);
    this.queues[index] = queue;
  }

  status(): number {
    return this.device.read(0x70, 4);
  }

  setStatus(value: number): void {
    this.device.write(0x70, 4, value);
  }

  /** Reads the cause of the interrupt and acknowledges it. */
  acknowledge(): number {
    const cause = this.device.read(0x60, 4);
    this.device.write(0x64, 4, cause);
    return cause;
  }
}

/** A small seeded generator (a 32-bit xorshift), so that a failing run can be repeated. */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** A whole number in 0 .. below-1. */
  next(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.next(choices.length)];
  }
}
