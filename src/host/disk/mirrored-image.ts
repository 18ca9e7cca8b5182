/**
 * One host's image of a mirrored disk: a raw image and the record beside it (mirror-record.ts). Each replica of a pair has one,
 * and both carry out every request of the guest; no storage is shared.
 *
 * **Marks.** A region is marked, durably, before the first write to it (PROTOCOL.md, 24); the next writes to it cost nothing.
 * Marks go where both hosts are known to hold the same durable bytes: at a *common point*. The caller numbers flushes by
 * their place in the log; when the flush at some place has been answered on both hosts, `commonPoint` forgets the regions that
 * were not written since the point before. So a region in use keeps its mark, and a steady load costs no mark at all.
 *
 * **Flushes** wait for every write submitted before them, answered or not. The other host may have answered it long ago, and
 * then the guest counts on it (PROTOCOL.md, 25).
 *
 * An image that is `incomplete` is written by a catch-up alone (`catchUpTarget`); `disk`, what a guest gets, refuses it.
 */
import { assert } from '../../core/base/assert.ts';
import { OperatingError } from '../../core/base/error.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import { type BlockResult, type Disk, type Extent, extentOf, failed, isWithin, OK } from './disk.ts';
import { ImageFile } from './image-file.ts';
import {
  comparePoints,
  type ImageState,
  isEmpty,
  type LogPoint,
  MAX_INCARNATIONS,
  MAX_PEERS,
  type MirrorRecord,
  type PeerRecord,
} from './mirror-record.ts';
import { MirrorRecordFile, recordPathOf } from './mirror-record-file.ts';
import { OverlapOrder } from './overlap-order.ts';
import { RegionSet, Regions } from './region-set.ts';

export type MirroredImageErrorCode = 'image-incomplete' | 'image-size-changed' | 'too-many-cold-starts';

/** Where a catch-up writes: the returning host's image, here or behind a connection. */
export interface CatchUpTarget {
  /** Carried out in the order of the calls where they overlap. Never rejects. */
  request(request: BlockRequest): Promise<BlockResult>;
  /** All that was answered before is durable, and these regions are noted as equal. Rejects if that cannot be said. */
  settle(regions: readonly number[]): Promise<void>;
}

/** Hears of each write when it has ended, before it is answered and before any that overlaps it begins. */
export type WriteObserver = (request: BlockRequest, extent: Extent, ok: boolean) => Promise<void>;

type Peer = { -readonly [Key in keyof PeerRecord]: PeerRecord[Key] } & {
  /** Writes of this epoch and before were submitted before the last common point. */
  pointEpoch: number;
  /** The images are a pair now: a catch-up has ended in this process. */
  paired: boolean;
};

/** For a region whose write failed here: it may differ from the peer's until it is copied. */
const NEVER = 0xffff_ffff;
/** Flushes that a common point may still come for. */
const MAX_POINTS = 256;

export class MirroredImage {
  readonly regions: Regions;
  readonly description: string;
  readonly #image: ImageFile;
  readonly #plain: Omit<MirrorRecord, 'peers'>;
  #state: { state: ImageState; setId: string; generation: number | undefined; incarnations: string[] };
  readonly #peers: Peer[];
  #file!: MirrorRecordFile;
  readonly #onProblem: (line: string) => void;
  readonly #order = new OverlapOrder();
  readonly #running = new Set<Promise<BlockResult>>();
  readonly #changing = new Set<Promise<BlockResult>>();
  /** Regions whose mark is on its way to the disk. */
  readonly #marking = new Map<number, Promise<void>>();
  /** Counts flushes: a write belongs to the epoch in which it was submitted. */
  #epoch = 1;
  readonly #lastWrite: Uint32Array;
  /** Regions of a new image that nobody has written yet: what is to be zero there is zero already, and needs no look. */
  readonly #untouched: RegionSet;
  readonly #points = new Map<string, number>();
  #observer: WriteObserver | undefined;
  #closed = false;

