/**
 * The virtio network device (virtio 1.2, 5.1; device id 1): one pair of queues, a fixed MAC address, link always up, no
 * offloads. So every frame stands alone: a header of 12 bytes that says nothing, and then the frame as on the wire.
 *
 * Frames from the world wait in a bounded queue until the driver has a buffer. What does not fit is dropped, as a
 * switch would; the drop depends on the state only, so two copies drop the same frames.
 */
import type { Device, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import { type Chain, gather, scatter } from './chain.ts';
import { type VirtioDependencies, type VirtioModel, VirtioTransport } from './transport.ts';

const VERSION = 1;

/** Frames that wait for the guest's buffers; more are dropped. */
export const NET_MAX_WAITING_FRAMES = 256;
/** The shortest frame (an Ethernet header) and the longest (65,536 bytes and a header) that pass. */
export const NET_MIN_FRAME_BYTES = 14;
export const NET_MAX_FRAME_BYTES = 65_550;

/** struct virtio_net_hdr with num_buffers, always there with VERSION_1 (virtio 1.2, 5.1.6.1). */
const HEADER_BYTES = 12;
const HEADER_NUM_BUFFERS = 10;

const RECEIVE = 0;
const TRANSMIT = 1;

const FEATURE_MTU = 3;
const FEATURE_MAC = 5;
const FEATURE_STATUS = 16;
const LINK_UP = 1;

export interface VirtioNetOptions {
  /** The device's slot, named in its outputs. */
  readonly device: number;
  /** The guest's MAC address, 6 bytes. */
  readonly mac: Uint8Array;
  /** The MTU to advise the guest of, in bytes (68 .. 65535); without it the guest takes 1500. */
  readonly mtu?: number;
}

export class VirtioNet implements Device, VirtioModel {
  readonly name = 'virtio net';
  readonly deviceId = 1;
  readonly queueCount = 2;
  readonly features: readonly number[];
  readonly config: Uint8Array;
  readonly #device: number;
  readonly #dependencies: VirtioDependencies;
  readonly #transport: VirtioTransport;
  /** Oldest first. */
  #waiting: Uint8Array[] = [];
  /** Where a frame for the guest gets its header. */
  readonly #packet = new Uint8Array(HEADER_BYTES + NET_MAX_FRAME_BYTES);
  #dropped = 0;

  constructor(options: VirtioNetOptions, dependencies: VirtioDependencies) {
    this.#device = options.device;
    this.#dependencies = dependencies;
    const features = [FEATURE_MAC, FEATURE_STATUS];
    this.features = options.mtu === undefined ? features : [...features, FEATURE_MTU];
    this.config = configuration(options);
    this.#transport = new VirtioTransport(this, dependencies);
    this.#packet[HEADER_NUM_BUFFERS] = 1;
  }

  /** How many frames from the world were dropped: no driver, no room, or of a wrong length. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A frame from the world, without a frame check sequence. If it has to wait, the device keeps a copy. */
  receive(frame: Uint8Array): void {
    const fits = frame.length >= NET_MIN_FRAME_BYTES && frame.length <= NET_MAX_FRAME_BYTES;
    if (!fits || !this.#transport.live || this.#waiting.length >= NET_MAX_WAITING_FRAMES) {
      this.#drop();
      return;
    }
    this.#waiting.push(frame);
    this.#deliver();
    const last = this.#waiting.length - 1;
    if (this.#waiting[last] === frame) this.#waiting[last] = frame.slice();
  }

  read(offset: number, size: number): number {
    return this.#transport.read(offset, size);
  }

  write(offset: number, size: number, value: number): void {
    this.#transport.write(offset, size, value);
  }

  notified(queue: number): void {
    if (queue === TRANSMIT) this.#transmit();
    else this.#deliver();
  }

  wasReset(): void {
    this.#waiting = [];
  }

  save(): Plain {
    return {
      version: VERSION,
      transport: this.#transport.save(),
      waiting: this.#waiting.slice(),
      dropped: this.#dropped,
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState(this.name, VERSION, state);
    this.#transport.restore(saved.field('transport'));
    this.#dropped = saved.uint('dropped', Number.MAX_SAFE_INTEGER);
    const waiting = saved.byteStrings('waiting', NET_MAX_FRAME_BYTES);
    if (waiting.length > NET_MAX_WAITING_FRAMES) throw saved.malformed('waiting');
    this.#waiting = waiting;
  }

  #drop(): void {
    this.#dropped += 1;
  }

  /** Moves waiting frames into the driver's buffers. */
  #deliver(): void {
    const queue = this.#transport.queues[RECEIVE];
    let buffers = queue.available();
    while (this.#waiting.length > 0 && buffers > 0 && this.#transport.live) {
      const chain = queue.pop();
      if (chain === undefined) return;
      const frame = this.#waiting[0];
      this.#waiting.shift();
      if (chain.writableBytes < HEADER_BYTES + frame.length) {
        // Without mergeable buffers a frame that is too long for its buffer is lost, but the buffer is not.
        queue.unpop();
        this.#drop();
        continue;
      }
      buffers -= 1;
      this.#fill(chain, frame);
    }
    if (this.#waiting.length > 0) queue.wantNotification();
    queue.signal();
  }

  #fill(chain: Chain, frame: Uint8Array): void {
    this.#packet.set(frame, HEADER_BYTES);
    const bytes = this.#packet.subarray(0, HEADER_BYTES + frame.length);
    if (scatter(this.#dependencies.memory, chain.writable, bytes)) {
      this.#transport.queues[RECEIVE].push(chain.head, bytes.length);
    } else {
      this.#transport.needsReset();
    }
  }

  /** Copies the driver's frames out, in order; each leaves as an output. */
  #transmit(): void {
    const queue = this.#transport.queues[TRANSMIT];
    for (let left = queue.available(); left > 0 && this.#transport.live; left--) {
      const chain = queue.pop();
      if (chain === undefined) return;
      const length = chain.readableBytes - HEADER_BYTES;
      if (length >= NET_MIN_FRAME_BYTES && length <= NET_MAX_FRAME_BYTES) {
        const frame = gather(this.#dependencies.memory, chain.readable, HEADER_BYTES, length);
        if (frame === undefined) {
          this.#transport.needsReset();
          return;
        }
        this.#dependencies.emit({ kind: 'net-tx', device: this.#device, frame });
      }
      queue.push(chain.head, 0);
    }
    queue.wantNotification();
    queue.signal();
  }
}

/** struct virtio_net_config (virtio 1.2, 5.1.4). */
function configuration(options: VirtioNetOptions): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  bytes.set(options.mac.subarray(0, 6), 0);
  view.setUint16(6, LINK_UP, true);
  view.setUint16(8, 1, true); // max_virtqueue_pairs
  view.setUint16(10, options.mtu ?? 0, true);
  return bytes;
}
