/**
 * By what a returning host's image must catch up with the survivor's (PROTOCOL.md, 24): the union of the regions that either
 * side wrote since their last common durable point. The survivor's alone would not do: the returning host may hold blocks that
 * the survivor never wrote. Without a record on both sides it is everything.
 *
 * The two sides keep a common point one after the other, so their records are one point apart at most. A record that is
 * further behind was put back from an older copy of its host's files, with the image, and says nothing.
 */
import { comparePoints, isEmpty, type LogPoint, type MirrorRecord, type PeerRecord } from './mirror-record.ts';
import { RegionSet, Regions } from './region-set.ts';

export type CatchUpPlan =
  | { readonly kind: 'regions'; readonly regions: RegionSet }
  | { readonly kind: 'everything'; readonly regions: RegionSet; readonly why: string }
  /** The image there is not one of this disk, and must not be overwritten. */
  | { readonly kind: 'refused'; readonly why: string };

export function planCatchUp(survivor: MirrorRecord, returning: MirrorRecord | undefined): CatchUpPlan {
  const everything = (why: string): CatchUpPlan => {
    const { count } = new Regions(survivor.sizeBytes, survivor.regionBytes);
    return { kind: 'everything', regions: RegionSet.full(count), why };
  };
  if (survivor.state !== 'complete') return { kind: 'refused', why: "the survivor's image is incomplete itself" };
  if (returning === undefined) return everything('it has no record of its image');
  const objection = objectionTo(survivor, returning);
  if (objection !== undefined) return { kind: 'refused', why: objection };
  if (isEmpty(returning)) return everything('it is empty');
  if (returning.regionBytes !== survivor.regionBytes) return everything('its record has regions of another size');
  const here = peerOf(survivor, returning.imageId);
  const there = peerOf(returning, survivor.imageId);
  if (here === undefined || there === undefined) return everything('the two images have not been a pair');
  if (isBehind(there.point, here.pointBefore)) return everything('its record is older than what it confirmed');
  if (isBehind(here.point, there.pointBefore))
    return everything("the survivor's record is older than what it confirmed");
  return { kind: 'regions', regions: here.regions.union(there.regions) };
}

export function peerOf(record: MirrorRecord, imageId: string): PeerRecord | undefined {
  return record.peers.find((peer) => peer.imageId === imageId);
}

function objectionTo(survivor: MirrorRecord, returning: MirrorRecord): string | undefined {
  if (returning.vm !== survivor.vm) return `it is the disk of '${returning.vm}', not of '${survivor.vm}'`;
  if (returning.setId !== survivor.setId && !isEmpty(returning))
    return `it belongs to another disk that was made for '${returning.vm}'`;
  if (returning.imageId === survivor.imageId) return 'it is a copy of the very same image, record included';
  if (returning.sizeBytes !== survivor.sizeBytes)
    return `it has ${returning.sizeBytes} bytes, and the survivor's ${survivor.sizeBytes}`;
  return undefined;
}

function isBehind(point: LogPoint | undefined, least: LogPoint | undefined): boolean {
  if (least === undefined) return false;
  return point === undefined || comparePoints(point, least) < 0;
}
