/**
 * Faults by the dozen on real hosts: three daemons in network namespaces, a Debian guest behind VXLAN, etcd, and clients that check
 * every answer.
 *
 *     node test/e2e/hosts-campaign.ts --rounds 100 --seed 1                    rounds 0 to 99 of this seed
 *     node test/e2e/hosts-campaign.ts --rounds 100 --seed 1 --disk mirrored    each host has an image of the disk
 *     node test/e2e/hosts-campaign.ts --rounds 100 --seed 1 --resume           those that the journal does not have, or has as failed
 *     node test/e2e/hosts-campaign.ts --rounds 1 --seed 1 --first 17           one of them again
 *
 * `--minutes N` ends it after the round that is under way then; `--fault KIND` has one kind only; `--image DIRECTORY` takes a guest
 * image that is there. The fault of a round and all that is random in it follow from the seed and the number of the round. A line of
 * JSON for each round goes to the journal, `--out` (bench/results/hosts.jsonl, hosts-mirrored.jsonl). A failed round leaves its logs,
 * and the next one begins with new hosts. Before hosts are given up the machine is stopped and its disk looked at, which is another
 * line. Exit status 1 if any round or end of this call was not as it must be. Needs root.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { type BuiltImage, readImage } from '../../src/host/image/manifest.ts';
import { HostsCluster, type HostsEnd } from './support/hosts-cluster.ts';
import { DISK_KINDS, type DiskKind } from './support/hosts-disk.ts';
import { faultKindsOf, HOST_FAULTS, type HostFault } from './support/hosts-faults.ts';
import { type EndLine, goodRounds, isGood, type RoundLine, readJournal } from './support/hosts-journal.ts';
import { runHostsRound } from './support/hosts-round.ts';
import { randomFrom } from './support/random.ts';
import { whyNoVxlan } from './support/vxlan-lab.ts';

/** A round that takes longer than this will never end. */
const STUCK_MS = 240_000;
/** Of a failed round's story, on the terminal; all of it is in a file. */
const LAST_LINES = 60;
const JOURNALS: Readonly<Record<DiskKind, string>> = { shared: 'hosts.jsonl', mirrored: 'hosts-mirrored.jsonl' };

function seedOf(campaign: number, round: number): number {
  return campaign * 100_000 + round;
}

/** As many rounds as there are kinds have each kind once, in a random order. */
export function faultOf(campaign: number, round: number, disk: DiskKind): HostFault {
  const kinds = [...faultKindsOf(disk)];
  const turn = Math.floor(round / kinds.length);
  const random = randomFrom(seedOf(campaign, 50_000 + turn));
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [kinds[i], kinds[j]] = [kinds[j]!, kinds[i]!];
  }
  return kinds[round % kinds.length]!;
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
  readonly disk: DiskKind;
  readonly out: string;
  readonly endMs: number;
  readonly done: ReadonlySet<number>;
};

class Campaign {
  readonly #options: Options;
  readonly #image: BuiltImage;
  #cluster: HostsCluster | undefined;
  /** The last one that `#cluster` has seen. */
  #lastRound = 0;
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
    const cluster = this.#cluster;
    if (cluster === undefined || this.#stopping) return;
    const end = await this.#endMachine(cluster);
    if (isGood(end)) return this.stop();
    this.#cluster = undefined;
    await this.#keep(cluster, JSON.stringify(end), 0);
  }

