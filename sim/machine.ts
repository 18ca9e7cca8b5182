/**
 * A machine for the simulator and for tests: a few registers that mix at every step, and a small service that uses both
 * doors as a real guest does. It answers frames from a key-value table, writes each value to its disk and flushes before it
 * acknowledges, reads it back now and then, asks for entropy, prints, sends a numbered line at every tick of its timer,
 * and waits when it has nothing to do. Its table lies in its RAM, a few pages, into which it scribbles as it goes.
 * Everything is a pure function of the inputs and their positions.
 *
 * A request frame is 16 bytes: operation, client, key, 0, then request number, value and padding as u32. The service answers
 * with 16 bytes of the same layout, and broadcasts lines as ('L', 0, 0, 0, line number).
 */
import { assert } from '../src/core/base/assert.ts';
import { crc32c } from '../src/core/base/crc32c.ts';
import type { Plain } from '../src/core/devices/device.ts';
import { SavedState } from '../src/core/devices/state.ts';
import type { BlockRequest, Input, Output } from '../src/core/machine/doors.ts';
import type {
  MachineStop,
  OutputListener,
  PendingBlockRequest,
  ReplicatedMachine,
  RunResult,
} from '../src/core/vm/machine-interface.ts';
import { sealSection } from '../src/core/vm/plain-codec.ts';
import { sectionOf } from '../src/core/vm/saved-machine.ts';

export const NET = 1;
export const DISK = 2;
export const CONSOLE = 3;
export const RNG = 4;
export const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;
const RAM_PAGES = 16;
const FRAME_BYTES = 16;
const STATE_KIND = 'SIMM';
const STATE_VERSION = 1;
/** Where in a page the machine scribbles: behind its share of the table. */
const SCRIBBLE_FROM = 2048;

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

/** A put on its way: its sector is being written, then flushed; and read before that, where reads matter. */
interface Put {
  readonly frame: Frame;
  stage: 'read' | 'write' | 'flush';
}

interface Options {
  /** Changes what the machine computes: two machines with different seeds are different machines. */
  readonly seed?: number;
  /** Guest time between two numbered lines, in ticks of 100 ns. */
  readonly linePeriod?: bigint;
  /** Reads each sector before it writes there, at once or in turn, and is another machine for each other byte that it finds. */
  readonly readsFirst?: boolean;
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
  readonly #readsFirst: boolean;
  readonly #linePeriod: bigint;
  readonly #witness: ((output: Output) => void) | undefined;
  #nextLine: bigint;
  /** The position at which the timer fires with the present clock. */
  #linePosition = Number.POSITIVE_INFINITY;
  #lines = 0;
  /** Requests that wait for their turn, and the steps that are left for the first. */
  #work: Frame[] = [];
  #stepsLeft = 0;
  /** The table (one frame a key, spread over the pages) and the scribbles. */
  readonly #ram = new Uint8Array(RAM_PAGES * PAGE_BYTES);
  /** Pages written since they were hashed, and since they were copied; and the hash of each. */
  readonly #unhashed = new Set<number>(Array.from({ length: RAM_PAGES }, (_, page) => page));
  readonly #uncopied = new Set<number>();
  readonly #everWritten = new Set<number>();
  readonly #pageHashes: number[] = Array.from({ length: RAM_PAGES }, () => 0);
  #copying = false;
  readonly #answered = new Map<number, Frame>();
  readonly #puts = new Map<number, Put>();
  readonly #gets = new Map<number, Frame>();
  readonly #inFlight = new Map<number, BlockRequest>();
  #nextId = 1;

