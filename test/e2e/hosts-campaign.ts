/**
 * Faults by the dozen on real hosts: three daemons in network namespaces, a Debian guest behind VXLAN, etcd, and clients that check
 * every answer.
 *
 *     node test/e2e/hosts-campaign.ts --rounds 100 --seed 1             rounds 0 to 99 of this seed
 *     node test/e2e/hosts-campaign.ts --rounds 100 --seed 1 --resume    those that the journal does not have yet
 *     node test/e2e/hosts-campaign.ts --rounds 1 --seed 1 --first 17    one of them again
 *
 * `--minutes N` ends it after the round that is under way then; `--fault KIND` has one kind only; `--image DIRECTORY` takes a guest
 * image that is there. The fault of a round and all that is random in it follow from the seed and the number of the round. A line of
 * JSON for each round goes to the journal, `--out` (bench/results/hosts.jsonl). A failed round leaves its logs, and the next one
 * begins with new hosts. Exit status 1 if any round of this call was not as it must be. Needs root.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { type BuiltImage, readImage } from '../../src/host/image/manifest.ts';
import { HostsCluster } from './support/hosts-cluster.ts';
import { HOST_FAULT_KINDS, HOST_FAULTS, type HostFault } from './support/hosts-faults.ts';
import { type HostsRound, runHostsRound } from './support/hosts-round.ts';
import { randomFrom } from './support/random.ts';
import { whyNoVxlan } from './support/vxlan-lab.ts';

/** A line of the journal. A round that came to no end has its problems only. */
export type JournalLine = { readonly campaign: number; readonly round: number; readonly atMs: number } & (
  | HostsRound
  | Pick<HostsRound, 'fault' | 'seed' | 'problems'>
);

/** A round that takes longer than this will never end. */
const STUCK_MS = 240_000;

function seedOf(campaign: number, round: number): number {
  return campaign * 100_000 + round;
}

/** Every eleven rounds have each kind once, in a random order. */
export function faultOf(campaign: number, round: number): HostFault {
  const turn = Math.floor(round / HOST_FAULT_KINDS.length);
  const random = randomFrom(seedOf(campaign, 50_000 + turn));
  const kinds = [...HOST_FAULT_KINDS];
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [kinds[i], kinds[j]] = [kinds[j]!, kinds[i]!];
  }
  return kinds[round % kinds.length]!;
}

function readJournal(path: string): JournalLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as JournalLine);
}

async function endless(limitMs: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, limitMs).unref());
  throw new Error(`no end after ${limitMs} ms`);
}

type Options = {
  readonly campaign: number;
  readonly first: number;
  readonly rounds: number;
  readonly connections: number;
  readonly fault: HostFault | undefined;
  readonly out: string;
  readonly endMs: number;
  readonly done: ReadonlySet<number>;
};

class Campaign {
  readonly #options: Options;
  readonly #image: BuiltImage;
  #cluster: HostsCluster | undefined;
  #stopping = false;
  failures = 0;

  constructor(options: Options, image: BuiltImage) {
    this.#options = options;
    this.#image = image;
  }

  async run(): Promise<void> {
    const { first, rounds, done, endMs } = this.#options;
    for (let round = first; round < first + rounds; round++) {
      if (done.has(round) || this.#stopping) continue;
      if (Date.now() >= endMs) break;
      await this.#round(round);
    }
    await this.stop();
  }

  async #round(round: number): Promise<void> {
    const { campaign, connections } = this.#options;
    const fault = this.#options.fault ?? faultOf(campaign, round);
    const seed = seedOf(campaign, round);
    const atMs = Date.now();
    let line: JournalLine;
    try {
      this.#cluster ??= await HostsCluster.start(this.#image);
      const result = await Promise.race([
        runHostsRound(this.#cluster, { fault, seed, connections }),
        endless(STUCK_MS),
      ]);
      line = { campaign, round, atMs, ...result };
    } catch (error) {
      line = { campaign, round, atMs, fault, seed, problems: [inspect(error)] };
    }
    if (this.#stopping) return;
    appendFileSync(this.#options.out, `${JSON.stringify(line)}\n`);
    console.log(JSON.stringify(line));
    if (line.problems.length > 0) await this.#failed(round, line, atMs);
  }

  /** Keeps what there is to read, and begins anew with the next round. */
  async #failed(round: number, line: JournalLine, atMs: number): Promise<void> {
    this.failures++;
    const cluster = this.#cluster;
    this.#cluster = undefined;
    const { campaign, fault } = this.#options;
    console.log(`round ${round} has failed: ${line.problems.join('; ')}`);
    if (cluster !== undefined) {
      const story = cluster.watch.story(atMs);
      const daemons = cluster.daemonStories();
      writeFileSync(join(cluster.directory, 'story'), [JSON.stringify(line), story, ...daemons].join('\n\n'));
      await cluster.stop({ keep: true });
      console.log(`${story}\nits logs are in ${cluster.directory}`);
    }
    const chosen = fault === undefined ? '' : ` --fault ${fault}`;
    console.log(
      `again: node test/e2e/hosts-campaign.ts --seed ${campaign} --first ${round} --rounds 1${chosen} --out /dev/null`,
    );
  }

  /** A round under way comes to nothing, and is not in the journal. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const cluster = this.#cluster;
    this.#cluster = undefined;
    await cluster?.stop();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '11' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
      connections: { type: 'string', default: '3' },
      fault: { type: 'string' },
      image: { type: 'string' },
      minutes: { type: 'string' },
      resume: { type: 'boolean', default: false },
      out: { type: 'string', default: resolve(import.meta.dirname, '../../bench/results/hosts.jsonl') },
    },
  });
  const { out, fault } = values;
  const isFault = (text: string | undefined): text is HostFault | undefined =>
    text === undefined || Object.hasOwn(HOST_FAULTS, text);
  if (!isFault(fault)) {
    const kinds = Object.entries(HOST_FAULTS).map(([name, what]) => `  ${name}: ${what}`);
    throw new Error(`--fault is one of:\n${kinds.join('\n')}`);
  }
  const why = whyNoVxlan();
  if (why !== false) throw new Error(why);
  const campaign = Number(values.seed);
  mkdirSync(dirname(out), { recursive: true });
  const journal = values.resume ? readJournal(out).filter((line) => line.campaign === campaign) : [];
  const options = {
    campaign,
    first: Number(values.first),
    rounds: Number(values.rounds),
    connections: Number(values.connections),
    fault,
    out,
    endMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000,
    done: new Set(journal.map(({ round }) => round)),
  };
  const run = new Campaign(options, await (values.image === undefined ? buildImage() : readImage(values.image)));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void run.stop().finally(() => process.exit(1)));
  }
  await run.run();
  process.exit(run.failures > 0 ? 1 : 0);
}

if (import.meta.main) await main();
