/**
 * What can happen to one of three hosts, to a cable or to the arbiter while a machine is redundant, or in the middle of a copy. Each
 * fault is done and mended here: whoever calls gets back an installation with nothing wrong but what the fault left.
 */
import { readFileSync } from 'node:fs';
import type { ReplicaStatusReport } from '../../../src/host/daemon/messages.ts';
import { type HostsCluster, MACHINE } from './hosts-cluster.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';
import type { Random } from './random.ts';
import type { Redundancy } from './replica-watch.ts';

export const HOST_FAULTS = {
  'kill-primary': 'SIGKILL to the primary, in some rounds with the daemon of its host',
  'kill-backup': 'SIGKILL to the backup, in some rounds with the daemon of its host',
  'cut-log': 'the cable of the log cut, at the primary or at the backup, silently or not',
  'cut-uplink': "the primary's way to its clients cut, silently or not",
  'stop-primary': 'SIGSTOP to the primary for up to 6 s, then SIGCONT',
  'stop-backup': 'SIGSTOP to the backup for up to 6 s, then SIGCONT',
  'arbiter-down':
    'the arbiter stopped or killed for some seconds, in some rounds with the death of the primary meanwhile',
  'kill-daemon': 'SIGKILL to a daemon, which is started again',
  'transfer-receiver': 'the new backup killed or stopped in the middle of its copy',
  'transfer-cut': 'the cable of the log cut in the middle of a copy, at one end or the other',
  'transfer-source': 'SIGKILL to the only complete replica in the middle of a copy',
} as const;

export type HostFault = keyof typeof HOST_FAULTS;
export const HOST_FAULT_KINDS = Object.keys(HOST_FAULTS) as readonly HostFault[];

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

/** Longer than any time-out that leads to a claim. */
const SURELY_SUSPECTED_MS = 2000;
const PATIENCE_MS = 20_000;
const MAX_LOST_COPIES = 3;
const CUTS = ['silently', 'first', 'second'] as const;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Context = { readonly cluster: HostsCluster; readonly pair: Redundancy; readonly random: Random };

export function injectHostFault(fault: HostFault, context: Context): Promise<Injected> {
  const { pair } = context;
  switch (fault) {
    case 'kill-primary':
      return kill(context, pair.primary, pair.backup);
    case 'kill-backup':
      return kill(context, pair.backup, pair.primary);
    case 'cut-log':
      return cutLog(context);
    case 'cut-uplink':
      return cutUplink(context);
    case 'stop-primary':
      return stop(context, pair.primary, pair.backup);
    case 'stop-backup':
      return stop(context, pair.backup, pair.primary);
    case 'arbiter-down':
      return arbiterDown(context);
    case 'kill-daemon':
      return killDaemon(context);
    case 'transfer-receiver':
      return inTransfer(context, hurtReceiver);
    case 'transfer-cut':
      return inTransfer(context, cutTransfer);
    case 'transfer-source':
      return inTransfer(context, killSource);
  }
}

// Small hands