  private constructor(image: ImageFile, record: MirrorRecord, onProblem: (line: string) => void) {
    const { peers, ...plain } = record;
    this.#image = image;
    this.#plain = plain;
    this.#state = {
      state: record.state,
      setId: record.setId,
      generation: record.generation,
      incarnations: [...record.incarnations],
    };
    this.#peers = peers.map((peer) => ({ ...peer, pointEpoch: 0, paired: false }));
    this.#onProblem = onProblem;
    this.regions = new Regions(record.sizeBytes, record.regionBytes);
    this.#lastWrite = new Uint32Array(this.regions.count);
    // The record changes, durably, before the first write; that the file has no block tells that nobody else has filled it.
    const isNew = isEmpty(record) && image.hadNoBlocks;
    this.#untouched = isNew ? RegionSet.full(this.regions.count) : RegionSet.empty(this.regions.count);
    this.description = `${image.path} (mirrored)`;
  }

  /**
   * Opens and locks the image at `path` with its record. `onProblem` hears of requests that fail because of this host.
   * Throws OperatingError<DiskFileErrorCode | LockErrorCode | MirrorRecordErrorCode | 'image-size-changed'>.
   */
  static async open(path: string, onProblem: (line: string) => void): Promise<MirroredImage> {
    const image = await ImageFile.open(path, onProblem);
    try {
      const record = await MirrorRecordFile.read(recordPathOf(path));
      if (record.sizeBytes !== image.sizeBytes) throw sizeChanged(path, image.sizeBytes, record.sizeBytes);
      const mirrored = new MirroredImage(image, record, onProblem);
      mirrored.#file = await MirrorRecordFile.open(recordPathOf(path), () => mirrored.#record());
      return mirrored;
    } catch (error) {
      await image.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#image.sizeBytes;
  }

  get imageId(): string {
    return this.#plain.imageId;
  }

  /** A copy of the record as it is now; what of it is not yet durable only ever makes it more careful. */
  get record(): MirrorRecord {
    const record = this.#record();
    return { ...record, peers: record.peers.map((peer) => ({ ...peer, regions: peer.regions.clone() })) };
  }

  /** What the guest's requests go to. Throws OperatingError `image-incomplete`. */
  disk(): Disk {
    if (this.#state.state === 'complete') return this.#asDisk();
    throw new OperatingError<MirroredImageErrorCode>(
      'image-incomplete',
      `${this.#image.path} is incomplete: it has not caught up with the other host's image`,
      'Let it finish as a backup of the host that has the whole image.',
    );
  }

  /**
   * Makes all durable that was submitted before. `at` is its place in the log: a later `commonPoint` may name it. Never
   * throws.
   */
  flush(at?: LogPoint): Promise<BlockResult> {
    if (this.#closed) return Promise.resolve(failed('closed'));
    const epoch = this.#epoch++;
    const answer = Promise.all(this.#changing).then(() => this.#image.perform({ type: 'flush', id: 0 }));
    this.#track(answer, this.#running);
    if (at === undefined) return answer;
    return answer.then((result) => {
      if (result.ok) this.#points.set(keyOf(at), epoch);
      if (this.#points.size > MAX_POINTS) this.#points.delete(this.#points.keys().next().value!);
      return result;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all(this.#running);
    await this.#file.close();
    await this.#image.close();
  }

  // ---- generations (PROTOCOL.md, 26) ----

  /** This image is a part of `generation`, under `incarnation`. To be awaited before the first write and output in it. */
  async enter(generation: number, incarnation: string): Promise<void> {
    assert(this.#state.state === 'complete', 'an incomplete image is no part of a generation');
    assert(generation >= (this.#state.generation ?? 0), 'generations only grow');
    this.#state.generation = generation;
    this.#state.incarnations = [incarnation];
    await this.#file.save();
  }

  /** To be awaited before a cold start claims as `incarnation`. Throws OperatingError `too-many-cold-starts`. */
  async willClaimAs(incarnation: string): Promise<void> {
    const { incarnations } = this.#state;
    if (incarnations.includes(incarnation)) return this.#file.save();
    if (incarnations.length >= MAX_INCARNATIONS) {
      throw new OperatingError<MirroredImageErrorCode>(
        'too-many-cold-starts',
        `${this.#image.path} was started ${incarnations.length} times without an answer of the arbiter`,
        'Find out why the arbiter does not answer; then start with --accept-data-loss, which forgets these attempts.',
      );
    }
    incarnations.push(incarnation);
    await this.#file.save();
  }

  // ---- pairs and catching up (PROTOCOL.md, 24); catch-up.ts drives the survivor's side ----

  /**
   * The survivor's side: from now on these regions, and all that is written here, have to be copied to the peer. Resolves
   * when that is durable.
   */
  async expectPeer(imageId: string, regions: RegionSet): Promise<void> {
    this.#peerToCopy(imageId, regions);
    await this.#file.save();
  }

  /** The returning side: resolves when the image is incomplete, durably. From then on the target may be written. */
  async beginCatchUp(survivor: { imageId: string; setId: string }, regions: RegionSet): Promise<CatchUpTarget> {
    this.#state.state = 'incomplete';
    this.#state.setId = survivor.setId;
    this.#peerToCopy(survivor.imageId, regions);
    await this.#file.save();
    return {
      request: (request) => this.#requestIf('incomplete', request),
      settle: async (settled) => this.forget(survivor.imageId, settled, await this.flushedEpoch()),
    };
  }

  /**
   * The returning side: the image equals the survivor's at `point`, durably, and is a part of its generation from now on. To be
   * awaited before the backup acknowledges its state; the survivor calls `pairedWith` afterwards.
   */
  async endCatchUp(survivorImageId: string, incarnation: string, point: LogPoint): Promise<void> {
    assert(this.#state.state === 'incomplete', 'a catch-up has begun');
    this.#state.state = 'complete';
    this.#state.generation = point.generation;
    this.#state.incarnations = [incarnation];
    await this.pairedWith(survivorImageId, point);
  }

  /** The survivor's side of `endCatchUp`, when the returning side has answered. */
  async pairedWith(peerImageId: string, point: LogPoint): Promise<void> {
    const peer = this.#peerOf(peerImageId);
    peer.paired = true;
    peer.pointEpoch = 0;
    movePoint(peer, point);
    await this.#file.save();
  }

  /**
   * The flush at `at` has been answered on both hosts. Marks of regions that were idle since the point before go. The backup
   * calls it first, and the primary when the backup's has resolved; so the two records are one point apart at most.
   * False where this image cannot confirm the point, and nothing has changed.
   */
  async commonPoint(peerImageId: string, at: LogPoint): Promise<boolean> {
    const peer = this.#peers.find(({ imageId }) => imageId === peerImageId);
    const epoch = this.#points.get(keyOf(at));
    if (peer === undefined || !peer.paired || epoch === undefined || epoch <= peer.pointEpoch) return false;
    if (peer.point !== undefined && comparePoints(at, peer.point) <= 0) return false;
    for (const region of peer.regions) {
      if (this.#lastWrite[region]! <= peer.pointEpoch) peer.regions.delete(region);
    }
    peer.pointEpoch = epoch;
    movePoint(peer, at);
    await this.#file.save();
    return true;
  }

  /**
   * Waits for `room`, then gives the bytes of a region to `use`, after all writes to it submitted before and before any
   * submitted later.
   */
  readRegion(
    region: number,
    room: () => Promise<void>,
    use: (data: Uint8Array, extent: Extent) => void,
  ): Promise<BlockResult> {
    const extent = this.regions.extentOf(region, false);
    const { start: offset, end } = extent;
    const answer = this.#order.run(extent, async () => {
      await room();
      const result = await this.#image.perform({ type: 'read', id: 0, offset, length: end - offset });
      if (!result.ok) return result;
      // What a failed write left there is copied with the rest, and then is nothing special any more.
      if (this.#lastWrite[region] === NEVER) this.#lastWrite[region] = this.#epoch;
      use(result.data!, extent);
      return result;
    });
    this.#track(answer, this.#running);
    return answer;
  }

  /** At most one; undefined to stop. */
  observeWrites(observer: WriteObserver | undefined): void {
    assert(observer === undefined || this.#observer === undefined, 'one catch-up at a time');
    this.#observer = observer;
  }

  /** Flushes; writes of the epoch that it returns, and of those before, are durable. Rejects if the flush fails. */
  async flushedEpoch(): Promise<number> {
    const epoch = this.#epoch;
    const result = await this.flush();
    if (!result.ok) throw new Error(`${this.#image.path} cannot be flushed: ${result.error}`);
    return epoch;
  }

  /** Both images hold the same in these regions, durably, except where one was written after `epoch`. */
  async forget(peerImageId: string, regions: Iterable<number>, epoch: number): Promise<void> {
    const peer = this.#peerOf(peerImageId);
    for (const region of regions) if (this.#lastWrite[region]! <= epoch) peer.regions.delete(region);
    await this.#file.save();
  }

  // ---- requests ----

  #asDisk(): Disk {
    return {
      sizeBytes: this.sizeBytes,
      description: this.description,
      request: (request) => this.#requestIf('complete', request),
      close: () => this.close(),
    };
  }

  /** A guest's requests end where a catch-up begins, and a catch-up's where it has ended. */
  #requestIf(state: ImageState, request: BlockRequest): Promise<BlockResult> {
    return this.#state.state === state ? this.#request(request) : Promise.resolve(failed('closed'));
  }

  #request(request: BlockRequest): Promise<BlockResult> {
    if (this.#closed) return Promise.resolve(failed('closed'));
    if (request.type === 'flush') return this.flush();
    const extent = extentOf(request)!;
    if (!isWithin(extent, this.sizeBytes)) return Promise.resolve(failed('out-of-range'));
    const changes = request.type === 'write' || request.type === 'write-zeroes';
    if (changes) this.#noteWrite(extent, this.#epoch);
    const answer = this.#order.run(extent, () =>
      changes ? this.#change(request, extent) : this.#image.perform(request),
    );
    this.#track(answer, this.#running);
    if (changes) this.#track(answer, this.#changing);
    return answer;
  }

  async #change(request: BlockRequest, extent: Extent): Promise<BlockResult> {
    // A catch-up brings much that is there already; other hosts need no copy of that, so it gets no mark.
    const isThere = this.#state.state === 'incomplete' && (await this.#isThere(request, extent));
    const result = isThere ? OK : await this.#write(request, extent);
    await this.#observer?.(request, extent, result.ok);
    return result;
  }

  async #write(request: BlockRequest, extent: Extent): Promise<BlockResult> {
    const marked = this.#mark(extent);
    if (marked !== undefined && !(await marked)) return failed('io');
    for (const region of this.#regionsIn(extent)) this.#untouched.delete(region);
    const result = await this.#image.perform(request);
    if (!result.ok) this.#noteWrite(extent, NEVER);
    return result;
  }

  /** Whether the image holds already what this would write. */
  async #isThere(request: BlockRequest, extent: Extent): Promise<boolean> {
    const data = request.type === 'write' ? request.data : undefined;
    for (const region of this.#regionsIn(extent)) {
      if (this.#untouched.has(region)) {
        if (data === undefined) continue;
        return false;
      }
      const whole = this.regions.extentOf(region, false);
      const offset = Math.max(whole.start, extent.start);
      const length = Math.min(whole.end, extent.end) - offset;
      const found = await this.#image.perform({ type: 'read', id: 0, offset, length });
      const at = offset - extent.start;
      const wanted = data?.subarray(at, at + length) ?? Buffer.alloc(length);
      if (!found.ok || Buffer.compare(found.data!, wanted) !== 0) return false;
    }
    return true;
  }

  #regionsIn(extent: Extent): number[] {
    const { first, end } = this.regions.of(extent);
    return Array.from({ length: end - first }, (_, index) => first + index);
  }

  #noteWrite(extent: Extent, epoch: number): void {
    for (const region of this.#regionsIn(extent)) {
      this.#lastWrite[region] = Math.max(this.#lastWrite[region]!, epoch);
    }
  }

  /** Undefined where all regions are marked already; else whether their marks have become durable. */
  #mark(extent: Extent): Promise<boolean> | undefined {
    const clean: number[] = [];
    const awaited = new Set<Promise<void>>();
    for (const region of this.#regionsIn(extent)) {
      if (this.#peers.some((peer) => !peer.regions.has(region))) clean.push(region);
      const marking = this.#marking.get(region);
      if (marking !== undefined) awaited.add(marking);
    }
    if (clean.length > 0) awaited.add(this.#saveMarks(clean));
    if (awaited.size > 0)
      return Promise.all(awaited).then(
        () => true,
        (error) => this.#explain(error),
      );
    return this.#file.failed && this.#peers.length > 0 ? Promise.resolve(false) : undefined;
  }

  #saveMarks(clean: readonly number[]): Promise<void> {
    for (const peer of this.#peers) for (const region of clean) peer.regions.add(region);
    const saved = this.#file.save();
    for (const region of clean) this.#marking.set(region, saved);
    const forgetThem = () => {
      for (const region of clean) if (this.#marking.get(region) === saved) this.#marking.delete(region);
    };
    saved.then(forgetThem, forgetThem);
    return saved;
  }

  #explain(error: unknown): false {
    const why = error instanceof Error ? error.message : String(error);
    this.#onProblem(`${recordPathOf(this.#image.path)}: cannot be written, so the image is not either: ${why}`);
    return false;
  }

  #track(answer: Promise<BlockResult>, among: Set<Promise<BlockResult>>): void {
    among.add(answer);
    void answer.then(() => among.delete(answer));
  }

  // ---- the record ----

  #record(): MirrorRecord {
    const peers = this.#peers.map(({ imageId, point, pointBefore, regions }) => ({
      imageId,
      point,
      pointBefore,
      regions,
    }));
    return { ...this.#plain, ...this.#state, peers };
  }

  #peerOf(imageId: string): Peer {
    const peer = this.#peers.find((candidate) => candidate.imageId === imageId);
    assert(peer !== undefined, 'the image is a known peer');
    return peer;
  }

  /** Moves the peer to the end of the list, which begins with the one that is forgotten first. */
  #peerToCopy(imageId: string, regions: RegionSet): void {
    const index = this.#peers.findIndex((peer) => peer.imageId === imageId);
    const known = index < 0 ? undefined : this.#peers.splice(index, 1)[0];
    const { point, pointBefore } = known ?? { point: undefined, pointBefore: undefined };
    const union = regions.union(known?.regions ?? RegionSet.empty(this.regions.count));
    if (this.#peers.length === MAX_PEERS) this.#peers.shift();
    this.#peers.push({ imageId, point, pointBefore, regions: union, pointEpoch: 0, paired: false });
  }
}

function movePoint(peer: Peer, point: LogPoint): void {
  peer.pointBefore = peer.point;
  peer.point = point;
}

function keyOf({ generation, sequence }: LogPoint): string {
  return `${generation} ${sequence}`;
}

function sizeChanged(path: string, now: number, before: number): OperatingError<MirroredImageErrorCode> {
  return new OperatingError(
    'image-size-changed',
    `the image ${path} has ${now} bytes, and its record says ${before}`,
    'A mirrored disk keeps its size; put the image back as it was, or let this host catch up from nothing.',
  );
}
