/**
 * What can happen to one of three hosts, to a cable or to the arbiter while a machine is redundant, or in the middle of a copy
 * (hosts-transfer-faults.ts). Each fault is done and mended here: whoever calls gets back an installation with nothing wrong but what the
 * fault left.
 */
import type { DiskKind } from './hosts-disk.ts';
import {
  alone,
  type Context,
  CUTS,
  hasEnded,
  type Injected,
  PATIENCE_MS,
  signal,
  sleep,
  someMs,
} from './hosts-hands.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';
import { cutTransfer, hurtReceiver, inTransfer, killSource } from './hosts-transfer-faults.ts';

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
  'lost-image':
    "SIGKILL to the backup and to the daemon of its host, which comes back with an empty disk; in some rounds the third host's is empty too",
} as const;

export type HostFault = keyof typeof HOST_FAULTS;
const MIRRORED_ONLY: readonly HostFault[] = ['lost-image'];

/** In an order that does not change: the rounds of a seed follow from it. */
export function faultKindsOf(disk: DiskKind): readonly HostFault[] {
  const kinds = Object.keys(HOST_FAULTS) as HostFault[];
  return disk === 'mirrored' ? kinds : kinds.filter((kind) => !MIRRORED_ONLY.includes(kind));
}

/** Longer than any time-out that leads to a claim. */
const SURELY_SUSPECTED_MS = 2000;

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
    case 'lost-image':
      return loseImage(context);
  }
}

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

async function loseImage(context: Context): Promise<Injected> {
  const { cluster, pair, random } = context;
  const third = HOST_LABELS.find((host) => host !== pair.primary && host !== pair.backup)!;
  const both = random(2) === 0;
  const downMs = someMs(random, 500, 4000);
  const faultMs = Date.now();
  if (both) cluster.mirrors!.lose(third);
  const pid = signal(context, pair.backup, 'SIGKILL');
  await cluster.killDaemon(pair.backup);
  await cluster.watch.until(() => (hasEnded(pid) ? true : undefined), PATIENCE_MS);
  cluster.mirrors!.lose(pair.backup);
  await sleep(downMs);
  await cluster.startDaemon(pair.backup);
  const variant = `${both ? 'of both other hosts' : 'of its host'}, back after ${downMs} ms`;
  return { variant, faultMs, mendedMs: Date.now(), expected: 'next', primary: pair.primary, problems: [] };
}