function signal({ cluster }: Context, host: HostLabel, name: NodeJS.Signals): number {
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
function alone({ cluster: { watch } }: Context, generation: number, sinceMs: number, patienceMs = PATIENCE_MS) {
  const found = () =>
    watch.entered(sinceMs).find(({ phase, generation: now }) => phase === 'alone' && now > generation);
  return watch.until(found, patienceMs);
}

const someMs = (random: Random, atLeast: number, atMost: number): number => atLeast + random(atMost - atLeast);

// Faults of a complete pair

async function kill(context: Context, victim: HostLabel, survivor: HostLabel): Promise<Injected> {
  const { cluster, random } = context;
  const wholeHost = random(3) === 0;
  const downMs = someMs(random, 500, 4000);
  const faultMs = Date.now();
  signal(context, victim, 'SIGKILL');
  const outcome = { faultMs, expected: 'next', primary: survivor, problems: [] } as const;
  if (!wholeHost) return { ...outcome, variant: 'the replica', mendedMs: Date.now() };
  await cluster.killDaemon(victim);
  await sleep(downMs);
  await cluster.startDaemon(victim);
  return { ...outcome, variant: `replica and daemon, back after ${downMs} ms`, mendedMs: Date.now() };
}

async function cutLog(context: Context): Promise<Injected> {
  const { cluster, pair, random } = context;
  const end = random(2) === 0 ? 'primary' : 'backup';
  const how = CUTS[random(CUTS.length)]!;
  const longerMs = random(3000);
  const cable = cluster.lab.cables[pair[end]].log;
  const faultMs = Date.now();
  cable.cut(how);
  const survivor = await alone(context, pair.generation, faultMs);
  await sleep(longerMs);
  cable.mend();
  const problems = survivor === undefined ? ['nobody went on after the log was cut'] : [];
  return { variant: `${how}, at the ${end}`, faultMs, mendedMs: Date.now(), expected: 'next', problems };
}

async function cutUplink(context: Context): Promise<Injected> {
  const { cluster, pair, random } = context;
  const how = CUTS[random(CUTS.length)]!;
  const longerMs = random(3000);
  const cable = cluster.lab.cables[pair.primary].uplink;
  const faultMs = Date.now();
  cable.cut(how);
  const survivor = await alone(context, pair.generation, faultMs);
  await sleep(longerMs);
  cable.mend();
  const handedOver = cluster.watch.entered(faultMs).some(({ phase }) => phase === 'handing-over');
  const problems = [
    ...(survivor === undefined ? ['nobody went on after the uplink was cut'] : []),
    ...(handedOver ? [] : ['there was no hand-over']),
  ];
  const mendedMs = Date.now();
  return { variant: how, faultMs, mendedMs, expected: 'next', primary: pair.backup, problems };
}

async function stop(context: Context, victim: HostLabel, survivor: HostLabel): Promise<Injected> {
  const { cluster, pair, random } = context;
  const stoppedMs = random(3) === 0 ? someMs(random, 100, SURELY_SUSPECTED_MS) : someMs(random, 2000, 6000);
  const faultMs = Date.now();
  const pid = signal(context, victim, 'SIGSTOP');
  await sleep(stoppedMs);
  process.kill(pid, 'SIGCONT');
  const mendedMs = Date.now();
  const variant = `${stoppedMs} ms`;
  if (stoppedMs < SURELY_SUSPECTED_MS) {
    // It may have been suspected or not: the claims, if any, have to be over before that is judged.
    await sleep(SURELY_SUSPECTED_MS);
    return { variant, faultMs, mendedMs, expected: 'either', problems: [] };
  }
  const ended = await cluster.watch.until(() => (hasEnded(pid) ? true : undefined), PATIENCE_MS);
  const problems = ended ? [] : [`the stopped ${victim === pair.primary ? 'primary' : 'backup'} has not ended`];
  return { variant, faultMs, mendedMs, expected: 'next', primary: survivor, problems };
}

async function arbiterDown(context: Context): Promise<Injected> {
  const { cluster, pair, random } = context;
  const paused = random(2) === 0;
  const dies = random(2) === 0;
  const downMs = someMs(random, 2000, 6000);
  const variant = `${paused ? 'stopped' : 'killed'} for ${downMs} ms${dies ? ', and the primary killed meanwhile' : ''}`;
  const faultMs = Date.now();
  if (paused) cluster.signalEtcd('SIGSTOP');
  else await cluster.killEtcd();
  await sleep(300);
  if (dies) signal(context, pair.primary, 'SIGKILL');
  await sleep(downMs);
  const early = cluster.watch.entered(faultMs).filter(({ generation }) => generation > pair.generation);
  if (paused) cluster.signalEtcd('SIGCONT');
  else await cluster.startEtcd();
  const mendedMs = Date.now();
  const problems = early.map(({ host, text }) => `without an arbiter, ${host} said: ${text}`);
  if (!dies) return { variant, faultMs, mendedMs, expected: 'same', primary: pair.primary, problems };
  return { variant, faultMs, mendedMs, expected: 'next', primary: pair.backup, problems };
}

async function killDaemon(context: Context): Promise<Injected> {
  const { cluster, pair, random } = context;
  const host = HOST_LABELS[random(HOST_LABELS.length)]!;
  const downMs = someMs(random, 500, 4000);
  const faultMs = Date.now();
  await cluster.killDaemon(host);
  await sleep(downMs);
  await cluster.startDaemon(host);
  const mendedMs = Date.now();
  const holds = host === pair.primary || host === pair.backup;
  const adopted = cluster.daemonLines(host).some((line) => line.includes('adopted a replica'));
  const problems = adopted === holds ? [] : [`the daemon of ${host} has ${adopted ? '' : 'not '}adopted a replica`];
  const role = host === pair.primary ? 'the primary' : host === pair.backup ? 'the backup' : 'no replica';
  const variant = `of the host with ${role}, back after ${downMs} ms`;
  return { variant, faultMs, mendedMs, expected: 'same', primary: pair.primary, problems };
}

// Faults in the middle of a copy

type Copy = {
  readonly source: HostLabel;
  readonly receiver: HostLabel;
  /** The generation of the owner that makes the copy. */
  readonly generation: number;
  /** For people: how far it is. */
  readonly progress: string;
};

/** Has a copy made by killing the backup, and does `hurt` somewhere in it. */
async function inTransfer(
  context: Context,
  hurt: (context: Context, copy: Copy) => Promise<Injected>,
): Promise<Injected> {
  const { pair, random } = context;
  const aimPercent = random(110);
  let sinceMs = Date.now();
  signal(context, pair.backup, 'SIGKILL');
  // A copy may end by itself, on a host that is too busy: then there is another.
  for (let lost = 0; lost < MAX_LOST_COPIES; lost++) {
    const copy = await copyAt(context, aimPercent, sinceMs);
    if (copy !== undefined) return hurt(context, copy);
    sinceMs = Date.now();
  }
  throw new Error('no copy comes to an end');
}

/** The first copy that begins after `sinceMs`, once it has come so far, or a little beyond its end; undefined if it is lost. */
async function copyAt({ cluster }: Context, aimPercent: number, sinceMs: number): Promise<Copy | undefined> {
  const { watch } = cluster;
  const begun = () => watch.entered(sinceMs).find(({ phase }) => phase === 'copying');
  const source = (await watch.until(begun, PATIENCE_MS))?.host;
  if (source === undefined) throw new Error('no copy has begun');
  let last = 0;
  const percent = (): number | undefined => {
    const status = watch.seen.get(source)?.status;
    // A busy one may not answer for a while.
    if (status === undefined) return last;
    if (status.transfer === undefined) return status.phase === 'copying' ? 0 : undefined;
    const { doneBytes, leftBytes } = status.transfer;
    return doneBytes + leftBytes === 0 ? 0 : (100 * doneBytes) / (doneBytes + leftBytes);
  };
  await watch.until(() => {
    const now = percent();
    last = now ?? last;
    return now === undefined || now >= aimPercent ? true : undefined;
  }, PATIENCE_MS);
  const receives = ({ role, phase }: ReplicaStatusReport): boolean => role === 'backup' && phase !== 'connecting';
  const receiver = [...watch.seen].find(([, { status }]) => receives(status))?.[0];
  const status = await watch.until(() => watch.seen.get(source)?.status, PATIENCE_MS);
  if (receiver === undefined || status === undefined || status.phase === 'alone') return undefined;
  const progress = `${status.phase} ${Math.round(last)} %`;
  return { source, receiver, generation: status.generation, progress };
}

async function hurtReceiver(context: Context, { source, receiver, progress }: Copy): Promise<Injected> {
  const { random } = context;
  const stops = random(2) === 0;
  const stoppedMs = someMs(random, 1000, 7000);
  const faultMs = Date.now();
  const pid = signal(context, receiver, stops ? 'SIGSTOP' : 'SIGKILL');
  const outcome = { faultMs, expected: 'next', primary: source, problems: [] } as const;
  if (!stops) return { ...outcome, variant: `killed at ${progress}`, mendedMs: Date.now() };
  await sleep(stoppedMs);
  process.kill(pid, 'SIGCONT');
  return { ...outcome, variant: `stopped for ${stoppedMs} ms at ${progress}`, mendedMs: Date.now() };
}

async function cutTransfer({ cluster, random }: Context, copy: Copy): Promise<Injected> {
  const { source, receiver, progress } = copy;
  const end = random(2) === 0 ? 'source' : 'receiver';
  const how = CUTS[random(CUTS.length)]!;
  const cutMs = someMs(random, 500, 7000);
  const cable = cluster.lab.cables[end === 'source' ? source : receiver].log;
  const faultMs = Date.now();
  cable.cut(how);
  await sleep(cutMs);
  cable.mend();
  const variant = `${how}, at the ${end} for ${cutMs} ms at ${progress}`;
  return { variant, faultMs, mendedMs: Date.now(), expected: 'next', problems: [] };
}

/** Before `final` no complete replica is left: nobody may go on until a person says so. After it, the new backup does. */
async function killSource(context: Context, copy: Copy): Promise<Injected> {
  const { cluster } = context;
  const { source, receiver, generation, progress } = copy;
  const faultMs = Date.now();
  signal(context, source, 'SIGKILL');
  await sleep(3000);
  const complete = cluster.watch.entered(faultMs - 10_000).some((said) => {
    return said.host === receiver && said.phase === 'paired' && said.generation === generation;
  });
  const next = await alone(context, generation, faultMs, complete ? PATIENCE_MS : 0);
  const variant = `at ${progress}`;
  if (complete) {
    const problems = next === undefined ? ['the complete backup has not gone on'] : [];
    return { variant, faultMs, mendedMs: Date.now(), expected: 'next', primary: receiver, problems };
  }
  const problems = next === undefined ? [] : [`${next.host} went on with half a copy`];
  const gone = () => (cluster.watch.seen.size === 0 ? true : undefined);
  if ((await cluster.watch.until(gone, 40_000)) === undefined) problems.push('what was left has not made room');
  const told = (await cluster.command('status')).join('\n');
  if (!told.includes('LOST')) problems.push(`status does not say that the machine is lost: ${told}`);
  await cluster.command('start', MACHINE, '--after-loss');
  return { variant: `${variant}, and started again`, faultMs, mendedMs: Date.now(), expected: 'lost', problems };
}
