/**
 * For tests: a survivor's and a returning host's images in one process, and a guest that writes to both as a pair does. The
 * guest remembers what every sector must hold.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { CatchUp, type CatchUpOptions } from '../catch-up.ts';
import { type CatchUpPlan, planCatchUp } from '../catch-up-plan.ts';
import type { Disk } from '../disk.ts';
import type { CatchUpTarget, MirroredImage } from '../mirrored-image.ts';

/** Random whole numbers from a seed (mulberry32): `below(n)` is 0 .. n-1. */
export function seeded(seed: number): { below(bound: number): number } {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
  return { below };
}

export const SECTOR = 512;

/** Writes a few sectors somewhere, to each of the disks in turn; fill 0 is a write of zeroes. */
export async function writeSomewhere(disks: readonly Disk[], random: ReturnType<typeof seeded>): Promise<void> {
  const [first] = disks;
  const sectors = 1 + random.below(random.below(4) === 0 ? 600 : 8);
  const offset = random.below(first!.sizeBytes / SECTOR - sectors) * SECTOR;
  const length = sectors * SECTOR;
  const fill = random.below(256);
  const results = await Promise.all(
    disks.map((disk) =>
      fill === 0
        ? disk.request({ type: 'write-zeroes', id: 0, offset, length })
        : disk.request({ type: 'write', id: 0, offset, data: new Uint8Array(length).fill(fill) }),
    ),
  );
  assert.ok(results.every((result) => result.ok));
}

export async function beginCatchUp(
  survivor: MirroredImage,
  returning: MirroredImage,
): Promise<{ plan: Exclude<CatchUpPlan, { kind: 'refused' }>; target: CatchUpTarget }> {
  const plan = planCatchUp(survivor.record, returning.record);
  assert.ok(plan.kind !== 'refused', 'why' in plan ? plan.why : '');
  const target = await returning.beginCatchUp(
    { imageId: survivor.imageId, setId: survivor.record.setId },
    plan.regions,
  );
  return { plan, target };
}

/** The whole way from two images to a pair, with `meanwhile` while regions are copied. */
export async function catchUp(
  survivor: MirroredImage,
  returning: MirroredImage,
  options: CatchUpOptions & { meanwhile?: () => Promise<void>; around?: (target: CatchUpTarget) => CatchUpTarget } = {},
): Promise<Exclude<CatchUpPlan, { kind: 'refused' }>> {
  const { plan, target } = await beginCatchUp(survivor, returning);
  const around = options.around ?? ((plain: CatchUpTarget) => plain);
  const session = await CatchUp.start(survivor, returning.imageId, plan.regions, around(target), options);
  await Promise.all([session.copied, options.meanwhile?.()]);
  await session.cutOver();
  const point = { generation: (survivor.record.generation ?? 0) + 1, sequence: 0 };
  await returning.endCatchUp(survivor.imageId, randomBytes(16).toString('hex'), point);
  await survivor.pairedWith(returning.imageId, point);
  return plan;
}
