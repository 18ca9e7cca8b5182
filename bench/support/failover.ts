/** The summary that the failover campaign (test/e2e/campaign.ts) leaves in bench/results/failover.json, as a table. */
import { table } from './numbers.ts';

interface Spread {
  readonly median: number;
  readonly worst: number;
}

/** By kind of fault. */
export type FailoverSummary = Readonly<
  Record<
    string,
    {
      readonly rounds: number;
      readonly wentOn: number;
      readonly acknowledgedWrites: number;
      readonly lostWrites: number;
      readonly brokenConnections: number;
      readonly streamGapMs: Spread;
      readonly redisGapMs: Spread;
    }
  >
>;

const gap = ({ median, worst }: Spread): string => `${Math.round(median)} / ${Math.round(worst)}`;

export function showFailover(summary: FailoverSummary): string {
  return table([
    [
      'fault',
      'went on, of rounds',
      'gap in the stream, ms (median / worst)',
      'gap in redis answers, ms',
      'acknowledged writes',
      'lost',
      'broken connections',
    ],
    ...Object.entries(summary).map(([fault, found]) => [
      fault,
      `${found.wentOn} of ${found.rounds}`,
      gap(found.streamGapMs),
      gap(found.redisGapMs),
      String(found.acknowledgedWrites),
      String(found.lostWrites),
      String(found.brokenConnections),
    ]),
  ]);
}