  async #round(round: number): Promise<void> {
    const { campaign, connections, disk } = this.#options;
    const fault = this.#options.fault ?? faultOf(campaign, round, disk);
    const seed = seedOf(campaign, round);
    const atMs = Date.now();
    let line: RoundLine;
    this.#lastRound = round;
    try {
      this.#cluster ??= await HostsCluster.start(this.#image, disk);
      const result = await Promise.race([
        runHostsRound(this.#cluster, { fault, seed, connections }),
        endless(STUCK_MS),
      ]);
      line = { campaign, round, atMs, ...result };
    } catch (error) {
      line = { campaign, round, atMs, fault, seed, problems: [inspect(error)] };
    }
    if (this.#stopping) return;
    this.#write(line);
    if (!isGood(line)) await this.#failed(line);
  }

  #write(line: RoundLine | EndLine): void {
    const text = JSON.stringify(line);
    appendFileSync(this.#options.out, `${text}\n`);
    console.log(text);
  }

  /** Keeps what there is to read, and begins anew with the next round. */
  async #failed(line: RoundLine): Promise<void> {
    this.failures++;
    const cluster = this.#cluster;
    this.#cluster = undefined;
    const { round, problems, atMs } = line;
    const { campaign, fault, disk } = this.#options;
    console.log(`round ${round} has failed: ${problems.join('; ')}`);
    if (cluster !== undefined) {
      const text = JSON.stringify(line);
      await this.#keep(cluster, text, atMs, () => this.#endMachine(cluster));
    }
    const chosen = `--disk ${disk}${fault === undefined ? '' : ` --fault ${fault}`} --out /dev/null`;
    console.log(`again: node test/e2e/hosts-campaign.ts --seed ${campaign} --first ${round} --rounds 1 ${chosen}`);
  }

  /** Writes the story since `sinceMs` to the installation's directory, and gives it up after `end`. */
  async #keep(cluster: HostsCluster, what: string, sinceMs: number, end?: () => Promise<unknown>): Promise<void> {
    const story = cluster.watch.story(sinceMs);
    writeFileSync(join(cluster.directory, 'story'), [what, story, ...cluster.daemonStories()].join('\n\n'));
    await end?.();
    await cluster.stop({ keep: true });
    console.log(`${story.split('\n').slice(-LAST_LINES).join('\n')}\nits logs are in ${cluster.directory}`);
  }

  async #endMachine(cluster: HostsCluster): Promise<HostsEnd> {
    const end = await Promise.race([cluster.endMachine(), endless(STUCK_MS)]).catch(
      (error: unknown): HostsEnd => ({ disk: this.#options.disk, paired: false, problems: [inspect(error)] }),
    );
    if (this.#stopping) return end;
    if (!isGood(end)) this.failures++;
    this.#write({ campaign: this.#options.campaign, afterRound: this.#lastRound, atMs: Date.now(), end });
    return end;
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
      rounds: { type: 'string', default: '12' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
      connections: { type: 'string', default: '3' },
      fault: { type: 'string' },
      disk: { type: 'string', default: 'shared' },
      image: { type: 'string' },
      minutes: { type: 'string' },
      resume: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const disk = DISK_KINDS.find((kind) => kind === values.disk);
  if (disk === undefined) throw new Error(`--disk is one of: ${DISK_KINDS.join(', ')}`);
  const kinds = faultKindsOf(disk);
  const fault = kinds.find((kind) => kind === values.fault);
  if (fault === undefined && values.fault !== undefined) {
    throw new Error(`--fault is one of:\n${kinds.map((kind) => `  ${kind}: ${HOST_FAULTS[kind]}`).join('\n')}`);
  }
  const why = whyNoVxlan();
  if (why !== false) throw new Error(why);
  const campaign = Number(values.seed);
  const out = resolve(values.out ?? join(import.meta.dirname, '../../bench/results', JOURNALS[disk]));
  mkdirSync(dirname(out), { recursive: true });
  const options = {
    campaign,
    first: Number(values.first),
    rounds: Number(values.rounds),
    connections: Number(values.connections),
    fault,
    disk,
    out,
    endMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000,
    done: values.resume ? goodRounds(readJournal(out), campaign) : new Set<number>(),
  };
  const run = new Campaign(options, await (values.image === undefined ? buildImage() : readImage(values.image)));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void run.stop().finally(() => process.exit(1)));
  }
  await run.run();
  process.exit(run.failures > 0 ? 1 : 0);
}

if (import.meta.main) await main();
