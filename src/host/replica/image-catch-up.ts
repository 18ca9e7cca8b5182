/**
 * The two ends of a catch-up between hosts (docs/disks.md): `ImageGiver` beside the survivor's image, which plans and copies,
 * and `ImageTaker` beside the returning one, which carries out what it is told. They speak `ImageMessage`s over the channel
 * of a state transfer; whoever owns them carries the bytes.
 */
import { MalformedError } from '../../core/base/byte-reader.ts';
import { isIdentifier } from '../arbiter/arbiter.ts';
import { CatchUp } from '../disk/catch-up.ts';
import { planCatchUp } from '../disk/catch-up-plan.ts';
import { type BlockResult, failed, OK } from '../disk/disk.ts';
import { decodeSlot, encodeSlot } from '../disk/mirror-record.ts';
import type { CatchUpTarget, MirroredImage } from '../disk/mirrored-image.ts';
import { RegionSet } from '../disk/region-set.ts';
import {
  type CopyRequest,
  decodeImageMessage,
  encodeImageMessage,
  type ImageMessage,
  MAX_WRITE_BYTES,
} from './image-wire.ts';

export interface CatchUpEvents {
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** The giver: every region was copied. The taker: the image is the survivor's at the cut. Called once. */
  readonly done: () => void;
  /** It has ended without success. Called once at most, and not after `end`. */
  readonly failed: (why: string) => void;
  readonly onNotice: (line: string) => void;
}

/** Both sides flush after so many bytes, so that no flush takes long. */
const SETTLE_BYTES = 16 * 1024 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;

/** What both ends have in common: messages in order, and one end. */
abstract class End {
  protected readonly image: MirroredImage;
  protected readonly events: CatchUpEvents;
  #over = false;

  constructor(image: MirroredImage, events: CatchUpEvents) {
    this.image = image;
    this.events = events;
  }

  protected get over(): boolean {
    return this.#over;
  }

  /** Bytes from the other end. */
  receive(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.take(decodeImageMessage(bytes));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.fail(`the other host makes no sense about its image: ${error.message}`);
    }
  }

  /** Nothing is sent or reported any more. */
  end(): void {
    this.#over = true;
    this.release();
  }

  protected abstract take(message: ImageMessage): void;

  /** Lets go of what waits for the other end. */
  protected abstract release(): void;

  protected say(message: ImageMessage): void {
    if (!this.#over) this.events.send(encodeImageMessage(message));
  }

  protected fail(why: string): void {
    if (this.#over) return;
    this.end();
    this.events.failed(why);
  }

  /** Runs what waits for files; a failure there ends the catch-up. */
  protected run(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.fail(error instanceof Error ? error.message : String(error)));
  }
}

export class ImageGiver extends End {
  #peerId: string | undefined;
  #begin: (() => void) | undefined;
  #catchUp: CatchUp | undefined;
  #complete = false;
  #copied: { readonly doneBytes: number; readonly totalBytes: number } | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, (ok: boolean) => void>();

  /** The image that catches up; undefined before it is known. */
  get peerId(): string | undefined {
    return this.#peerId;
  }

  /** How far the copying of regions is; undefined before it begins, and after the end. */
  get copied(): { readonly doneBytes: number; readonly totalBytes: number } | undefined {
    return this.#copied;
  }

  /**
   * The machine was cut: what was submitted before follows, and then the images are equal, durably. What the machine has in
   * flight is done once more by the other host.
   */
  cut(): void {
    this.run(async () => {
      const flushed = await this.image.flush();
      if (!flushed.ok) throw new Error(`${this.image.description} cannot be flushed: ${flushed.error}`);
      await this.#catchUp!.cutOver();
      this.#complete = true;
      this.say({ kind: 'complete' });
    });
  }

  protected take(message: ImageMessage): void {
    switch (message.kind) {
      case 'record':
        return this.#plan(message.slot);
      case 'begun':
        this.#begin?.();
        this.#begin = undefined;
        return;
      case 'answer':
      case 'settled': {
        const answered = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        return answered?.(message.ok);
      }
      default:
        throw new MalformedError(0, `it says ${message.kind}`);
    }
  }

