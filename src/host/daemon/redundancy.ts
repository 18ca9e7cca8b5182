/**
 * Why a machine is not redundant, or not as it should be, in words, and what a person can do: as its primary sees it. A pure
 * function of what the primary's process knows; the command shows it as it is.
 */
import type { CopyReport, HostRecord, Reason } from './messages.ts';

const MIB = 1024 * 1024;
/** A backup that is so far behind would take long to take over. */
const LAGS_MS = 1000;

/** Phases between two others, which last only while somebody does not answer. */
const DECIDING: Readonly<Record<string, string>> = {
  'claiming-first': 'the primary asks the arbiter for the machine’s first generation',
  admitting: 'the primary waits for its disk to admit it',
  forming: 'a backup has connected, and the pair is being formed',
  leaving: 'the primary has lost its backup, and asks the arbiter whether it may go on alone',
  'cutting-over': 'the new backup has everything, and the primary waits for its first word',
  'handing-over': 'the primary hands over to its backup',
};

export interface RedundancyFacts {
  readonly machine: string;
  readonly phase: string;
  /** The part of the time that the guest may use. */
  readonly speed: number;
  readonly lagMs: number;
  readonly copy: CopyReport | undefined;
  /** Why the arbiter does not answer. */
  readonly arbiter: string | undefined;
  /** Why the store of the hosts' leases does not. */
  readonly store: string | undefined;
  /** Names of hosts that the machine may use, and its primary's own. */
  readonly hosts: readonly string[];
  readonly own: string;
  /** What a replica takes. */
  readonly memoryBytes: number;
  /** Undefined before the first look at the store. */
  readonly present: readonly Pick<HostRecord, 'name' | 'freeBytes'>[] | undefined;
  /** The host that was asked for a backup. */
  readonly asked: string | undefined;
  /** Why a host is left out for a while. */
  readonly trouble: (host: string) => { readonly why: string; readonly restMs: number } | undefined;
}

/** What matters most first; empty if the pair is complete and well. */
export function whyNotRedundant(facts: RedundancyFacts): Reason[] {
  const { phase, copy, arbiter, store } = facts;
  if (phase === 'paired') return facts.lagMs < LAGS_MS ? [] : [lagging(facts)];
  const reasons: Reason[] = [];
  if (arbiter !== undefined) {
    reasons.push({
      code: 'arbiter-unreachable',
      message: `the arbiter gives no answer, and nothing is decided without it: ${arbiter}`,
      advice: 'Bring the arbiter back, or this host’s way to it; the primary asks on.',
    });
  }
  if (copy !== undefined) reasons.push({ code: 'copying', message: describeCopy(copy) });
  else if (phase === 'alone' || phase === 'waiting-for-backup') {
    if (store !== undefined) {
      reasons.push({
        code: 'store-away',
        message: `the hosts that could give a backup are not known: ${store}`,
        advice: 'Bring the store beside the arbiter back; the primary looks on.',
      });
    } else reasons.push(...hostReasons(facts));
  } else reasons.push({ code: 'deciding', message: DECIDING[phase] ?? `the primary is ${phase}` });
  return reasons;
}

function lagging({ lagMs, speed }: RedundancyFacts): Reason {
  const slowed = speed < 1 ? `; the guest runs at ${Math.round(speed * 100)} % of its speed meanwhile` : '';
  return {
    code: 'backup-lags',
    message: `the backup is ${(lagMs / 1000).toFixed(1)} s behind, and would need as long to take over${slowed}`,
    advice: 'If that stays: the backup’s host is too slow or too busy, or the network between the two is.',
  };
}

/** `copying memory: 40 %, 205 of 512 MiB, 95 MiB/s, about 4 s to go` */
export function describeCopy({ stage, doneBytes, totalBytes, bytesPerSecond, restMs }: CopyReport): string {
  if (stage === 'starting') return 'a copy of the machine begins';
  if (stage === 'finishing') return `a copy of the machine is nearly complete (${mib(doneBytes)} MiB copied)`;
  const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
  const pace = bytesPerSecond === undefined ? '' : `, ${mib(bytesPerSecond)} MiB/s`;
  const rest = restMs === undefined ? '' : `, about ${Math.max(1, Math.round(restMs / 1000))} s to go`;
  return `copying ${stage}: ${percent} %, ${mib(doneBytes)} of ${mib(totalBytes)} MiB${pace}${rest}`;
}

function hostReasons(facts: RedundancyFacts): Reason[] {
  const { machine, hosts, own, present } = facts;
  const others = hosts.filter((host) => host !== own);
  if (others.length === 0) {
    return [
      { code: 'no-spare', message: `${machine} may use no host but ${own}`, advice: 'Protect it with more hosts.' },
    ];
  }
  if (present === undefined) return [{ code: 'looking', message: 'the primary looks for a host' }];
  return others.map((host) => reasonOf(host, facts));
}

function reasonOf(name: string, { machine, memoryBytes, present, asked, trouble }: RedundancyFacts): Reason {
  const host = present?.find((record) => record.name === name);
  if (host === undefined) {
    return {
      code: 'host-absent',
      message: `host ${name} is not there`,
      advice: `Start "understudy host" on ${name}, with the same arbiter.`,
    };
  }
  if (name === asked) return { code: 'asked', message: `host ${name} was asked for a backup` };
  const failed = trouble(name);
  if (failed !== undefined) {
    return {
      code: 'host-failed',
      message: `host ${name} has given no backup: ${failed.why}`,
      advice: `It is asked again in ${Math.ceil(failed.restMs / 1000)} s.`,
    };
  }
  if (host.freeBytes < memoryBytes) {
    return {
      code: 'no-memory',
      message: `host ${name} has ${mib(host.freeBytes)} MiB free, and a replica of ${machine} needs ${mib(memoryBytes)} MiB`,
      advice: `Offer more memory there ("memory" in host.yaml), or move another machine away.`,
    };
  }
  return { code: 'looking', message: `host ${name} will be asked if no other gives a backup` };
}

function mib(bytes: number): string {
  return String(Math.floor(bytes / MIB));
}
