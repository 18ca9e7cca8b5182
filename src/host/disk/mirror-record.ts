/**
 * What a host keeps durably beside its image of a mirrored disk: whose image it is, and where it may differ from the images
 * of other hosts (PROTOCOL.md, 24 and 26).
 *
 * For each other image that it has been paired with it holds the set of regions that were written here since the last
 * *common durable point* of the two, a place in the log up to which both had everything on stable storage. A region
 * enters the set, durably, before the first write to it, so the set also tells what may have been under way when the
 * power failed. It leaves the set lazily: a mark too many costs a copy, a mark too few costs data. There is one set for
 * each peer, because a point that is common with one host says nothing about another that is away.
 *
 * In bytes (`encodeSlot`): magic, version, serial number, length and checksum, then a header in JSON, then the sets. A
 * record's file has two such slots, written in turn (mirror-record-file.ts).
 */
import { crc32c } from '../../core/base/crc32c.ts';
import { isIdentifier } from '../arbiter/arbiter.ts';
import { bytesFor, RegionSet, Regions } from './region-set.ts';

/** A place in the log of a generation; points are ordered by generation, then by sequence number. */
export type LogPoint = { readonly generation: number; readonly sequence: number };

/** `incomplete`: regions of it are being overwritten by those of another image. It never boots. */
export type ImageState = 'complete' | 'incomplete';

export type PeerRecord = {
  /** The other image. */
  readonly imageId: string;
  /** The last two points up to which both images were known to be durable; undefined before there were so many. */
  readonly point: LogPoint | undefined;
  readonly pointBefore: LogPoint | undefined;
  /** What was written here since `point`, or has to be copied; and perhaps more. */
  readonly regions: RegionSet;
};

export type MirrorRecord = {
  readonly vm: string;
  /** All images of one mirrored disk share it: 32 hexadecimal digits, made with the first of them. */
  readonly setId: string;
  /** This image: 32 hexadecimal digits, made at random with its record. */
  readonly imageId: string;
  readonly sizeBytes: number;
  readonly regionBytes: number;
  readonly state: ImageState;
  /** The last generation that this image is known to have been a part of; undefined before the first. */
  readonly generation: number | undefined;
  /** Every incarnation under which it was a part of that generation, or may have claimed a later one. */
  readonly incarnations: readonly string[];
  /** At most MAX_PEERS, the one paired with last at the end. */
  readonly peers: readonly PeerRecord[];
};

/** Of more peers the oldest is forgotten, and gets everything should it come back. */
export const MAX_PEERS = 4;
/** So many cold starts in a row may end before their claim is answered. */
export const MAX_INCARNATIONS = 32;

const MAGIC = 0x524d5355; // USMR
const VERSION = 1;
const PREFIX_BYTES = 24;
const HEADER_BYTES = 8 * 1024;
const SECTOR = 4096;

/** The length of one slot, for ever, of a disk of this form. */
export function slotBytesFor(regions: Regions): number {
  const content = PREFIX_BYTES + HEADER_BYTES + MAX_PEERS * bytesFor(regions.count);
  return Math.ceil(content / SECTOR) * SECTOR;
}

/** The prefix, header and sets, without padding: `serial` tells the newer of two slots. */
export function encodeSlot(record: MirrorRecord, serial: number): Buffer {
  const { peers, ...plain } = record;
  const header = { ...plain, peers: peers.map(({ regions: _, ...peer }) => peer) };
  const text = Buffer.from(JSON.stringify(header));
  const body = Buffer.concat([text, ...peers.map((peer) => peer.regions.toBytes())]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(MAGIC, 0);
  prefix.writeUInt16LE(VERSION, 4);
  prefix.writeUInt16LE(text.length, 6);
  prefix.writeBigUInt64LE(BigInt(serial), 8);
  prefix.writeUInt32LE(body.length, 16);
  prefix.writeUInt32LE(crc32c(body, crc32c(prefix.subarray(0, 20))), 20);
  return Buffer.concat([prefix, body]);
}

/** Undefined where the slot was never written, was torn, or is not ours. */
export function decodeSlot(slot: Buffer): { readonly serial: number; readonly record: MirrorRecord } | undefined {
  if (slot.length < PREFIX_BYTES || slot.readUInt32LE(0) !== MAGIC || slot.readUInt16LE(4) !== VERSION)
    return undefined;
  const textBytes = slot.readUInt16LE(6);
  const bodyBytes = slot.readUInt32LE(16);
  if (bodyBytes > slot.length - PREFIX_BYTES || textBytes > bodyBytes) return undefined;
  const body = slot.subarray(PREFIX_BYTES, PREFIX_BYTES + bodyBytes);
  if (crc32c(body, crc32c(slot.subarray(0, 20))) !== slot.readUInt32LE(20)) return undefined;
  const record = parseBody(body.toString('utf8', 0, textBytes), body.subarray(textBytes));
  return record === undefined ? undefined : { serial: Number(slot.readBigUInt64LE(8)), record };
}

/** The checksum holds, so this was written by some version of us: the checks are against that version's mistakes. */
function parseBody(text: string, sets: Uint8Array): MirrorRecord | undefined {
  try {
    const header = JSON.parse(text) as MirrorRecord;
    if (!isIdentifier(header.setId) || !isIdentifier(header.imageId) || !header.incarnations.every(isIdentifier)) {
      return undefined;
    }
    if (header.state !== 'complete' && header.state !== 'incomplete') return undefined;
    const { count } = new Regions(header.sizeBytes, header.regionBytes);
    const peers: PeerRecord[] = [];
    for (const [index, { imageId, point, pointBefore }] of header.peers.entries()) {
      const at = index * bytesFor(count);
      const regions = RegionSet.fromBytes(count, sets.subarray(at, at + bytesFor(count)));
      if (regions === undefined || !isIdentifier(imageId)) return undefined;
      peers.push({ imageId, point, pointBefore, regions });
    }
    return { ...header, generation: header.generation, peers };
  } catch {
    return undefined;
  }
}

/** As `makeEmptyMirror` leaves it: it has never been a part of any set, and nothing was ever written to its image. */
export function isEmpty(record: Pick<MirrorRecord, 'state' | 'peers'>): boolean {
  return record.state === 'incomplete' && record.peers.length === 0;
}

/** Negative, 0 or positive, as `a` is before, at or after `b`. */
export function comparePoints(a: LogPoint, b: LogPoint): number {
  return a.generation - b.generation || a.sequence - b.sequence;
}
