/**
 * The virtio-mmio transport, version 2 (virtio 1.2, 4.2; device tree `virtio,mmio`): registers, feature negotiation,
 * the status machine of section 3.1, queues and the one interrupt. What a device does is behind `VirtioModel`; the
 * transport knows no device.
 *
 * A driver that breaks the rules gets DEVICE_NEEDS_RESET and a configuration interrupt (2.1.2); until it resets the
 * device, nothing happens any more.
 */
import type { Emit } from '../../machine/doors.ts';
import type { Device, GuestMemory, InterruptLine, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import { QUEUE_MAX_SIZE, type QueueArea, type QueueFeatures, VirtQueue } from './queue.ts';

const VERSION = 1;

/** The size of the register window in bytes. */
export const VIRTIO_WINDOW_BYTES = 0x1000;

const MAGIC = 0x7472_6976; // "virt"
const TRANSPORT_VERSION = 2;
const VENDOR = 0x5453_4455; // "UDST"

const FEATURE_INDIRECT = 28;
const FEATURE_EVENT_INDEX = 29;
const FEATURE_VERSION_1 = 32;

const STATUS_DRIVER_OK = 4;
const STATUS_FEATURES_OK = 8;
const STATUS_NEEDS_RESET = 64;
const STATUS_FAILED = 128;
/** The bits that a driver may set: ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED. */
const STATUS_DRIVER_BITS = 1 | 2 | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED;

const INTERRUPT_USED = 1;
const INTERRUPT_CONFIG = 2;

const CONFIG_BASE = 0x100;

/** Register offsets (virtio 1.2, table 4.1). */
const REGISTER = {
  magic: 0x000,
  version: 0x004,
  deviceId: 0x008,
  vendorId: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSelect: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSelect: 0x024,
  queueSelect: 0x030,
  queueMaxSize: 0x034,
  queueSize: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAcknowledge: 0x064,
  status: 0x070,
  queueDescriptorsLow: 0x080,
  queueDescriptorsHigh: 0x084,
  queueDriverLow: 0x090,
  queueDriverHigh: 0x094,
  queueDeviceLow: 0x0a0,
  queueDeviceHigh: 0x0a4,
  sharedMemoryLengthLow: 0x0b0,
  sharedMemoryLengthHigh: 0x0b4,
  sharedMemoryBaseLow: 0x0b8,
  sharedMemoryBaseHigh: 0x0bc,
  configGeneration: 0x0fc,
} as const;

/** What a virtio device is given by the machine. */
export interface VirtioDependencies {
  readonly memory: GuestMemory;
  readonly interrupt: InterruptLine;
  readonly emit: Emit;
}

/** What a device tells its transport. The device is `live` when the hooks `notified` are called. */
export interface VirtioModel {
  /** Names the device in errors. */
  readonly name: string;
  readonly deviceId: number;
  /** Numbers of the device's own feature bits; the transport adds its own. */
  readonly features: readonly number[];
  readonly queueCount: number;
  /** The configuration space as the driver reads it, little-endian; drivers cannot write it. */
  readonly config: Uint8Array;
  /** The driver may have added buffers to a queue; called for every queue when the driver is ready. */
  notified(queue: number): void;
  /** The driver has reset the device. */
  wasReset(): void;
}

export class VirtioTransport implements Device {
  readonly queues: readonly VirtQueue[];
  readonly #model: VirtioModel;
  readonly #interrupt: InterruptLine;
  readonly #offered: readonly [number, number];
  readonly #queueFeatures: QueueFeatures = { indirect: false, eventIndex: false };
  #status = 0;
  #interruptStatus = 0;
  #configGeneration = 0;
  #deviceFeaturesSelect = 0;
  #driverFeaturesSelect = 0;
  #queueSelect = 0;
  /** The features that the driver accepts, low and high word. */
  #accepted: [number, number] = [0, 0];

  constructor(model: VirtioModel, dependencies: VirtioDependencies) {
    this.#model = model;
    this.#interrupt = dependencies.interrupt;
    this.#offered = featureWords([...model.features, FEATURE_INDIRECT, FEATURE_EVENT_INDEX, FEATURE_VERSION_1]);
    const queue = {
      memory: dependencies.memory,
      features: this.#queueFeatures,
      broken: () => this.needsReset(),
      used: () => this.#raise(INTERRUPT_USED),
    };
    this.queues = Array.from({ length: model.queueCount }, () => new VirtQueue(queue));
  }

  /** The driver is ready and nothing is broken: buffers may be used. */
  get live(): boolean {
    return (this.#status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET | STATUS_FAILED)) === STATUS_DRIVER_OK;
  }

  /** Whether the driver has accepted a feature. */
  negotiated(feature: number): boolean {
    return (this.#status & STATUS_FEATURES_OK) !== 0 && hasFeature(this.#accepted, feature);
  }

  /** The driver broke the rules: it must reset the device (virtio 1.2, 2.1.2). */
  needsReset(): void {
    if ((this.#status & STATUS_NEEDS_RESET) !== 0) return;
    const live = this.live;
    this.#status |= STATUS_NEEDS_RESET;
    if (live) this.configChanged();
  }

  /** The configuration space has changed: a new generation, and an interrupt. */
  configChanged(): void {
    this.#configGeneration = (this.#configGeneration + 1) >>> 0;
    this.#raise(INTERRUPT_CONFIG);
  }

  read(offset: number, size: number): number {
    if (offset >= CONFIG_BASE) return this.#readConfig(offset - CONFIG_BASE, size);
    if (size !== 4) return 0;
    switch (offset) {
      case REGISTER.magic:
        return MAGIC;
      case REGISTER.version:
        return TRANSPORT_VERSION;
      case REGISTER.deviceId:
        return this.#model.deviceId;
      case REGISTER.vendorId:
        return VENDOR;
      case REGISTER.deviceFeatures:
        return this.#offered[this.#deviceFeaturesSelect] ?? 0;
      case REGISTER.queueMaxSize:
        return this.#queueSelect < this.queues.length ? QUEUE_MAX_SIZE : 0;
      case REGISTER.queueReady:
        return this.queues[this.#queueSelect]?.ready ? 1 : 0;
      case REGISTER.interruptStatus:
        return this.#interruptStatus;
      case REGISTER.status:
        return this.#status;
      case REGISTER.configGeneration:
        return this.#configGeneration;
      // No shared memory region exists (virtio 1.2, 4.2.2).
      case REGISTER.sharedMemoryLengthLow:
      case REGISTER.sharedMemoryLengthHigh:
      case REGISTER.sharedMemoryBaseLow:
      case REGISTER.sharedMemoryBaseHigh:
        return 0xffff_ffff;
      default:
        return 0;
    }
  }

  write(offset: number, size: number, value: number): void {
    if (size !== 4) return;
    const word = value >>> 0;
    const queue = this.queues[this.#queueSelect];
    switch (offset) {
      case REGISTER.deviceFeaturesSelect:
        this.#deviceFeaturesSelect = word;
        return;
      case REGISTER.driverFeaturesSelect:
        this.#driverFeaturesSelect = word;
        return;
      case REGISTER.driverFeatures:
        this.#writeFeatures(word);
        return;
      case REGISTER.queueSelect:
        this.#queueSelect = word;
        return;
      case REGISTER.queueSize:
        queue?.setSize(word);
        return;
      case REGISTER.queueReady:
        if (queue !== undefined) this.#writeReady(queue, word);
        return;
      case REGISTER.queueNotify:
        if (word < this.queues.length) this.#notify(word);
        return;
      case REGISTER.interruptAcknowledge:
        this.#interruptStatus &= ~word;
        this.#interrupt(this.#interruptStatus !== 0);
        return;
      case REGISTER.status:
        this.#writeStatus(word);
        return;
      default:
        if (queue !== undefined) writeAddress(queue, offset, word);
    }
  }

  save(): Plain {
    return {
      version: VERSION,
      status: this.#status,
      interruptStatus: this.#interruptStatus,
      configGeneration: this.#configGeneration,
      deviceFeaturesSelect: this.#deviceFeaturesSelect,
      driverFeaturesSelect: this.#driverFeaturesSelect,
      queueSelect: this.#queueSelect,
      accepted: [...this.#accepted],
      queues: this.queues.map((queue) => queue.save()),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState(`${this.#model.name} transport`, VERSION, state);
    this.#status = saved.uint('status', 0xff);
    this.#interruptStatus = saved.uint('interruptStatus', INTERRUPT_USED | INTERRUPT_CONFIG);
    this.#configGeneration = saved.uint('configGeneration', 0xffff_ffff);
    this.#deviceFeaturesSelect = saved.uint('deviceFeaturesSelect', 0xffff_ffff);
    this.#driverFeaturesSelect = saved.uint('driverFeaturesSelect', 0xffff_ffff);
    this.#queueSelect = saved.uint('queueSelect', 0xffff_ffff);
    const accepted = saved.uints('accepted', 0xffff_ffff, 2);
    this.#accepted = [accepted[0], accepted[1]];
    const queues = saved.list('queues');
    if (queues.length !== this.queues.length) throw saved.malformed('queues');
    for (const [index, queue] of this.queues.entries()) queue.restore(queues[index]);
    this.#applyFeatures();
  }

  #readConfig(offset: number, size: number): number {
    let value = 0;
    for (let at = size - 1; at >= 0; at--) value = value * 256 + (this.#model.config[offset + at] ?? 0);
    return value;
  }

  /** Features are settled once FEATURES_OK is set (virtio 1.2, 3.1.1). */
  #writeFeatures(word: number): void {
    if ((this.#status & STATUS_FEATURES_OK) !== 0) return;
    if (this.#driverFeaturesSelect < 2) this.#accepted[this.#driverFeaturesSelect] = word;
  }

  #writeReady(queue: VirtQueue, word: number): void {
    if ((word & 1) === 0) queue.stop();
    else if (!queue.ready && !queue.start()) this.needsReset();
  }

  #notify(queue: number): void {
    if (this.live && this.queues[queue].ready) this.#model.notified(queue);
  }

  #writeStatus(word: number): void {
    if (word === 0) {
      this.#reset();
      return;
    }
    let set = word & STATUS_DRIVER_BITS & ~this.#status;
    if ((set & STATUS_FEATURES_OK) !== 0 && !this.#featuresFit()) set &= ~STATUS_FEATURES_OK;
    if (((this.#status | set) & STATUS_FEATURES_OK) === 0) set &= ~STATUS_DRIVER_OK;
    this.#status |= set;
    if ((set & STATUS_FEATURES_OK) !== 0) this.#applyFeatures();
    if ((set & STATUS_DRIVER_OK) === 0) return;
    // Buffers that were made available before DRIVER_OK may not be announced again.
    for (let queue = 0; queue < this.queues.length; queue++) this.#notify(queue);
  }

  /** The driver accepts nothing that was not offered, and accepts VERSION_1 (virtio 1.2, 6.1). */
  #featuresFit(): boolean {
    const extra = (this.#accepted[0] & ~this.#offered[0]) | (this.#accepted[1] & ~this.#offered[1]);
    return extra === 0 && hasFeature(this.#accepted, FEATURE_VERSION_1);
  }

  #applyFeatures(): void {
    this.#queueFeatures.indirect = this.negotiated(FEATURE_INDIRECT);
    this.#queueFeatures.eventIndex = this.negotiated(FEATURE_EVENT_INDEX);
  }

  #reset(): void {
    this.#status = 0;
    this.#interruptStatus = 0;
    this.#deviceFeaturesSelect = 0;
    this.#driverFeaturesSelect = 0;
    this.#queueSelect = 0;
    this.#accepted = [0, 0];
    for (const queue of this.queues) queue.reset();
    this.#applyFeatures();
    this.#interrupt(false);
    this.#model.wasReset();
  }

  #raise(cause: number): void {
    this.#interruptStatus |= cause;
    this.#interrupt(true);
  }
}

function writeAddress(queue: VirtQueue, offset: number, word: number): void {
  const areas: readonly (readonly [number, number, QueueArea])[] = [
    [REGISTER.queueDescriptorsLow, REGISTER.queueDescriptorsHigh, 'descriptors'],
    [REGISTER.queueDriverLow, REGISTER.queueDriverHigh, 'driver'],
    [REGISTER.queueDeviceLow, REGISTER.queueDeviceHigh, 'device'],
  ];
  for (const [low, high, area] of areas) {
    if (offset === low || offset === high) queue.setAddress(area, offset === high, word);
  }
}

function featureWords(features: readonly number[]): [number, number] {
  const words: [number, number] = [0, 0];
  for (const feature of features) words[feature >>> 5] |= 1 << (feature & 31);
  return [words[0] >>> 0, words[1] >>> 0];
}

function hasFeature(words: readonly [number, number], feature: number): boolean {
  return ((words[feature >>> 5] >>> (feature & 31)) & 1) !== 0;
}
