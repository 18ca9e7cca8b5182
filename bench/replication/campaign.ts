/**
 * Runs the stages, writes down what they find, and sees to it that nothing is left behind: not after a failure, which is noted and tried once more,
 * and not after an interruption.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { imageWithAgent } from './guest-image.ts';
import { inTime } from './guests.ts';
import { appendReplicationEntry, type Measurement, nameOf, type ReplicationJournal } from './journal.ts';
import { describe, linkStage, rateStage, readsStage, type StageDeps } from './stages.ts';
import { planOf } from './tests.ts';
import { transferStage } from './transfer-stage.ts';

export interface CampaignOptions {
  readonly image: BuiltImage;
  readonly file: string;
  readonly onProgress: (line: string) => void;
}

/** A stage by its name. */
export type Stages = Readonly<Record<string, (deps: StageDeps) => Promise<void>>>;

const STAGES: Stages = { rates: rateStage, link: linkStage, reads: readsStage, transfers: transferStage };
const ATTEMPTS = 2;
const STAGE_LIMIT_MS = 15 * 60_000;
const STOP_LIMIT_MS = 60_000;

/** What runs, by how it is stopped. */
class Owned {
  readonly #stops = new Set<() => Promise<void>>();
  /** Nothing new may begin. */
  closed = false;

  own(stop: () => Promise<void>): void {
    if (this.closed) throw new Error('the benchmark ends');
    this.#stops.add(stop);
  }

  async end(stop: (() => Promise<void>) | undefined): Promise<void> {
    if (stop === undefined || !this.#stops.delete(stop)) return;
    await inTime(stop(), STOP_LIMIT_MS, 'a guest has not ended').catch(() => {});
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => this.end(stop)));
  }
}

/** Makes the measurements that the journal does not hold yet. */
export async function runReplication(
  journal: ReplicationJournal,
  { image, ...options }: CampaignOptions,
  stages: Stages = STAGES,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-replication-'));
  const owned = new Owned();
  const cleanUp = async (): Promise<void> => {
    owned.closed = true;
    await owned.endAll();
    await rm(directory, { recursive: true, force: true });
  };
  let ending: Promise<void> | undefined;
  const interrupted = (): void => {
    options.onProgress('replication: interrupted; ending what runs');
    ending = cleanUp().finally(() => process.exit(1));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupted);
  try {
    await runStages(stages, journal, { ...options, owned, image: await imageWithAgent(image, directory) });
    // Nobody goes on with half of the figures.
    await ending;
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
    await cleanUp();
  }
}

/** What a stage starts is stopped when it ends, however it ends. A failed one is noted, and begun once more. */
export async function runStages(
  stages: Stages,
  journal: ReplicationJournal,
  { image, file, onProgress, owned = new Owned() }: CampaignOptions & { readonly owned?: Owned },
): Promise<void> {
  const done = new Set(journal.entries.flatMap((entry) => (entry.type === 'failure' ? [] : [nameOf(entry)])));
  const circumstances = () => ({ load: loadavg()[0]!, at: new Date().toISOString() });
  const deps: StageDeps = {
    image,
    plan: planOf(journal.head.quick),
    isDone: (name) => done.has(name),
    own: (stop) => owned.own(stop),
    end: (guest) => owned.end(guest?.stop),
    measure: async (name, limitMs, work) => {
      if (done.has(name)) return;
      const before = circumstances();
      const found = await inTime(work(), limitMs, `"${name}" did not end`);
      await appendReplicationEntry(file, { ...found, ...before } as Measurement);
      done.add(name);
      onProgress(`replication: ${name}: ${describe(found)}`);
    },
  };
  for (const [of, stage] of Object.entries(stages)) {
    for (let attempt = 0; attempt < ATTEMPTS && !owned.closed; attempt++) {
      const before = circumstances();
      const why = await failureOf(inTime(stage(deps), STAGE_LIMIT_MS, 'the stage did not end'));
      // Of a stage that was given up, or could not start, something may be left.
      await owned.endAll();
      if (why === undefined || owned.closed) break;
      onProgress(`replication: ${of} FAILED: ${why}`);
      await appendReplicationEntry(file, { type: 'failure', of, why: why.slice(0, 3000), ...before });
    }
  }
}

async function failureOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
