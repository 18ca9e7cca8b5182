/**
 * A machine for the simulator and for tests: a few registers that mix at every step, and a small service that uses both
 * doors as a real guest does. It answers frames from a key-value table, writes each value to its disk and flushes before it
 * acknowledges, reads it back now and then, asks for entropy, prints, sends a numbered line at every tick of its timer,
 * and waits when it has nothing to do. Everything is a pure function of the inputs and their positions.
 *
 * A request frame is 16 bytes: operation, client, key, 0, then request number, value and padding as u32. The service answers
 * with 16 bytes of the same layout, and broadcasts lines as ('L', 0, 0, 0, line number).
 */
import { ByteWriter } from '../src/core/base/byte-writer.ts';
import { crc32c } from '../src/core/base/crc32c.ts';
import type { BlockRequest, Input, Output } from '../src/core/machine/doors.ts';
import type {
  MachineStop,
  OutputListener,
  PendingBlockRequest,
  ReplicatedMachine,
  RunResult,
} from '../src/core/vm/machine-interface.ts';

export const NET = 1;
export const DISK = 2;
export const CONSOLE = 3;
export const RNG = 4;
export const SECTOR_BYTES = 512;

export const OP_PUT = 0x50;
export const OP_GET = 0x47;
export const OP_LINE = 0x4c;
export const OP_OFF = 0x4f;

export interface Frame {
  readonly operation: number;
  readonly client: number;
  readonly key: number;
  readonly request: number;
  readonly value: number;
}

export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  bytes.set([frame.operation, frame.client, frame.key]);
  view.setUint32(4, frame.request, true);
  view.setUint32(8, frame.value, true);
  return bytes;
}

/** Undefined for a frame that is not of the service. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length !== 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    operation: bytes[0]!,
    client: bytes[1]!,
    key: bytes[2]!,
    request: view.getUint32(4, true),
    value: view.getUint32(8, true),
  };
}

/** A put on its way: its sector is being written, then flushed. */
interface Put {
  readonly frame: Frame;
  stage: 'write' | 'flush';
}

interface Options {
  /** Changes what the machine computes: two machines with different seeds are different machines. */
  readonly seed?: number;
  /** Guest time between two numbered lines, in ticks of 100 ns. */
  readonly linePeriod?: bigint;
  /** Sees every output, whoever owns the machine. */
  readonly witness?: (output: Output) => void;
}

export class SimMachine implements ReplicatedMachine {
  onOutput: OutputListener = () => {};
  stopped: MachineStop | undefined;
  waiting = false;
  #position = 0;
  #mix: number;
  #requested = false;
  #clock = { position: 0, time: 0n, slope: 0 };
  readonly #linePeriod: bigint;
  readonly #witness: ((output: Output) => void) | undefined;
  #nextLine: bigint;
  /** The position at which the timer fires with the present clock. */
  #linePosition = Number.POSITIVE_INFINITY;
  #lines = 0;
  /** Requests that wait for their turn, and the steps that are left for the first. */
  #work: Frame[] = [];
  #stepsLeft = 0;
  readonly #table = new Map<number, Frame>();
  readonly #answered = new Map<number, Frame>();
  readonly #puts = new Map<number, Put>();
  readonly #gets = new Map<number, Frame>();
  readonly #inFlight = new Map<number, BlockRequest>();
  #nextId = 1;

  constructor(options: Options = {}) {
    this.#mix = (options.seed ?? 1) | 0;
    this.#linePeriod = options.linePeriod ?? 1_000_000n;
    this.#nextLine = this.#linePeriod;
    this.#witness = options.witness;
  }

