/**
 * A mirrored disk in HostsCluster: an image and its record (docs/disks.md) on each host, and the questions that only they raise. May
 * exactly those images boot that are the newest (PROTOCOL.md, 26)? Is a new backup's image complete? Are the two of a pair
 * equal, byte for byte, once all is written?
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ArbiterWord, bootDecision } from '../../../src/host/disk/boot-decision.ts';
import type { MirrorRecord } from '../../../src/host/disk/mirror-record.ts';
import { MirrorRecordFile, recordPathOf } from '../../../src/host/disk/mirror-record-file.ts';
import { fileSystemProblems } from './file-system-check.ts';
import type { HostsDisk } from './hosts-disk.ts';
import { HOST_LABELS, type HostLabel } from './hosts-lab.ts';
import { differences, untilIdle } from './mirror-images.ts';
import type { Redundancy } from './replica-watch.ts';

const MIB = 2 ** 20;
const NAME = 'disk.img';
const REGION_BYTES = 256 * 1024;

type Record = { readonly host: HostLabel; readonly record: MirrorRecord | undefined };

export class HostsMirrors implements HostsDisk {
  readonly kind = 'mirrored';
  readonly lines = [];
  readonly protectOptions = [];
  readonly #directory: string;
  readonly #from: string;
  readonly #machine: string;

  /** `from`: the image that the first host begins with. */
  constructor(directory: string, from: string, machine: string) {
    this.#directory = directory;
    this.#from = from;
    this.#machine = machine;
  }

  async start(): Promise<void> {
    for (const label of HOST_LABELS) mkdirSync(this.#disks(label));
    const first = this.imageOf(HOST_LABELS[0]);
    execFileSync('cp', ['--sparse=always', this.#from, first]);
    execFileSync('sync', ['-f', first]);
  }

  get description(): object {
    return { mirrored: { path: NAME, size: `${statSync(this.#from).size / MIB}M` } };
  }

  hostConfig(label: HostLabel): object {
    return { disks: this.#disks(label) };
  }

  get large(): readonly string[] {
    return HOST_LABELS.map((label) => join(basename(this.#disks(label)), NAME));
  }

  #disks(label: HostLabel): string {
    return join(this.#directory, `disks-${label}`);
  }

  imageOf(label: HostLabel): string {
    return join(this.#disks(label), NAME);
  }

  /** The host has an empty disk from now on. No replica may run there. */
  lose(label: HostLabel): void {
    for (const path of [this.imageOf(label), recordPathOf(this.imageOf(label))]) rmSync(path, { force: true });
  }

  async #records(): Promise<Record[]> {
    const read = async (host: HostLabel): Promise<Record> => {
      const path = recordPathOf(this.imageOf(host));
      return { host, record: await MirrorRecordFile.read(path).catch(() => undefined) };
    };
    return Promise.all(HOST_LABELS.map(read));
  }

  #verdict({ host, record }: Record, word: ArbiterWord): string {
    if (record === undefined) return 'missing';
    const options = { vm: this.#machine, path: this.imageOf(host), acceptDataLoss: false };
    return bootDecision(record, word, options).verdict;
  }

  /** The images of `newest` may boot, and no others but perhaps `either`. */
  async #bootProblems(newest: readonly HostLabel[], word: ArbiterWord, either?: HostLabel): Promise<string[]> {
    return (await this.#records()).flatMap((one) => {
      const verdict = this.#verdict(one, word);
      if (one.host === either || newest.includes(one.host) === (verdict === 'boots')) return [];
      const what = `the image of ${one.host} is ${verdict}`;
      return [`${what}, and the newest is that of ${newest.join(' and ')} (${summaryOf(one)})`];
    });
  }

  async pairProblems({ primary, backup, generation }: Redundancy, word: ArbiterWord): Promise<string[]> {
    const records = (await this.#records()).filter(({ host }) => host === primary || host === backup);
    const wrong = records.filter(
      ({ record }) => record?.state !== 'complete' || record.generation !== generation || record.peers.length === 0,
    );
    return [
      ...wrong.map((one) => `the pair of generation ${generation} has at ${one.host}: ${summaryOf(one)}`),
      ...(await this.#bootProblems([primary, backup], word)),
    ];
  }

  lossProblems(owner: HostLabel, receiver: HostLabel, word: ArbiterWord): Promise<string[]> {
    return this.#bootProblems([owner], word, receiver);
  }

  untilQuiet(): Promise<boolean> {
    return untilIdle(HOST_LABELS.map((label) => this.imageOf(label)));
  }

  async stoppedProblems(pair: Redundancy | undefined, word: ArbiterWord): Promise<string[]> {
    const records = await this.#records();
    const newest = records.filter((one) => this.#verdict(one, word) === 'boots').map(({ host }) => host);
    const problems = pair === undefined ? [] : await this.#bootProblems([pair.primary, pair.backup], word);
    if (newest.length === 0) problems.push(`no image may boot: ${records.map(summaryOf).join('; ')}`);
    for (const host of newest) {
      const found = await fileSystemProblems(this.imageOf(host));
      problems.push(...found.map((what) => `the image of ${host}: ${what}`));
    }
    if (pair !== undefined) {
      const images = [this.imageOf(pair.primary), this.imageOf(pair.backup)] as const;
      problems.push(...(await differences(...images, REGION_BYTES)));
    }
    return problems;
  }
}

function summaryOf({ host, record }: Record): string {
  if (record === undefined) return `${host}: no record`;
  const { state, generation, incarnations, peers } = record;
  const marked = peers.map(({ imageId, regions }) => `${regions.size} for ${imageId.slice(0, 4)}`).join(', ');
  const as = incarnations.map((incarnation) => incarnation.slice(0, 4)).join(', ');
  return `${host}: ${state}, of generation ${generation ?? 'none'} as ${as || 'nobody'}, marked ${marked || 'nothing'}`;
}
