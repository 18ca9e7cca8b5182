/**
 * Faults in the middle of a copy: of the machine's memory, or, where each host has an image of the disk, of the image that catches up
 * before it.
 */
import type { ReplicaStatusReport } from '../../../src/host/daemon/messages.ts';
import { MACHINE } from './hosts-cluster.ts';
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

const MAX_LOST_COPIES = 3;
/** Longer than any copy takes, that of a whole image included. */
const COPY_PATIENCE_MS = 60_000;

type Copy = {
  readonly source: HostLabel;
  readonly receiver: HostLabel;
  /** The generation of the owner that makes the copy. */
  readonly generation: number;
  /** For people: how far it is. */
  readonly progress: string;
};

/** Where in a copy to do harm: at a share of the memory, or of the image that catches up before it. */
type Aim = { readonly of: 'memory' | 'image'; readonly percent: number };

/** Has a copy made by killing the backup, and does `hurt` somewhere in it. */
export async function inTransfer(
  context: Context,
  hurt: (context: Context, copy: Copy) => Promise<Injected>,
): Promise<Injected> {
  const aimPercent = context.random(110);
  let sinceMs = Date.now();
  const aim = (await aimAtImage(context)) ?? { of: 'memory', percent: aimPercent };
  if (aim.of === 'memory') signal(context, context.pair.backup, 'SIGKILL');
  // A copy may end by itself, on a host that is too busy: then there is another.
  for (let lost = 0; lost < MAX_LOST_COPIES; lost++) {
    const copy = await copyAt(context, aim, sinceMs);
    if (copy !== undefined) return hurt(context, copy);
    sinceMs = Date.now();
  }
  throw new Error('no copy comes to an end');
}

/** With images on each host, in every other round: kills the backup, in some rounds with every image but the owner's. */
async function aimAtImage(context: Context): Promise<Aim | undefined> {
  const { cluster, pair, random } = context;
  const { mirrors } = cluster;
  if (mirrors === undefined || random(2) === 0) return undefined;
  const all = random(2) === 0;
  const percent = random(100);
  const pid = signal(context, pair.backup, 'SIGKILL');
  if (all) {
    await cluster.watch.until(() => (hasEnded(pid) ? true : undefined), PATIENCE_MS);
    for (const label of HOST_LABELS) if (label !== pair.primary) mirrors.lose(label);
  }
  return { of: 'image', percent };
}

/** The first copy that begins after `sinceMs`, once it has come so far, or a little beyond its end; undefined if it is lost. */
async function copyAt({ cluster }: Context, aim: Aim, sinceMs: number): Promise<Copy | undefined> {
  const { watch } = cluster;
  const begun = () => watch.entered(sinceMs).find(({ phase }) => phase === 'copying');
  const beginning = await watch.until(begun, PATIENCE_MS);
  if (beginning === undefined) throw new Error('no copy has begun');
  const { host: source, atMs: beganMs } = beginning;
  // What the source was last seen in may be from before the copy; what it says comes in order.
  const isLost = (): boolean =>
    watch.entered(beganMs).some(({ host, phase, atMs }) => host === source && phase === 'alone' && atMs > beganMs);
  let last = 0;
  const percent = (): number | undefined => {
    const status = watch.seen.get(source)?.status;
    // A busy one may not answer for a while.
    if (status === undefined) return last;
    if (status.transfer === undefined) return status.phase === 'copying' || status.phase === 'alone' ? 0 : undefined;
    const { doneBytes, leftBytes } = status.transfer;
    return doneBytes + leftBytes === 0 ? 0 : (100 * doneBytes) / (doneBytes + leftBytes);
  };
  const imageDone = (): boolean =>
    watch.said.some(({ atMs, text }) => atMs >= sinceMs && /image has caught up/.test(text));
  let lastOfImage = 0;
  const imagePercent = (): number => {
    const copy = watch.seen.get(source)?.status.copy;
    if (copy?.stage === 'disk') lastOfImage = (100 * copy.doneBytes) / Math.max(1, copy.totalBytes);
    return lastOfImage;
  };
  const reached = (now: number): boolean =>
    aim.of === 'memory' ? now >= aim.percent : imageDone() || imagePercent() >= aim.percent;
  await watch.until(() => {
    const now = percent();
    last = now ?? last;
    return now === undefined || reached(now) || isLost() ? true : undefined;
  }, COPY_PATIENCE_MS);
  const receives = ({ role, phase }: ReplicaStatusReport): boolean => role === 'backup' && phase !== 'connecting';
  // A busy one is not seen for a while; a copy that was lost has no receiver.
  const found = await watch.until(() => {
    if (isLost()) return 'lost';
    const status = watch.seen.get(source)?.status;
    const receiver = [...watch.seen].find(([, seen]) => receives(seen.status))?.[0];
    const isStale = status === undefined || status.phase === 'alone';
    return isStale || receiver === undefined ? undefined : { status, receiver };
  }, PATIENCE_MS);
  if (found === undefined || found === 'lost') return undefined;
  const { status, receiver } = found;
  const inImage = cluster.mirrors !== undefined && !imageDone();
  const progress = inImage ? `image ${Math.round(lastOfImage)} %` : `${status.phase} ${Math.round(last)} %`;
  return { source, receiver, generation: status.generation, progress };
}

export async function hurtReceiver(context: Context, { source, receiver, progress }: Copy): Promise<Injected> {
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

export async function cutTransfer({ cluster, random }: Context, copy: Copy): Promise<Injected> {
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
export async function killSource(context: Context, copy: Copy): Promise<Injected> {
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
  problems.push(...(await cluster.disk.lossProblems(source, receiver, cluster.arbiterWord())));
  await cluster.command('start', MACHINE, '--after-loss');
  return { variant: `${variant}, and started again`, faultMs, mendedMs: Date.now(), expected: 'lost', problems };
}
