/**
 * Catching up: the survivor's side of making a returning host's image equal to its own, while the guest runs and writes.
 *
 * Regions are read a few at a time, and sent as they come; zeroes that follow each other become one request. A live write counts
 * for the target only where a region that it touches has been copied already, or never had to be: then it follows the copy, in
 * order, before it is answered. Elsewhere it only goes to the own image, and the copy will hold it. A write to the very region that
 * is being read waits for that read. A write that fails here leaves who knows what, so its regions are copied again.
 *
 * What is under way to the target is bounded in bytes (the window): copies and writes wait for room. After every so many bytes both
 * sides flush and forget the regions that are equal now, so that a catch-up that is cut off goes on from there.
 *
 * `cutOver`, with the guest stopped, ends it: every write submitted later is the backup's own affair, because it executes
 * the guest from that position on.
 */
import { assert } from '../../core/base/assert.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import type { Extent } from './disk.ts';
import type { CatchUpTarget, MirroredImage } from './mirrored-image.ts';
import type { RegionSet } from './region-set.ts';
import { Window } from './window.ts';

export type CatchUpOptions = {
  /** Bytes under way to the target at most. */
  readonly windowBytes?: number;
  /** Both sides flush after so many bytes of copies. */
  readonly settleBytes?: number;
  /** After each region: how many are still to be copied, of how many at the start. */
  readonly onProgress?: (left: number, total: number) => void;
};

/** While one read is answered the next one is under way; more would only stand before the guest's own. */
const READS_AT_ONCE = 2;

export class CatchUpAborted extends Error {
  override readonly name = 'CatchUpAborted';
}

export class CatchUp {
  /** Resolves when all regions were copied once; live writes follow from then on. Rejects as the catch-up fails. */
  readonly copied: Promise<void>;
  readonly #survivor: MirroredImage;
  readonly #peerImageId: string;
  readonly #target: CatchUpTarget;
  readonly #window: Window;
  readonly #settleBytes: number;
  readonly #onProgress: (left: number, total: number) => void;
  readonly #left: RegionSet;
  readonly #total: number;
  #unsettled: number[] = [];
  /** Zeroes that were read and not sent yet. They go before whatever is sent next, because it may overlap them. */
  #pendingZeroes: { start: number; end: number } | undefined;
  readonly #sending = new Set<Promise<void>>();
  #forwarding = true;
  #failure: Error | undefined;
  readonly #failed = Promise.withResolvers<never>();
  readonly #zeroes: Buffer;

  private constructor(
    survivor: MirroredImage,
    peerImageId: string,
    regions: RegionSet,
    target: CatchUpTarget,
    options: CatchUpOptions,
  ) {
    this.#survivor = survivor;
    this.#peerImageId = peerImageId;
    this.#target = target;
    this.#left = regions.clone();
    this.#total = this.#left.size;
    this.#window = new Window(options.windowBytes ?? 8 * 1024 * 1024);
    this.#settleBytes = options.settleBytes ?? 64 * 1024 * 1024;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#zeroes = Buffer.alloc(survivor.regions.regionBytes);
    this.#failed.promise.catch(() => {});
    survivor.observeWrites((request, extent, ok) => this.#follow(request, extent, ok));
    this.copied = this.#copy();
    this.copied.catch(() => {}); // whoever waits for it hears of it
  }

  /**
   * Begins; the target's side is `incomplete` already. `regions` are those of the plan (catch-up-plan.ts). Rejects where the
   * survivor's record cannot be written.
   */
  static async start(
    survivor: MirroredImage,
    peerImageId: string,
    regions: RegionSet,
    target: CatchUpTarget,
    options: CatchUpOptions = {},
  ): Promise<CatchUp> {
    await survivor.expectPeer(peerImageId, regions);
    return new CatchUp(survivor, peerImageId, regions, target, options);
  }

  /** How many regions have not been copied yet. */
  get left(): number {
    return this.#left.size;
  }

  /**
   * With the guest stopped: sends the rest, and resolves when both images hold the same, durably, up to here. Call it after
   * `copied`. Rejects as the catch-up fails.
   */
  async cutOver(): Promise<void> {
    this.#forwarding = false;
    await this.copied;
    await this.#untilFailure(this.#copyAll());
    await this.#untilFailure(this.#settle());
    this.#stop();
  }

  /** Gives up: the guest's writes go on, and the target stays incomplete. */
  abort(): void {
    this.#fail(new CatchUpAborted('the catch-up was given up'));
  }

  async #copy(): Promise<void> {
    try {
      await this.#untilFailure(this.#copyAll());
      await this.#untilFailure(this.#settle());
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      throw this.#failure;
    }
  }

