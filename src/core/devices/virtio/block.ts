/**
 * The virtio block device (virtio 1.2, 5.2; device id 2).
 *
 * Disk I/O goes through bounce buffers. At the notify instruction the data of a write is copied out of guest memory and
 * the request leaves as a `block` output; a read's data enters guest memory only when its completion is applied, at an
 * exact position. No host thread ever touches guest memory while the guest runs.
 *
 * Requests in flight are part of the state, with their data: whoever takes the machine over issues those without a
 * completion again. A reset by the driver cannot call a request back, so it stays in the table as an orphan until its
 * completion comes, and then touches nothing. The table is bounded in number and in bytes; beyond that the device
 * leaves chains in the queue until completions make room.
 */
import type { BlockRequest } from '../../machine/doors.ts';
import type { Device, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import { type Chain, flatten, gather, type Segment, scatter, unflatten } from './chain.ts';
import { QUEUE_MAX_SIZE } from './queue.ts';
import { type VirtioDependencies, type VirtioModel, VirtioTransport } from './transport.ts';

const VERSION = 1;

export const SECTOR_BYTES = 512;
/** The most data of one request; a longer one fails with an I/O error. */
export const BLOCK_MAX_REQUEST_BYTES = 1_048_576;
/** No request is started while this many are in flight, or while those in flight hold this much data. */
export const BLOCK_MAX_IN_FLIGHT = 256;
export const BLOCK_MAX_IN_FLIGHT_BYTES = 16 * 1_048_576;

/** With the header and the status byte a request of this many segments fills a queue or an indirect table. */
const MAX_SEGMENTS = QUEUE_MAX_SIZE - 2;
const MAX_SEGMENT_BYTES = 4096;
/** One discard or write-zeroes request covers at most 1 GiB. */
const MAX_RANGE_SECTORS = 0x20_0000;

const HEADER_BYTES = 16;
const RANGE_BYTES = 16;
const ID_BYTES = 20;

const FEATURE_SIZE_MAX = 1;
const FEATURE_SEG_MAX = 2;
const FEATURE_READ_ONLY = 5;
const FEATURE_BLK_SIZE = 6;
const FEATURE_FLUSH = 9;
const FEATURE_TOPOLOGY = 10;
const FEATURE_DISCARD = 13;
const FEATURE_WRITE_ZEROES = 14;

const TYPE_IN = 0;
const TYPE_OUT = 1;
const TYPE_FLUSH = 4;
const TYPE_GET_ID = 8;
const TYPE_DISCARD = 11;
const TYPE_WRITE_ZEROES = 13;

const STATUS_OK = 0;
const STATUS_IOERR = 1;
const STATUS_UNSUPPORTED = 2;

/** The flag `unmap` of a write-zeroes request: a permission that is not used. */
const RANGE_FLAG_UNMAP = 1;

export interface VirtioBlockOptions {
  /** The device's slot, named in its outputs. */
  readonly device: number;
  /** In bytes; a last partial sector is not shown. */
  readonly capacityBytes: number;
  readonly readOnly?: boolean;
  /** What GET_ID answers (the guest's /sys/block/vda/serial): ASCII, cut to 20 characters. */
  readonly serial?: string;
}

/** A request that has left and has no completion yet. */
interface InFlight {
  readonly request: BlockRequest;
  readonly head: number;
  /** Where a read's data goes. */
  readonly target: readonly Segment[];
  readonly statusAddress: number;
  /** The driver has reset the device since: the completion touches nothing. */
  orphan: boolean;
}

type RequestType = BlockRequest['type'];
/** The order gives each type its number in saved states. */
const REQUEST_TYPES: readonly RequestType[] = ['read', 'write', 'flush', 'discard', 'write-zeroes'];

export class VirtioBlock implements Device, VirtioModel {
  readonly name = 'virtio block';
  readonly deviceId = 2;
  readonly queueCount = 1;
  readonly features: readonly number[];
  readonly config: Uint8Array;
  readonly #device: number;
  readonly #capacityBytes: number;
  readonly #readOnly: boolean;
  readonly #serial: Uint8Array;
  readonly #dependencies: VirtioDependencies;
  readonly #transport: VirtioTransport;
  /** By id, in the order of submission. */
  readonly #inFlight = new Map<number, InFlight>();
  #inFlightBytes = 0;
  #nextId = 0;

  constructor(options: VirtioBlockOptions, dependencies: VirtioDependencies) {
    this.#device = options.device;
    this.#capacityBytes = options.capacityBytes - (options.capacityBytes % SECTOR_BYTES);
    this.#readOnly = options.readOnly ?? false;
    this.#serial = serialBytes(options.serial ?? '');
    this.#dependencies = dependencies;
    const common = [FEATURE_SIZE_MAX, FEATURE_SEG_MAX, FEATURE_BLK_SIZE, FEATURE_TOPOLOGY];
    const writing = [FEATURE_FLUSH, FEATURE_DISCARD, FEATURE_WRITE_ZEROES];
    this.features = this.#readOnly ? [...common, FEATURE_READ_ONLY] : [...common, ...writing];
    this.config = configuration(this.#capacityBytes);
    this.#transport = new VirtioTransport(this, dependencies);
  }

  /** The requests without a completion, in the order of submission, to be issued again after a take-over. */
  inFlight(): BlockRequest[] {
    return Array.from(this.#inFlight.values(), (entry) => entry.request);
  }

  /**
   * Applies the completion of a request. A read that went well has `data` of exactly the length asked for. Returns
   * false, and changes nothing, if there is no such request or the data does not fit it.
   */
  complete(id: number, ok: boolean, data?: Uint8Array): boolean {
    const entry = this.#inFlight.get(id);
    if (entry === undefined) return false;
    const { request } = entry;
    if (request.type === 'read' && ok && data?.length !== request.length) return false;
    this.#inFlight.delete(id);
    this.#inFlightBytes -= heldBytes(request);
    if (!entry.orphan && this.#transport.live) this.#finish(entry, ok, data);
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
      inFlight: Array.from(this.#inFlight.values(), saveEntry),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState(this.name, VERSION, state);
    this.#transport.restore(saved.field('transport'));
    this.#nextId = saved.uint('nextId', Number.MAX_SAFE_INTEGER);
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    for (const item of saved.list('inFlight')) {
      const entry = restoreEntry(item);
      this.#inFlight.set(entry.request.id, entry);
      this.#inFlightBytes += heldBytes(entry.request);
    }
  }

  /** Takes chains from the queue while there is room for requests. */
  #start(): void {
    if (!this.#transport.live) return;
    const queue = this.#transport.queues[0];
    for (let left = queue.available(); left > 0; left--) {
      if (this.#inFlight.size >= BLOCK_MAX_IN_FLIGHT || this.#inFlightBytes >= BLOCK_MAX_IN_FLIGHT_BYTES) {
        queue.signal();
        return; // The next completion comes back here; no notification is needed before.
      }
      const chain = queue.pop();
      if (chain === undefined) return;
      this.#request(chain);
      if (!this.#transport.live) return;
    }
    queue.wantNotification();
    queue.signal();
  }

  #request(chain: Chain): void {
    const header = gather(this.#dependencies.memory, chain.readable, 0, HEADER_BYTES);
    const last = chain.writable.findLast((segment) => segment.length > 0);
    if (header === undefined || last === undefined) {
      // Without a place for the status no error can be told.
      this.#transport.needsReset();
      return;
    }
    const statusAddress = last.address + last.length - 1;
    const view = new DataView(header.buffer);
    const type = view.getUint32(0, true);
    // At most 2^73, not exact above 2^53, and then beyond every capacity.
    const offset = (view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32) * SECTOR_BYTES;
    const answer = this.#dispatch(chain, type, offset, statusAddress);
    if (answer !== undefined) this.#answer(chain.head, statusAddress, answer.status, answer.dataBytes);
  }

  /** Issues the request, or returns the answer if it can be given at once. */
  #dispatch(chain: Chain, type: number, offset: number, statusAddress: number): Answer | undefined {
    switch (type) {
      case TYPE_IN:
        return this.#read(chain, offset, statusAddress);
      case TYPE_OUT:
        return this.#write(chain, offset, statusAddress);
      case TYPE_FLUSH:
        return this.#issue(chain, statusAddress, { type: 'flush', id: this.#nextId });
      case TYPE_GET_ID:
        return this.#getId(chain);
      case TYPE_DISCARD:
      case TYPE_WRITE_ZEROES:
        return this.#range(chain, type, statusAddress);
      default:
        return UNSUPPORTED;
    }
  }

  #read(chain: Chain, offset: number, statusAddress: number): Answer | undefined {
    const length = chain.writableBytes - 1;
    if (!this.#fits(offset, length) || length > BLOCK_MAX_REQUEST_BYTES) return IO_ERROR;
    if (length === 0) return OK;
    return this.#issue(chain, statusAddress, { type: 'read', id: this.#nextId, offset, length });
  }

  #write(chain: Chain, offset: number, statusAddress: number): Answer | undefined {
    const length = chain.readableBytes - HEADER_BYTES;
    if (this.#readOnly || !this.#fits(offset, length) || length > BLOCK_MAX_REQUEST_BYTES) return IO_ERROR;
    if (length === 0) return OK;
    const data = gather(this.#dependencies.memory, chain.readable, HEADER_BYTES, length);
    if (data === undefined) return IO_ERROR;
    return this.#issue(chain, statusAddress, { type: 'write', id: this.#nextId, offset, data });
  }

  #getId(chain: Chain): Answer {
    const bytes = this.#serial.subarray(0, Math.min(ID_BYTES, chain.writableBytes - 1));
    if (!scatter(this.#dependencies.memory, chain.writable, bytes)) return IO_ERROR;
    return { status: STATUS_OK, dataBytes: bytes.length };
  }

  /** Discard or write zeroes, of one range (virtio 1.2, 5.2.6): le64 sector, le32 sectors, le32 flags. */
  #range(chain: Chain, type: number, statusAddress: number): Answer | undefined {
    if (this.#readOnly) return IO_ERROR;
    if (chain.readableBytes !== HEADER_BYTES + RANGE_BYTES) return IO_ERROR;
    const range = gather(this.#dependencies.memory, chain.readable, HEADER_BYTES, RANGE_BYTES);
    if (range === undefined) return IO_ERROR;
    const view = new DataView(range.buffer);
    const offset = (view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32) * SECTOR_BYTES;
    const sectors = view.getUint32(8, true);
    const allowed = type === TYPE_WRITE_ZEROES ? RANGE_FLAG_UNMAP : 0;
    if ((view.getUint32(12, true) & ~allowed) !== 0) return UNSUPPORTED;
    const length = sectors * SECTOR_BYTES;
    if (sectors > MAX_RANGE_SECTORS || !this.#fits(offset, length)) return IO_ERROR;
    if (length === 0) return OK;
    const name = type === TYPE_DISCARD ? 'discard' : 'write-zeroes';
    return this.#issue(chain, statusAddress, { type: name, id: this.#nextId, offset, length });
  }

  /** Whole sectors, inside the disk. */
  #fits(offset: number, length: number): boolean {
    return length % SECTOR_BYTES === 0 && offset + length <= this.#capacityBytes;
  }

  #issue(chain: Chain, statusAddress: number, request: BlockRequest): undefined {
    const target = request.type === 'read' ? chain.writable : [];
    this.#nextId += 1;
    this.#inFlight.set(request.id, { request, head: chain.head, target, statusAddress, orphan: false });
    this.#inFlightBytes += heldBytes(request);
    this.#dependencies.emit({ kind: 'block', device: this.#device, request });
  }

  #finish(entry: InFlight, ok: boolean, data: Uint8Array | undefined): void {
    let answer = ok ? OK : IO_ERROR;
    if (ok && entry.request.type === 'read' && data !== undefined) {
      const written = scatter(this.#dependencies.memory, entry.target, data);
      answer = written ? { status: STATUS_OK, dataBytes: data.length } : IO_ERROR;
    }
    this.#answer(entry.head, entry.statusAddress, answer.status, answer.dataBytes);
    this.#transport.queues[0].signal();
  }

  #answer(head: number, statusAddress: number, status: number, dataBytes: number): void {
    if (!this.#dependencies.memory.write(statusAddress, Uint8Array.of(status))) {
      this.#transport.needsReset();
      return;
    }
    this.#transport.queues[0].push(head, dataBytes + 1);
  }
}

interface Answer {
  readonly status: number;
  /** Bytes written before the status byte. */
  readonly dataBytes: number;
}

const OK: Answer = { status: STATUS_OK, dataBytes: 0 };
const IO_ERROR: Answer = { status: STATUS_IOERR, dataBytes: 0 };
const UNSUPPORTED: Answer = { status: STATUS_UNSUPPORTED, dataBytes: 0 };

/** What a request costs in memory: a write's data now, a read's data when it comes. */
function heldBytes(request: BlockRequest): number {
  if (request.type === 'write') return request.data.length;
  return request.type === 'read' ? request.length : 0;
}

function serialBytes(serial: string): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES);
  for (let at = 0; at < Math.min(serial.length, ID_BYTES); at++) bytes[at] = serial.charCodeAt(at) & 0x7f;
  return bytes;
}

/** struct virtio_blk_config (virtio 1.2, 5.2.4). */
function configuration(capacityBytes: number): Uint8Array {
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(capacityBytes / SECTOR_BYTES), true);
  view.setUint32(8, MAX_SEGMENT_BYTES, true);
  view.setUint32(12, MAX_SEGMENTS, true);
  view.setUint32(20, SECTOR_BYTES, true); // blk_size
  view.setUint8(24, 3); // physical_block_exp: 4 KiB
  view.setUint16(26, 1, true); // min_io_size, in blocks
  view.setUint32(28, 0, true); // opt_io_size: no opinion
  view.setUint16(34, 1, true); // num_queues
  view.setUint32(36, MAX_RANGE_SECTORS, true); // max_discard_sectors
  view.setUint32(40, 1, true); // max_discard_seg
  view.setUint32(44, 8, true); // discard_sector_alignment: 4 KiB
  view.setUint32(48, MAX_RANGE_SECTORS, true); // max_write_zeroes_sectors
  view.setUint32(52, 1, true); // max_write_zeroes_seg
  return bytes;
}

function saveEntry(entry: InFlight): Plain {
  const { request } = entry;
  return {
    version: VERSION,
    id: request.id,
    type: REQUEST_TYPES.indexOf(request.type),
    offset: 'offset' in request ? request.offset : 0,
    length: 'length' in request ? request.length : 0,
    data: request.type === 'write' ? request.data : new Uint8Array(0),
    head: entry.head,
    target: flatten(entry.target),
    statusAddress: entry.statusAddress,
    orphan: entry.orphan,
  };
}

function restoreEntry(state: Plain): InFlight {
  const saved = new SavedState('virtio block request', VERSION, state);
  return {
    request: restoreRequest(saved),
    head: saved.uint('head', QUEUE_MAX_SIZE - 1),
    target: unflatten(saved.uints('target', 2 ** 64)),
    statusAddress: saved.uint('statusAddress', 2 ** 65),
    orphan: saved.boolean('orphan'),
  };
}

function restoreRequest(saved: SavedState): BlockRequest {
  const type = REQUEST_TYPES[saved.uint('type', REQUEST_TYPES.length - 1)];
  const id = saved.uint('id', Number.MAX_SAFE_INTEGER);
  const offset = saved.uint('offset', Number.MAX_SAFE_INTEGER);
  const length = saved.uint('length', Number.MAX_SAFE_INTEGER);
  if (type === 'flush') return { type, id };
  if (type === 'write') return { type, id, offset, data: saved.bytes('data', BLOCK_MAX_REQUEST_BYTES) };
  return { type, id, offset, length };
}