  constructor(options: Options = {}) {
    this.#mix = (options.seed ?? 1) | 0;
    this.#readsFirst = options.readsFirst ?? false;
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
    this.hashAhead(RAM_PAGES);
    // Without the checksum at its end: a CRC over bytes and their CRC is the same for all bytes.
    const bytes = this.saveState().subarray(0, -4);
    const ram = crc32c(new Uint8Array(Uint32Array.from(this.#pageHashes).buffer));
    return (BigInt(crc32c(bytes, ram)) << 32n) | BigInt(crc32c(bytes, ram ^ 0x1234_5678));
  }

  hashAhead(pages: number): boolean {
    for (const page of [...this.#unhashed].slice(0, pages)) {
      this.#pageHashes[page] = crc32c(this.#page(page));
      this.#unhashed.delete(page);
    }
    return this.#unhashed.size > 0;
  }

  // ---- a copy of the machine -----------------------------------------------------------------------------------------

  readonly ramPages = RAM_PAGES;

  beginCopy(over: 'anything' | 'zeroes' = 'anything'): void {
    assert(!this.#copying, 'a machine is copied once at a time');
    this.#copying = true;
    for (let page = 0; page < RAM_PAGES; page++) {
      if (over === 'anything' || this.#everWritten.has(page)) this.#uncopied.add(page);
    }
  }

  writtenPages(): Uint32Array<ArrayBuffer> {
    assert(this.#copying, 'written pages are those since the copy began');
    const pages = Uint32Array.from(this.#uncopied).sort();
    this.#uncopied.clear();
    return pages;
  }

  endCopy(): void {
    this.#copying = false;
  }

  readPage(page: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#page(page));
  }

  writePage(page: number, bytes: Uint8Array): void {
    assert(bytes.length === PAGE_BYTES, 'a page of RAM');
    this.#page(page).set(bytes);
    this.#wrote(page);
  }

  saveState(): Uint8Array<ArrayBuffer> {
    const frames = (map: ReadonlyMap<number, Frame>): Plain =>
      [...map].map(([key, frame]) => [key, encodeFrame(frame)] as const);
    return sealSection(STATE_KIND, STATE_VERSION, {
      version: STATE_VERSION,
      position: this.#position,
      mix: this.#mix >>> 0,
      waiting: this.waiting,
      stopped: this.stopped?.reason === 'power' ? this.stopped.action : '',
      clockPosition: this.#clock.position,
      clockTime: this.#clock.time,
      clockSlope: this.#clock.slope,
      nextLine: this.#nextLine,
      lines: this.#lines,
      work: this.#work.map(encodeFrame),
      stepsLeft: this.#stepsLeft,
      nextId: this.#nextId,
      answered: frames(this.#answered),
      gets: frames(this.#gets),
      puts: [...this.#puts].map(([id, put]) => [id, encodeFrame(put.frame), put.stage] as const),
      inFlight: [...this.#inFlight.values()].map((request) => ({ ...request })),
    });
  }

  restoreState(bytes: Uint8Array): void {
    assert(this.#position === 0, 'only a machine that has not run takes over a state');
    const saved = new SavedState('the small machine', STATE_VERSION, sectionOf(STATE_KIND, STATE_VERSION, bytes));
    const uint = (name: string): number => saved.uint(name, Number.MAX_SAFE_INTEGER);
    this.#position = uint('position');
    this.#mix = uint('mix') | 0;
    this.waiting = saved.boolean('waiting');
    const stopped = saved.field('stopped');
    this.stopped = stopped === 'off' || stopped === 'reset' ? { reason: 'power', action: stopped } : undefined;
    this.#clock = { position: uint('clockPosition'), time: saved.bigint('clockTime'), slope: uint('clockSlope') };
    this.#nextLine = saved.bigint('nextLine');
    this.#armTimer();
    this.#lines = uint('lines');
    this.#work = saved.byteStrings('work', FRAME_BYTES).map((frame) => decodeFrame(frame)!);
    this.#stepsLeft = uint('stepsLeft');
    this.#nextId = uint('nextId');
    for (const [name, map] of [
      ['answered', this.#answered],
      ['gets', this.#gets],
    ] as const) {
      for (const item of saved.list(name)) {
        const [key, frame] = item as [number, Uint8Array];
        map.set(key, decodeFrame(frame)!);
      }
    }
    for (const item of saved.list('puts')) {
      const [id, frame, stage] = item as [number, Uint8Array, Put['stage']];
      this.#puts.set(id, { frame: decodeFrame(frame)!, stage });
    }
    for (const item of saved.list('inFlight')) {
      const request = item as unknown as BlockRequest;
      this.#inFlight.set(request.id, request);
    }
  }

  #page(page: number): Uint8Array {
    return this.#ram.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  }

  #wrote(page: number): void {
    this.#unhashed.add(page);
    this.#uncopied.add(page);
    this.#everWritten.add(page);
  }

  #store(key: number, frame: Frame): void {
    this.#ram.set(encodeFrame(frame), tableOffset(key));
    this.#wrote(key % RAM_PAGES);
  }

  /** 0 if nothing was ever put there. */
  #load(key: number): number {
    return new DataView(this.#ram.buffer).getUint32(tableOffset(key) + 8, true);
  }

  #scribble(): void {
    const page = (this.#mix >>> 8) % RAM_PAGES;
    this.#ram[page * PAGE_BYTES + SCRIBBLE_FROM + ((this.#mix >>> 16) & 0x7ff)] = this.#mix;
    this.#wrote(page);
  }

  #step(): void {
    this.#position++;
    this.#mix = (Math.imul(this.#mix ^ (this.#mix >>> 15), 0x2c1b3c6d) + this.#position) | 0;
    if ((this.#mix & 0x7f) === 1) this.#scribble();
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
      const id = this.#readsFirst ? this.#read(frame.key) : undefined;
      if (id !== undefined && (this.#mix & 1) === 0) this.#puts.set(id, { frame, stage: 'read' });
      else this.#write(frame);
    } else if (frame.operation === OP_GET) {
      // A machine that was started again knows only what its disk holds.
      if (frame.request & 1 || this.#load(frame.key) === 0) {
        this.#gets.set(this.#read(frame.key), frame);
      } else {
        this.#answer({ ...frame, value: this.#load(frame.key) });
      }
    }
  }

  #blockDone(id: number, ok: boolean, data: Uint8Array | undefined): void {
    if (!this.#inFlight.delete(id)) return;
    if (this.#readsFirst && data !== undefined) this.#mix ^= crc32c(data);
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
    if (put.stage === 'read') {
      this.#write(put.frame);
    } else if (put.stage === 'write') {
      this.#puts.set(this.#request({ type: 'flush', id: this.#nextId }), { frame: put.frame, stage: 'flush' });
    } else {
      this.#store(put.frame.key, put.frame);
      this.#answer(put.frame);
    }
  }

  #read(key: number): number {
    return this.#request({ type: 'read', id: this.#nextId, offset: key * SECTOR_BYTES, length: SECTOR_BYTES });
  }

  #write(frame: Frame): void {
    const id = this.#request({
      type: 'write',
      id: this.#nextId,
      offset: frame.key * SECTOR_BYTES,
      data: sector(frame),
    });
    this.#puts.set(id, { frame, stage: 'write' });
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

/** The table's keys go round the pages. */
const tableOffset = (key: number): number => (key % RAM_PAGES) * PAGE_BYTES + Math.floor(key / RAM_PAGES) * FRAME_BYTES;

function sector(frame: Frame): Uint8Array {
  const data = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(data.buffer);
  view.setUint32(0, frame.value, true);
  view.setUint32(4, frame.request, true);
  view.setUint32(8, frame.client, true);
  return data;
}
