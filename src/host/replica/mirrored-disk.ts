/**
 * This host's image of a mirrored disk, for a replica (docs/disks.md): requests of the primary's guest or of the backup's copy
 * of it, the image's part in generations, and catching up as a part of state transfer.
 */
import type { BlockRequest } from '../../core/machine/doors.ts';
import { type BlockResult, type Disk, failed } from '../disk/disk.ts';
import { MirroredImage } from '../disk/mirrored-image.ts';
import { type CatchUpEvents, ImageGiver, ImageTaker } from './image-catch-up.ts';
import type { MirrorAction, MirrorEvent, ReplicaDisk } from './replica-disk.ts';

export interface MirroredDiskOptions {
  readonly path: string;
  readonly vm: string;
  readonly incarnation: string;
  readonly onEvent: (event: MirrorEvent) => void;
  readonly onNotice: (line: string) => void;
  /** A bug of ours, or of the files below. */
  readonly onFailure: (error: unknown) => void;
}

type CatchUpAction = MirrorAction & { type: 'catch-up' };

export class MirroredDisk implements ReplicaDisk {
  readonly image: MirroredImage;
  readonly #options: MirroredDiskOptions;
  #disk: Disk | undefined;
  #giver: { readonly transfer: number; readonly end: ImageGiver } | undefined;
  #taker: { readonly transfer: number; readonly end: ImageTaker } | undefined;
  /** The point at which the copy was cut. */
  #cut = { generation: 0, sequence: 0 };
  /** The image that is one of a pair with this one. */
  #peerId: string | undefined;

  constructor(image: MirroredImage, options: MirroredDiskOptions) {
    this.image = image;
    this.#options = options;
  }

  /** Opens the image at the path, with its record. Throws OperatingError. */
  static async open(options: MirroredDiskOptions): Promise<MirroredDisk> {
    return new MirroredDisk(await MirroredImage.open(options.path, options.onNotice), options);
  }

  /** How far the other host's image is with catching up; undefined while none does. */
  get copied(): { readonly doneBytes: number; readonly totalBytes: number } | undefined {
    return this.#giver?.end.copied;
  }

  async sizeBytes(): Promise<number> {
    return this.image.sizeBytes;
  }

  async admit(generation: number): Promise<'admitted' | 'refused'> {
    try {
      this.#disk = this.image.disk();
      await this.image.enter(generation, this.#options.incarnation);
      return 'admitted';
    } catch (error) {
      this.#options.onNotice(error instanceof Error ? error.message : String(error));
      return 'refused';
    }
  }

  request(generation: number, request: BlockRequest, sequence?: number): Promise<BlockResult> {
    if (this.#disk === undefined) return Promise.resolve(failed('closed'));
    if (request.type !== 'flush') return this.#disk.request(request);
    return this.image.flush(sequence === undefined ? undefined : { generation, sequence });
  }

  /** In the order of the requests that overlap it. */
  async read(request: BlockRequest & { type: 'read' }): Promise<Uint8Array | undefined> {
    const result = await this.#disk?.request(request);
    return result?.ok ? result.data : undefined;
  }

  perform(action: MirrorAction): void {
    switch (action.type) {
      case 'disk-join':
        return this.#run(() => this.#join(action));
      case 'disk-common':
        return this.#run(() => this.#commonPoint(action));
      case 'catch-up-data': {
        const end = [this.#giver, this.#taker].find((one) => one?.transfer === action.transfer)?.end;
        return end?.receive(action.bytes);
      }
      case 'catch-up':
        return this.#catchUp(action);
    }
  }

  async close(): Promise<void> {
    this.#giver?.end.end();
    this.#taker?.end.end();
    await this.image.close();
  }

  #catchUp(action: CatchUpAction): void {
    const { transfer } = action;
    if (action.step === 'give') {
      this.#giver = { transfer, end: new ImageGiver(this.image, this.#events(transfer, 'caught-up')) };
      return;
    }
    if (action.step === 'take') {
      this.#taker = { transfer, end: new ImageTaker(this.image, this.#events(transfer, 'catch-up-complete')) };
      return this.#taker.end.begin();
    }
    const giver = this.#giver?.transfer === transfer ? this.#giver.end : undefined;
    if (action.step === 'cut') {
      this.#cut = { generation: action.generation, sequence: action.sequence };
      return giver?.cut();
    }
    if (action.step === 'paired') {
      this.#peerId = giver?.peerId;
      return this.#run(() => this.image.pairedWith(this.#peerId!, this.#cut));
    }
    giver?.end();
    if (this.#taker?.transfer === transfer) this.#taker.end.end();
  }

  #events(transfer: number, done: 'caught-up' | 'catch-up-complete'): CatchUpEvents {
    const { onEvent, onNotice } = this.#options;
    return {
      send: (bytes) => onEvent({ type: 'catch-up-send', transfer, bytes }),
      done: () => onEvent({ type: done, transfer }),
      failed: (why) => onEvent({ type: 'catch-up-failed', transfer, why }),
      onNotice,
    };
  }

  async #join({ generation, sequence }: MirrorAction & { type: 'disk-join' }): Promise<void> {
    const survivorId = this.#taker?.end.survivorId;
    if (survivorId === undefined) throw new Error('an image joins that has not caught up');
    await this.image.endCatchUp(survivorId, this.#options.incarnation, { generation, sequence });
    this.#peerId = survivorId;
    this.#disk = this.image.disk();
    this.#options.onEvent({ type: 'disk-joined', generation });
  }

  async #commonPoint({ generation, sequence }: MirrorAction & { type: 'disk-common' }): Promise<void> {
    const noted = this.#peerId !== undefined && (await this.image.commonPoint(this.#peerId, { generation, sequence }));
    this.#options.onEvent({ type: 'disk-common', sequence, noted });
  }

  #run(work: () => Promise<void>): void {
    void work().catch(this.#options.onFailure);
  }
}
