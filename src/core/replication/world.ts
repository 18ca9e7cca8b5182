/**
 * The owner's hands: performs outputs and takes answers. Disk requests go out in a safe order, only while the disk has
 * admitted this replica's generation (PROTOCOL.md, 2), and are issued again in the next one if they are unanswered.
 */
import type { Input } from '../machine/doors.ts';
import type { PendingBlockRequest } from '../vm/machine-interface.ts';
import { BlockOrder } from './block-order.ts';
import type { NumberedOutput } from './cpu-link.ts';
import { ReadsAtBackup } from './reads-at-backup.ts';
import type { ReplicaAction, ReplicaEvent } from './replica.ts';

export class World {
  readonly #reads = new ReadsAtBackup();
  readonly #order = new BlockOrder();
  /** Places of unanswered flushes among the machine's outputs. */
  readonly #places = new Map<string, number>();
  /** The generation that the disk has admitted; undefined while none is, or while this replica is leaving it. */
  #admitted: number | undefined;

  get admitted(): number | undefined {
    return this.#admitted;
  }

  /** Whether every disk request is answered. */
  get idle(): boolean {
    return this.#order.size === 0;
  }

  /** Performs `outputs`, which may leave, as the owner of `generation`. */
  perform(outputs: readonly NumberedOutput[], generation: number): ReplicaAction[] {
    const actions: ReplicaAction[] = [];
    const emitted = outputs.filter(({ output }) => output.kind !== 'block');
    if (emitted.length > 0) actions.push({ type: 'emit', generation, outputs: emitted });
    for (const { output, sequence } of outputs) {
      if (output.kind !== 'block') continue;
      if (output.request.type === 'flush') this.#places.set(`${output.device} ${output.request.id}`, sequence);
      const pending = { device: output.device, request: output.request };
      actions.push(...this.#issue(this.#order.submit(pending, this.#reads.place(sequence, pending))));
    }
    return actions;
  }

  /** Takes over requests that another owner's machine had in flight, in the order of their submission. */
  adopt(requests: readonly PendingBlockRequest[]): void {
    for (const request of requests) this.#order.submit(request);
  }

  /** The input that an answer makes, if it answers something; a flush's place, if known; and what may be issued now. */
  answer(event: ReplicaEvent & { type: 'disk-answer' }): {
    input: Input | undefined;
    sequence?: number | undefined;
    actions: ReplicaAction[];
  } {
    const { device, id } = event;
    // An answer of an earlier generation, after the request was issued again in this one, is one too many.
    const stale = this.#admitted !== undefined && event.generation !== this.#admitted;
    if (stale || !this.#order.has(device, id)) return { input: undefined, actions: [] };
    if (event.data !== undefined) this.#reads.answered(device, id, event.data);
    const done = { kind: 'block-done', device, id, ok: event.outcome === 'ok' } as const;
    const input = event.data === undefined ? done : { ...done, data: event.data };
    const key = `${device} ${id}`;
    const sequence = this.#places.get(key);
    this.#places.delete(key);
    return { input, sequence, actions: this.#issue(this.#order.done(device, id)) };
  }

  /** Behind this output a backup does reads by itself: writes that overlap them wait for it (23). */
  readAtBackup(sequence: number): void {
    this.#reads.begin(sequence);
  }

  /** The backup has done all reads up to this place; undefined: none counts any more. Returns what may be issued now. */
  readsDone(place: number | undefined): ReplicaAction[] {
    if (place !== undefined) this.#reads.done(place);
    return this.#issue(this.#order.readsDone(place ?? this.#reads.end()));
  }

  /** What was read at this place, if it is still kept for the backup. */
  keptRead(place: number): Uint8Array | undefined {
    return this.#reads.data(place);
  }

  /** No disk request goes out any more; answers still count. */
  close(): void {
    this.#admitted = undefined;
  }

  /** The disk has admitted `generation`: everything unanswered is issued in it. */
  open(generation: number): ReplicaAction[] {
    this.#admitted = generation;
    return this.#issue(this.#order.started());
  }

  #issue(requests: readonly PendingBlockRequest[]): ReplicaAction[] {
    const generation = this.#admitted;
    if (generation === undefined) return [];
    return requests.map(({ device, request }) => {
      const sequence = this.#places.get(`${device} ${request.id}`);
      const at = sequence === undefined ? {} : { sequence };
      return { type: 'disk', generation, device, request, ...at };
    });
  }
}
