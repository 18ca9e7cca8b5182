/**
 * The virtio entropy device (virtio 1.2, 5.4; device id 4). Randomness is an input of the machine: each buffer of the
 * driver leaves as an `entropy` output, and its bytes come back as an input that is in the log.
 *
 * Like block requests, those in flight are part of the state, bounded in number, and orphans after a reset.
 */
import type { Output } from '../../machine/doors.ts';
import type { Device, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import { flatten, type Segment, scatter, unflatten } from './chain.ts';
import { QUEUE_MAX_SIZE } from './queue.ts';
import { type VirtioDependencies, type VirtioModel, VirtioTransport } from './transport.ts';

const VERSION = 1;

/** The most bytes of one request; a larger buffer is filled in part, as the specification allows. */
export const ENTROPY_MAX_REQUEST_BYTES = 1024;
export const ENTROPY_MAX_IN_FLIGHT = 64;

export interface VirtioEntropyOptions {
  /** The device's slot, named in its outputs. */
  readonly device: number;
}

export type EntropyRequest = Extract<Output, { kind: 'entropy' }>;

interface InFlight {
  readonly id: number;
  readonly length: number;
  readonly head: number;
  readonly target: readonly Segment[];
  /** The driver has reset the device since: the bytes are thrown away. */
  orphan: boolean;
}

export class VirtioEntropy implements Device, VirtioModel {
  readonly name = 'virtio entropy';
  readonly deviceId = 4;
  readonly queueCount = 1;
  readonly features: readonly number[] = [];
  readonly config = new Uint8Array(0);
  readonly #device: number;
  readonly #dependencies: VirtioDependencies;
  readonly #transport: VirtioTransport;
  /** By id, in the order of submission. */
  readonly #inFlight = new Map<number, InFlight>();
  #nextId = 0;

  constructor(options: VirtioEntropyOptions, dependencies: VirtioDependencies) {
    this.#device = options.device;
    this.#dependencies = dependencies;
    this.#transport = new VirtioTransport(this, dependencies);
  }

  /** The requests without an answer, in the order of submission, to be issued again after a take-over. */
  inFlight(): EntropyRequest[] {
    return Array.from(this.#inFlight.values(), ({ id, length }) => this.#output(id, length));
  }

  /** Applies an answer. False, and nothing changes, if there is no such request or the length is another. */
  complete(id: number, data: Uint8Array): boolean {
    const entry = this.#inFlight.get(id);
    if (entry === undefined || entry.length !== data.length) return false;
    this.#inFlight.delete(id);
    if (!entry.orphan && this.#transport.live) this.#finish(entry, data);
    this.#start();
    return true;
  }

  read(offset: number, size: number): number {
    return this.#transport.read(offset, size);
  }

  write(offset: number, size: number, value: number): void {
    this.#transport.write(offset, size, value);
  }

  notified(): void {
    this.#start();
  }

  wasReset(): void {
    for (const entry of this.#inFlight.values()) entry.orphan = true;
  }

  save(): Plain {
    return {
      version: VERSION,
      transport: this.#transport.save(),
      nextId: this.#nextId,
      inFlight: Array.from(this.#inFlight.values(), (entry) => ({
        version: VERSION,
        id: entry.id,
        length: entry.length,
        head: entry.head,
        target: flatten(entry.target),
        orphan: entry.orphan,
      })),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState(this.name, VERSION, state);
    this.#transport.restore(saved.field('transport'));
    this.#nextId = saved.uint('nextId', Number.MAX_SAFE_INTEGER);
    this.#inFlight.clear();
    for (const item of saved.list('inFlight')) {
      const fields = new SavedState('virtio entropy request', VERSION, item);
      const id = fields.uint('id', Number.MAX_SAFE_INTEGER);
      this.#inFlight.set(id, {
        id,
        length: fields.uint('length', ENTROPY_MAX_REQUEST_BYTES),
        head: fields.uint('head', QUEUE_MAX_SIZE - 1),
        target: unflatten(fields.uints('target', 2 ** 64)),
        orphan: fields.boolean('orphan'),
      });
    }
  }

  #output(id: number, length: number): EntropyRequest {
    return { kind: 'entropy', device: this.#device, id, length };
  }

  #start(): void {
    if (!this.#transport.live) return;
    const queue = this.#transport.queues[0];
    for (let left = queue.available(); left > 0; left--) {
      if (this.#inFlight.size >= ENTROPY_MAX_IN_FLIGHT) return;
      const chain = queue.pop();
      if (chain === undefined) return;
      const length = Math.min(chain.writableBytes, ENTROPY_MAX_REQUEST_BYTES);
      if (length === 0) {
        // Nothing to write into; the specification asks for at least one byte (5.4.6.1).
        this.#transport.needsReset();
        return;
      }
      const id = this.#nextId++;
      this.#inFlight.set(id, { id, length, head: chain.head, target: chain.writable, orphan: false });
      this.#dependencies.emit(this.#output(id, length));
    }
    queue.wantNotification();
  }

  #finish(entry: InFlight, data: Uint8Array): void {
    if (!scatter(this.#dependencies.memory, entry.target, data)) {
      this.#transport.needsReset();
      return;
    }
    const queue = this.#transport.queues[0];
    queue.push(entry.head, data.length);
    queue.signal();
  }
}
