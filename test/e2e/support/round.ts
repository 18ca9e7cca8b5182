/**
 * One round: a pair under load, one fault at a random moment, and then the questions. Did exactly one replica go on? Is
 * every acknowledged write there? Did every connection live on? How long did the clients wait?
 */
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import type { Direction } from './link.ts';
import { type Random, randomFrom } from './random.ts';
import { RedisLoad } from './redis-load.ts';
import { StreamClient } from './stream-client.ts';
import { type Member, WatchedPair } from './watched-pair.ts';

export const faults = {
  'kill-primary': 'SIGKILL to the primary',
  'kill-backup': 'SIGKILL to the backup',
  partition: 'the replicas cut from each other, in both directions or in one',
  'stop-primary': 'SIGSTOP to the primary through the whole failover, then SIGCONT',
  'stop-backup': 'SIGSTOP to the backup until the primary goes on alone, then SIGCONT',
  'kill-disk-server': 'SIGKILL to the disk server, which is started again; both replicas stay',
} as const;

export type Fault = keyof typeof faults;

export interface RoundOptions {
  readonly image: BuiltImage;
  readonly fault: Fault;
  readonly seed: number;
  readonly connections: number;
  /** Answers of redis before the fault: at least this many, and at random up to as many again. */
  readonly answersBefore: number;
  /** And after it. */
  readonly answersAfter: number;
  /** Lines of the stream after the fault; ten of them are a second. */
  readonly linesAfter: number;
}

export interface RoundResult {
  readonly fault: Fault;
  readonly variant: string;
  readonly seed: number;
  /** Empty if all was as it must be. */
  readonly problems: readonly string[];
  readonly wentOn: Member | undefined;
  readonly commands: number;
  readonly acknowledgedWrites: number;
  readonly lostWrites: number;
  readonly brokenConnections: number;
  /** The longest that the streaming client was without a line after the fault (100 ms is its usual), in ms. */
  readonly streamGapMs: number;
  /** The longest that any redis connection was without an answer after the fault, in ms. */
  readonly redisGapMs: number;
  /** The same before the fault. */
  readonly streamBeforeMs: number;
  readonly redisBeforeMs: number;
  readonly requestsPerSecondBefore: number;
  /** What the primary said last before the fault: how far the backup is behind, and the part of the time that the guest gets. */
  readonly lagBeforeMs: number | undefined;
  readonly speedBefore: number | undefined;
  /** From the fault until the survivor said that it is alone, in ms. */
  readonly aloneAfterMs: number | undefined;
  readonly story: string;
}

/** A round that takes longer than this will never end. */
const STUCK_MS = 60_000;

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const pair = await WatchedPair.start(options.image);
  const clients: { close(): void }[] = [];
  let patience: NodeJS.Timeout | undefined;
  let stream: StreamClient | undefined;
  let load: RedisLoad | undefined;
  try {
    stream = await StreamClient.open(pair.streamPort);
    clients.push(stream);
    load = await RedisLoad.start(pair.redisPort, options.connections, options.seed);
    clients.push(load);
    const stuck = new Promise<never>((_, reject) => {
      patience = setTimeout(() => reject(new Error(`no end after ${STUCK_MS} ms`)), STUCK_MS);
    });
    return await Promise.race([runFault(options, pair, stream, load), stuck]);
  } catch (error) {
    throw new Error(stuckReport(options, pair, stream, load), { cause: error });
  } finally {
    clearTimeout(patience);
    for (const client of clients) client.close();
    await pair.stop();
  }
}

function stuckReport(
  { fault, seed }: RoundOptions,
  pair: WatchedPair,
  stream: StreamClient | undefined,
  load: RedisLoad | undefined,
): string {
  const lines = `${stream?.lines} lines of the stream, the last ${stream?.silence.sinceMs} ms ago`;
  const console = pair.console.split('\n').slice(-5).join('\n');
  const status = JSON.stringify(pair.status);
  const clients = [lines, ...(stream?.problems ?? []), `redis: ${load?.state}`].join('\n');
  return `${fault}, seed ${seed}, came to no end.\n${clients}\n${console}\n${status}\n${pair.story()}`;
}

async function runFault(
  options: RoundOptions,
  pair: WatchedPair,
  stream: StreamClient,
  load: RedisLoad,
): Promise<RoundResult> {
  const { fault, seed, answersBefore, answersAfter, linesAfter } = options;
  const random = randomFrom(seed);
  const before = answersBefore + random(answersBefore);
  const startMs = performance.now();
  await load.hasAnswered(before);
  // Not right after an answer: anywhere between two.
  await new Promise((resolve) => setTimeout(resolve, random(120)));
  const requestsPerSecondBefore = Math.round((load.answers / (performance.now() - startMs)) * 1000);
  const redisBeforeMs = load.resetSilence();
  const streamBeforeMs = stream.silence.reset();
  const faultMs = performance.now();
  const { lagMs, speed } = pair.status.primary ?? {};
  const injected = inject(fault, pair, random);
  const { answers } = load;
  const { lines } = stream;
  const endsThePair = fault !== 'kill-disk-server';
  if (endsThePair) await pair.until(() => aloneMembers(pair).length > 0);
  const aloneMs = performance.now();
  await injected.afterwards?.();
  await Promise.all([load.hasAnswered(answers + answersAfter), stream.hasSeen(lines + linesAfter)]);
  const oneHasEnded = (): boolean => pair.views.primary.end !== undefined || pair.views.backup.end !== undefined;
  if (endsThePair) await pair.until(oneHasEnded);
  const redisGapMs = load.longestSilenceMs;
  const streamGapMs = stream.silence.longestMs;
  const report = await load.finish();
  const problems = [
    ...whoWentOn(fault, pair),
    ...injected.problems(),
    ...stream.problems,
    ...report.wrongAnswers,
    ...report.brokenConnections,
    ...report.lost.map((what) => `lost: ${what}`),
    ...report.torn.map((what) => `half there: ${what}`),
    ...guestTroubles(pair.console),
  ];
  return {
    fault,
    variant: injected.variant,
    seed,
    problems,
    wentOn: aloneMembers(pair)[0],
    commands: report.commands,
    acknowledgedWrites: report.acknowledgedWrites,
    lostWrites: report.lost.length,
    brokenConnections: report.brokenConnections.length + (stream.problems.length > 0 ? 1 : 0),
    streamGapMs: Math.round(streamGapMs),
    redisGapMs: Math.round(redisGapMs),
    streamBeforeMs: Math.round(streamBeforeMs),
    redisBeforeMs: Math.round(redisBeforeMs),
    requestsPerSecondBefore,
    lagBeforeMs: lagMs === undefined ? undefined : Math.round(lagMs),
    speedBefore: speed,
    aloneAfterMs: endsThePair ? Math.round(aloneMs - faultMs) : undefined,
    story: pair.story(faultMs),
  };
}