  get position(): bigint {
    return BigInt(this.#position);
  }

  get time(): bigint {
    return this.#timeAt(this.#position);
  }

  inFlightBlockRequests(): readonly PendingBlockRequest[] {
    return [...this.#inFlight.values()].map((request) => ({ device: DISK, request }));
  }

  requestStop(): void {
    this.#requested = true;
  }

  run(until: bigint): RunResult {
    const end = Number(until);
    this.#requested = false;
    while (this.#position < end) {
      if (this.stopped !== undefined) return 'stopped';
      if (this.waiting) return 'waiting';
      if (this.#requested) return 'requested';
      this.#step();
    }
    return this.stopped === undefined ? 'position' : 'stopped';
  }

  apply(input: Input): void {
    this.waiting = false;
    this.#mix = (this.#mix + input.kind.length) | 0;
    switch (input.kind) {
      case 'clock':
        this.#clock = { position: this.#position, time: input.time, slope: input.slope };
        return this.#armTimer();
      case 'net-rx':
        return this.#receive(input.frame);
      case 'block-done':
        return this.#blockDone(input.id, input.ok, input.data);
      case 'console-in':
      case 'entropy':
        this.#mix ^= crc32c(input.data);
        return;
      case 'wall-clock':
        this.#mix ^= Number(input.nanoseconds & 0xffffn);
        return;
      case 'power':
        this.stopped = { reason: 'power', action: input.action };
    }
  }

  /** Changes the state behind the machine's back: a fault that replication must find. */
  corrupt(): void {
    this.#mix ^= 0x5555;
  }

  hash(): bigint {
    const writer = new ByteWriter();
    writer.varint(this.#position);
    writer.u32(this.#mix >>> 0);
    writer.varint64(this.#clock.time);
    writer.varint(this.#clock.slope);
    writer.varint(this.#clock.position);
    writer.varint64(this.#nextLine);
    writer.varint(this.#lines);
    writer.varint(this.#stepsLeft);
    writer.varint(this.#nextId);
    writer.u8((this.waiting ? 1 : 0) | (this.stopped === undefined ? 0 : 2));
    for (const frame of this.#work) writer.raw(encodeFrame(frame));
    for (const map of [this.#table, this.#answered, this.#gets]) {
      writer.varint(map.size);
      for (const [key, frame] of map) {
        writer.varint(key);
        writer.raw(encodeFrame(frame));
      }
    }
    for (const [id, put] of this.#puts) {
      writer.varint(id);
      writer.u8(put.stage === 'write' ? 0 : 1);
      writer.raw(encodeFrame(put.frame));
    }
    for (const id of this.#inFlight.keys()) writer.varint(id);
    const bytes = writer.peek();
    return (BigInt(crc32c(bytes)) << 32n) | BigInt(crc32c(bytes, 0x1234_5678));
  }

  #step(): void {
    this.#position++;
    this.#mix = (Math.imul(this.#mix ^ (this.#mix >>> 15), 0x2c1b3c6d) + this.#position) | 0;
    if (this.#position >= this.#linePosition) this.#line();
    if (this.#work.length > 0) {
      if (this.#stepsLeft-- === 0) this.#serve(this.#work.shift()!);
    } else if ((this.#mix & 0x3f) === 0) {
      this.waiting = true;
    } else if ((this.#mix & 0x1ff_00) === 0x100) {
      this.#emit({ kind: 'entropy', device: RNG, id: this.#nextId++, length: 8 });
    } else if ((this.#mix & 0x1ff_00) === 0x200) {
      this.#emit({ kind: 'console-out', device: CONSOLE, data: Uint8Array.of(0x2e, this.#mix & 0x7f) });
    }
  }

  #timeAt(position: number): bigint {
    return this.#clock.time + ((BigInt(position - this.#clock.position) * BigInt(this.#clock.slope)) >> 32n);
  }

  #armTimer(): void {
    const ticks = this.#nextLine - this.#clock.time;
    if (ticks <= 0n) this.#linePosition = this.#position;
    else if (this.#clock.slope === 0) this.#linePosition = Number.POSITIVE_INFINITY;
    else this.#linePosition = this.#clock.position + Number((ticks << 32n) / BigInt(this.#clock.slope)) + 1;
  }

  #line(): void {
    this.#nextLine += this.#linePeriod;
    this.#armTimer();
    this.#lines++;
    this.#send({ operation: OP_LINE, client: 0, key: 0, request: this.#lines, value: 0 });
  }

  #receive(bytes: Uint8Array): void {
    this.#mix ^= crc32c(bytes);
    const frame = decodeFrame(bytes);
    if (frame === undefined) return;
    if (this.#work.length === 0) this.#stepsLeft = this.#mix & 7;
    this.#work.push(frame);
  }

  #serve(frame: Frame): void {
    this.#stepsLeft = this.#mix & 7;
    const last = this.#answered.get(frame.client);
    if (frame.operation === OP_OFF) {
      this.#emit({ kind: 'power', action: 'off' });
      this.stopped = { reason: 'power', action: 'off' };
    } else if (last !== undefined && last.request >= frame.request) {
      // A client that asks again what was answered gets the same answer.
      if (last.request === frame.request) this.#send(last);
    } else if (frame.operation === OP_PUT) {
      if ([...this.#puts.values()].some((put) => put.frame.client === frame.client)) return;
      const id = this.#request({
        type: 'write',
        id: this.#nextId,
        offset: frame.key * SECTOR_BYTES,
        data: sector(frame),
      });
      this.#puts.set(id, { frame, stage: 'write' });
    } else if (frame.operation === OP_GET) {
      if (frame.request & 1) {
        const id = this.#request({
          type: 'read',
          id: this.#nextId,
          offset: frame.key * SECTOR_BYTES,
          length: SECTOR_BYTES,
        });
        this.#gets.set(id, frame);
      } else {
        this.#answer({ ...frame, value: this.#table.get(frame.key)?.value ?? 0 });
      }
    }
  }

  #blockDone(id: number, ok: boolean, data: Uint8Array | undefined): void {
    if (!this.#inFlight.delete(id)) return;
    const get = this.#gets.get(id);
    if (get !== undefined) {
      this.#gets.delete(id);
      if (ok && data !== undefined)
        this.#answer({ ...get, value: new DataView(data.buffer, data.byteOffset).getUint32(0, true) });
      return;
    }
    const put = this.#puts.get(id);
    if (put === undefined) return;
    this.#puts.delete(id);
    if (!ok) return;
    if (put.stage === 'write') {
      this.#puts.set(this.#request({ type: 'flush', id: this.#nextId }), { frame: put.frame, stage: 'flush' });
    } else {
      this.#table.set(put.frame.key, put.frame);
      this.#answer(put.frame);
    }
  }

  #answer(frame: Frame): void {
    this.#answered.set(frame.client, frame);
    this.#send(frame);
  }

  #send(frame: Frame): void {
    this.#emit({ kind: 'net-tx', device: NET, frame: encodeFrame(frame) });
  }

  #request(request: BlockRequest): number {
    this.#nextId++;
    this.#inFlight.set(request.id, request);
    this.#emit({ kind: 'block', device: DISK, request });
    return request.id;
  }

  #emit(output: Output): void {
    this.#witness?.(output);
    this.onOutput(output, BigInt(this.#position));
  }
}

function sector(frame: Frame): Uint8Array {
  const data = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(data.buffer);
  view.setUint32(0, frame.value, true);
  view.setUint32(4, frame.request, true);
  view.setUint32(8, frame.client, true);
  return data;
}