  async #copyAll(): Promise<void> {
    while (this.#left.size > 0) {
      const regions = this.#left[Symbol.iterator]();
      await Promise.all(Array.from({ length: READS_AT_ONCE }, () => this.#copyFrom(regions)));
    }
    this.#check();
  }

  async #copyFrom(regions: Iterable<number>): Promise<void> {
    const { regionBytes } = this.#survivor.regions;
    for (const region of regions) {
      this.#check();
      // Room is taken under the region's lock, as a write's is: the other way round, each could wait for the other.
      const result = await this.#survivor.readRegion(
        region,
        () => this.#window.take(regionBytes),
        (data, extent) => {
          if (this.#failure !== undefined) return;
          this.#left.delete(region);
          this.#sendCopy(data, extent);
        },
      );
      if (!result.ok) throw new Error(`${this.#survivor.description} cannot be read: ${result.error}`);
      this.#unsettled.push(region);
      this.#onProgress(this.#left.size, this.#total);
      if (this.#unsettled.length * regionBytes >= this.#settleBytes) await this.#settle();
    }
  }

  /** Both sides durable, then equal regions forgotten: by the target first. */
  async #settle(): Promise<void> {
    const regions = this.#unsettled;
    this.#unsettled = [];
    const epoch = await this.#survivor.flushedEpoch();
    this.#sendZeroes();
    await Promise.all(this.#sending);
    this.#check();
    const equal = regions.filter((region) => !this.#left.has(region));
    await this.#target.settle(equal);
    await this.#survivor.forget(this.#peerImageId, equal, epoch);
    this.#check();
  }

  /** A write of the guest has ended here. */
  async #follow(request: BlockRequest, extent: Extent, ok: boolean): Promise<void> {
    if (!this.#forwarding || this.#failure !== undefined) return;
    const { first, end } = this.#survivor.regions.of(extent);
    let follows = false;
    for (let region = first; region < end; region++) {
      if (!ok) this.#left.add(region);
      follows ||= !this.#left.has(region);
    }
    if (!follows) return;
    const bytes = request.type === 'write' ? request.data.length : 0;
    await this.#window.take(bytes);
    if (this.#failure === undefined) this.#send(request, bytes);
  }

  /** Zeroes travel as such, and leave holes where holes were. The window has room for a region. */
  #sendCopy(data: Uint8Array, { start, end }: Extent): void {
    const { regionBytes } = this.#survivor.regions;
    const { length } = data;
    if (this.#zeroes.compare(data, 0, length, 0, length) !== 0) {
      return this.#send({ type: 'write', id: 0, offset: start, data }, regionBytes);
    }
    this.#window.give(regionBytes);
    const pending = this.#pendingZeroes;
    if (pending?.end === start) pending.end = end;
    else if (pending?.start === end) pending.start = start;
    else {
      this.#sendZeroes();
      this.#pendingZeroes = { start, end };
    }
  }

  #sendZeroes(): void {
    if (this.#pendingZeroes === undefined) return;
    const { start: offset, end } = this.#pendingZeroes;
    this.#pendingZeroes = undefined;
    this.#send({ type: 'write-zeroes', id: 0, offset, length: end - offset }, 0);
  }

  /** Sends in the order of the calls; the window has room for `bytes`. */
  #send(request: BlockRequest, bytes: number): void {
    this.#sendZeroes();
    const sending = this.#target.request(request).then((result) => {
      this.#window.give(bytes);
      this.#sending.delete(sending);
      if (!result.ok) this.#fail(new Error(`the other host cannot write its image: ${result.error}`));
    });
    this.#sending.add(sending);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#failed.reject(error);
    this.#stop();
  }

  #stop(): void {
    assert(this.#failure !== undefined || this.#left.size === 0, 'a catch-up ends when all is copied');
    this.#forwarding = false;
    this.#survivor.observeWrites(undefined);
    this.#window.close();
  }

  /** A target that does not answer must not hold up whoever gives the catch-up up. */
  #untilFailure(work: Promise<void>): Promise<void> {
    return Promise.race([work, this.#failed.promise]);
  }
}
