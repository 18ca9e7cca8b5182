/** What all faults on hosts have in common: what they are told, what they tell, and small hands. */
import { readFileSync } from 'node:fs';
import type { HostsCluster } from './hosts-cluster.ts';
import type { HostLabel } from './hosts-lab.ts';
import type { Random } from './random.ts';
import type { Redundancy } from './replica-watch.ts';

/** Times are of the wall clock, in ms. */
export type Injected = {
  readonly variant: string;
  readonly faultMs: number;
  /** From here on everything is in order again but the pair. */
  readonly mendedMs: number;
  /** Whether the generation must go on, must have ended, or may have; or no complete replica is left. */
  readonly expected: 'same' | 'next' | 'either' | 'lost';
  /** Where the machine must run afterwards, if that is certain. */
  readonly primary?: HostLabel;
  readonly problems: readonly string[];
};

export type Context = { readonly cluster: HostsCluster; readonly pair: Redundancy; readonly random: Random };

export const PATIENCE_MS = 20_000;
export const CUTS = ['silently', 'first', 'second'] as const;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function signal({ cluster }: Context, host: HostLabel, name: NodeJS.Signals): number {
  const { pid } = cluster.watch.seen.get(host)!;
  process.kill(pid, name);
  return pid;
}

/** A zombie has ended. */
export function hasEnded(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}

/** When somebody goes on alone in a generation after `generation`, from `sinceMs` on; undefined if nobody does for long. */
export function alone({ cluster: { watch } }: Context, generation: number, sinceMs: number, patienceMs = PATIENCE_MS) {
  const found = () =>
    watch.entered(sinceMs).find(({ phase, generation: now }) => phase === 'alone' && now > generation);
  return watch.until(found, patienceMs);
}

export const someMs = (random: Random, atLeast: number, atMost: number): number => atLeast + random(atMost - atLeast);