  protected release(): void {
    if (!this.#complete) this.#catchUp?.abort();
    this.#copied = undefined;
    for (const answered of [...this.#waiting.values()]) answered(false);
    this.#waiting.clear();
  }

  #plan(slot: Uint8Array): void {
    const returning = decodeSlot(Buffer.from(slot))?.record;
    if (this.#peerId !== undefined || returning === undefined) throw new MalformedError(0, 'no record of its image');
    const plan = planCatchUp(this.image.record, returning);
    if (plan.kind === 'refused') {
      const why = `its image cannot catch up with this one: ${plan.why}`;
      this.say({ kind: 'refused', why });
      return this.fail(why);
    }
    const { count, size } = plan.regions;
    const why = plan.kind === 'everything' ? ` (${plan.why})` : '';
    this.events.onNotice(`the new backup's image lacks ${size} of ${count} regions${why}`);
    this.#peerId = returning.imageId;
    const { imageId, record } = this.image;
    this.#begin = () => this.run(() => this.#copy(plan.regions));
    this.say({ kind: 'begin', imageId, setId: record.setId, regions: plan.regions.toBytes() });
  }

  async #copy(regions: RegionSet): Promise<void> {
    const { regionBytes } = this.image.regions;
    const onProgress = (left: number, total: number): void => {
      this.#copied = { doneBytes: (total - left) * regionBytes, totalBytes: total * regionBytes };
    };
    onProgress(regions.size, regions.size);
    const options = { windowBytes: WINDOW_BYTES, settleBytes: SETTLE_BYTES, onProgress };
    this.#catchUp = await CatchUp.start(this.image, this.#peerId!, regions, this.#target(), options);
    if (this.over) return this.#catchUp.abort();
    await this.#catchUp.copied;
    this.events.onNotice("the new backup's image has caught up");
    if (!this.over) this.events.done();
  }

  #target(): CatchUpTarget {
    return {
      request: async (request) => {
        const parts = partsOf(request as CopyRequest);
        const results = await Promise.all(parts.map((part) => this.#ask((id) => this.say(asked(part, id)))));
        const result: BlockResult = results.every((ok) => ok) ? OK : failed('io');
        return result;
      },
      settle: async (regions) => {
        const set = RegionSet.of(this.image.regions.count, regions).toBytes();
        const ok = await this.#ask((id) => this.say({ kind: 'settle', id, regions: set }));
        if (!ok) throw new Error('the other host cannot flush its image');
      },
    };
  }

  #ask(send: (id: number) => void): Promise<boolean> {
    if (this.over) return Promise.resolve(false);
    const id = ++this.#lastId;
    return new Promise((answered) => {
      this.#waiting.set(id, answered);
      send(id);
    });
  }
}

export class ImageTaker extends End {
  #survivorId: string | undefined;
  #target: CatchUpTarget | undefined;
  #complete = false;

  /** The image with which this one has caught up; undefined while it has not. */
  get survivorId(): string | undefined {
    return this.#complete ? this.#survivorId : undefined;
  }

  /** Tells the survivor what is here. */
  begin(): void {
    this.say({ kind: 'record', slot: encodeSlot(this.image.record, 0) });
  }

  protected take(message: ImageMessage): void {
    switch (message.kind) {
      case 'refused':
        return this.fail(`the primary refuses this host's image: ${message.why}`);
      case 'begin':
        return this.#begin(message);
      case 'request':
        return this.#request(message.request);
      case 'settle':
        return this.#settle(message);
      case 'complete':
        if (this.#target === undefined || this.#complete) throw new MalformedError(0, 'it is complete too early');
        this.#complete = true;
        return this.events.done();
      default:
        throw new MalformedError(0, `it says ${message.kind}`);
    }
  }

  protected release(): void {}

  #begin({ imageId, setId, regions }: ImageMessage & { kind: 'begin' }): void {
    const set = this.#regions(regions);
    if (this.#survivorId !== undefined || !isIdentifier(imageId) || !isIdentifier(setId))
      throw new MalformedError(0, 'it begins twice, or without a name');
    this.#survivorId = imageId;
    this.events.onNotice(`this host's image catches up: ${set.size} of ${set.count} regions`);
    this.run(async () => {
      this.#target = await this.image.beginCatchUp({ imageId, setId }, set);
      this.say({ kind: 'begun' });
    });
  }

  #request(request: CopyRequest): void {
    void this.#open()
      .request(request)
      .then(({ ok }) => this.say({ kind: 'answer', id: request.id, ok }));
  }

  #settle({ id, regions }: ImageMessage & { kind: 'settle' }): void {
    const set = this.#regions(regions);
    this.#open()
      .settle([...set])
      .then(
        () => this.say({ kind: 'settled', id, ok: true }),
        (error: unknown) => {
          this.events.onNotice(error instanceof Error ? error.message : String(error));
          this.say({ kind: 'settled', id, ok: false });
        },
      );
  }

  #open(): CatchUpTarget {
    if (this.#target === undefined || this.#complete) throw new MalformedError(0, 'a request out of time');
    return this.#target;
  }

  #regions(bytes: Uint8Array): RegionSet {
    const set = RegionSet.fromBytes(this.image.regions.count, bytes);
    if (set === undefined) throw new MalformedError(0, 'its image has regions of another size');
    return set;
  }
}

function asked(request: CopyRequest, id: number): ImageMessage {
  return { kind: 'request', request: { ...request, id } };
}

/** What overlaps stays in order, so the parts of a long write may be answered one by one. */
function partsOf(request: CopyRequest): CopyRequest[] {
  if (request.type !== 'write' || request.data.length <= MAX_WRITE_BYTES) return [request];
  const parts: CopyRequest[] = [];
  for (let at = 0; at < request.data.length; at += MAX_WRITE_BYTES) {
    const data = request.data.subarray(at, at + MAX_WRITE_BYTES);
    parts.push({ type: 'write', id: 0, offset: request.offset + at, data });
  }
  return parts;
}
