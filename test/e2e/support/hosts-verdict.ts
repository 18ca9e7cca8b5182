/**
 * The judge of a round on hosts, apart from whatever brings the evidence: what the replicas said, whose frames were on the wire, and how
 * long the clients waited.
 */
import type { FrameRun } from './frame-watch.ts';
import type { Injected } from './hosts-hands.ts';
import type { HostLabel } from './hosts-lab.ts';
import type { Wait } from './probe.ts';
import type { Entered, Redundancy, Said } from './replica-watch.ts';

export const REDUNDANT_WITHIN_MS = 30_000;
/** Longer, so that it is known how long it took. */
export const REDUNDANT_PATIENCE_MS = 75_000;

/** The pair before the fault and when all was over. */
export type Told = {
  readonly before: Redundancy;
  readonly after: Redundancy | undefined;
  readonly injected: Injected;
};

function longest(waits: readonly Wait[], fromMs: number, toMs: number): number | undefined {
  const within = waits.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  return within.length === 0 ? undefined : Math.max(...within.map(({ startMs, endMs }) => endMs - startMs));
}

export function timesOf({ before, after, injected }: Told, entered: readonly Entered[], waits: readonly Wait[]) {
  const { faultMs, mendedMs, expected } = injected;
  const broken = after === undefined || after.generation > before.generation;
  const alone = entered.find(({ phase }) => phase === 'alone');
  const copying = entered.findLast(({ phase }) => phase === 'copying');
  const last = entered.filter(({ phase, generation }) => phase === 'paired' && generation === after?.generation);
  const redundantMs = !broken || after === undefined ? undefined : (last.at(-1)?.atMs ?? after.atMs);
  const copied = copying !== undefined && redundantMs !== undefined && redundantMs > copying.atMs;
  const serving = expected !== 'lost';
  return {
    redundantMs,
    gapMs: serving ? longest(waits, faultMs, Math.max(alone?.atMs ?? 0, faultMs + 1000)) : undefined,
    usualMs: longest(waits, 0, faultMs - 1000) ?? 0,
    transferGapMs: serving && copied ? longest(waits, copying.atMs, redundantMs) : undefined,
    transferMs: copied ? redundantMs - copying.atMs : undefined,
    redundantAfterMs: redundantMs === undefined ? undefined : redundantMs - faultMs,
    redundantAfterMendMs: redundantMs === undefined ? undefined : Math.max(0, redundantMs - mendedMs),
  };
}

/** The image's part in the last copy that was made: which regions it lacked, and how long they took. Undefined without one. */
export type ImageCopy = { readonly lacked: number; readonly regions: number; readonly tookMs: number };

export function imageCopyOf(said: readonly Said[]): ImageCopy | undefined {
  const inOrder = [...said].sort((a, b) => a.atMs - b.atMs);
  const end = inOrder.findLast(({ text }) => text === "the new backup's image has caught up");
  if (end === undefined) return undefined;
  const begins = inOrder.flatMap((line) => {
    const parts = /^the new backup's image lacks (\d+) of (\d+) regions/.exec(line.text);
    return parts === null || line.host !== end.host || line.atMs > end.atMs ? [] : [{ line, parts }];
  });
  const begin = begins.at(-1);
  if (begin === undefined) return undefined;
  const [lacked, regions] = [Number(begin.parts[1]), Number(begin.parts[2])];
  return { lacked, regions, tookMs: end.atMs - begin.line.atMs };
}

export function redundancyProblems({ before, after, injected }: Told, redundantMs: number | undefined): string[] {
  const { expected, mendedMs, primary } = injected;
  if (after === undefined) return [`not redundant ${REDUNDANT_PATIENCE_MS / 1000} s after the fault was mended`];
  const problems: string[] = [];
  const tookMs = (redundantMs ?? mendedMs) - mendedMs;
  if (tookMs > REDUNDANT_WITHIN_MS && expected !== 'lost') {
    problems.push(`redundant only ${tookMs} ms after the fault was mended`);
  }
  if (expected === 'same' && after.generation !== before.generation) problems.push('the pair was broken');
  if (primary !== undefined && after.primary !== primary) {
    problems.push(`the machine runs on ${after.primary}, not on ${primary}`);
  }
  return problems;
}

/** Each generation is won by one host only. */
export function claimProblems(entered: readonly Entered[]): string[] {
  const winners = new Map<number, Set<HostLabel>>();
  for (const { phase, generation, host } of entered) {
    if (phase !== 'admitting' && phase !== 'alone') continue;
    winners.set(generation, (winners.get(generation) ?? new Set()).add(host));
  }
  return [...winners]
    .filter(([, hosts]) => hosts.size > 1)
    .map(([generation, hosts]) => `generation ${generation} was won by ${[...hosts].join(' and ')}`);
}

/** Whoever has won a generation, in order. */
export function ownersOf(entered: readonly Entered[]): HostLabel[] {
  return entered.filter(({ phase }) => phase === 'admitting').map(({ host }) => host);
}

/** The guest's frames come from its owners, one after the other: never again from one that was followed by another. */
export function frameProblems(
  runs: readonly FrameRun[],
  owners: readonly HostLabel[],
  hostOf: (vtep: string) => HostLabel | undefined,
): string[] {
  let at = 0;
  for (const { vtep, frames, firstMs } of runs) {
    const host = hostOf(vtep);
    const next = owners.findIndex((owner, i) => i >= at && owner === host);
    if (next < 0) {
      const order = runs.map((run) => `${hostOf(run.vtep) ?? run.vtep} (${run.frames})`).join(', ');
      const when = new Date(firstMs).toISOString();
      return [
        `${frames} frames from ${host ?? vtep} at ${when} out of turn: frames came from ${order}, owners were ${owners.join(', ')}`,
      ];
    }
    at = next;
  }
  return [];
}