interface Injected {
  readonly variant: string;
  /** What happens once a replica goes on alone. */
  readonly afterwards?: () => Promise<void>;
  readonly problems: () => string[];
}

function inject(fault: Fault, pair: WatchedPair, random: Random): Injected {
  const problems = (): string[] => [];
  switch (fault) {
    case 'kill-primary':
      pair.signal('primary', 'SIGKILL');
      return { variant: 'SIGKILL', problems };
    case 'kill-backup':
      pair.signal('backup', 'SIGKILL');
      return { variant: 'SIGKILL', problems };
    case 'partition':
      return cut(pair, random);
    case 'stop-primary':
      return stopPrimary(pair);
    case 'stop-backup':
      pair.signal('backup', 'SIGSTOP');
      return {
        variant: 'SIGSTOP, SIGCONT',
        afterwards: () => resume(pair, 'backup'),
        problems,
      };
    case 'kill-disk-server':
      pair.signal('disk', 'SIGKILL');
      return { variant: 'SIGKILL', problems };
  }
}

/** Both directions mostly; one of them alone leads to the other replica's victory. Mended once the claim has decided. */
function cut(pair: WatchedPair, random: Random): Injected {
  const directions: readonly (readonly Direction[])[] = [
    ['forward', 'back'],
    ['forward', 'back'],
    ['forward'],
    ['back'],
  ];
  const chosen = directions[random(directions.length)];
  pair.logLink.cut(...chosen);
  const names = { forward: 'backup to primary', back: 'primary to backup' } as const;
  const afterwards = async (): Promise<void> => {
    await pair.until(() => pair.views.primary.end !== undefined || pair.views.backup.end !== undefined);
    pair.logLink.mend();
  };
  return { variant: chosen.map((direction) => names[direction]).join(', '), afterwards, problems: () => [] };
}

/** The stopped one must end itself, and nothing that it sends from then on may reach the network. */
function stopPrimary(pair: WatchedPair): Injected {
  pair.signal('primary', 'SIGSTOP');
  let sentBytes = 0;
  return {
    variant: 'SIGSTOP, SIGCONT',
    afterwards: async () => {
      sentBytes = pair.hubLink.bytes('forward');
      await resume(pair, 'primary');
    },
    problems: () => {
      const bytes = pair.hubLink.bytes('forward') - sentBytes;
      return bytes === 0 ? [] : [`the stopped primary sent ${bytes} bytes to the network after it was continued`];
    },
  };
}

async function resume(pair: WatchedPair, member: Member): Promise<void> {
  pair.signal(member, 'SIGCONT');
  await pair.until(() => pair.views[member].end !== undefined);
}

function aloneMembers(pair: WatchedPair): Member[] {
  return (['primary', 'backup'] as const).filter((member) =>
    pair.events.some((event) => event.member === member && event.what.startsWith('alone ')),
  );
}

const EXPECTED_ENDS: Record<Exclude<Fault, 'kill-disk-server'>, string> = {
  'kill-primary': 'SIGKILL',
  'kill-backup': 'SIGKILL',
  partition: 'status 0',
  'stop-primary': 'status 0',
  'stop-backup': 'status 0',
};

function whoWentOn(fault: Fault, pair: WatchedPair): string[] {
  const alone = aloneMembers(pair);
  if (fault === 'kill-disk-server') {
    const { primary, backup } = pair.views;
    const paired = [primary, backup].every(({ phase, end }) => phase === 'paired' && end === undefined);
    return paired ? [] : ['the pair is no pair any more'];
  }
  if (alone.length !== 1) return [`${alone.length} replicas went on alone`];
  const [survivor] = alone;
  const other = survivor === 'primary' ? 'backup' : 'primary';
  const problems: string[] = [];
  const { phase, generation, end } = pair.views[survivor];
  if (phase !== 'alone' || generation !== 1) problems.push(`the survivor is ${phase} in generation ${generation}`);
  if (end !== undefined) problems.push(`the survivor ended: ${end}`);
  const faulty = fault.endsWith('primary') ? 'primary' : fault.endsWith('backup') ? 'backup' : undefined;
  if (survivor === faulty) problems.push(`the ${survivor} went on, which had the fault`);
  const how = pair.views[other].end;
  if (how !== EXPECTED_ENDS[fault]) problems.push(`the ${other} ended with ${how}, not ${EXPECTED_ENDS[fault]}`);
  return problems;
}

/** What a kernel in trouble says. */
function guestTroubles(console: string): string[] {
  return console.split('\n').filter((line) => /EXT4-fs error|I\/O error|Oops|Call Trace|BUG:|rcu.*stall/i.test(line));
}
