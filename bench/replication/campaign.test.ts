import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { runStages } from './campaign.ts';
import {
  type DelayEntry,
  type ReplicationJournal,
  readReplicationJournal,
  writeReplicationJournal,
} from './journal.ts';
import type { StageDeps } from './stages.ts';

const HEAD = { type: 'replication', quick: true, facts: {} } as unknown as ReplicationJournal['head'];
/** No stage of these tests looks at it. */
const IMAGE = {} as BuiltImage;

const found = (round: number): Omit<DelayEntry, 'load' | 'at'> => ({
  type: 'delay',
  round,
  delayMs: 1,
  roundTripMs: 2,
  tests: [],
});

const name = (round: number): string => `link of 1 ms, round ${round + 1}`;

async function newJournal(t: TestContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-journal-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'journal.jsonl');
  await writeReplicationJournal(file, { head: HEAD, entries: [] });
  return file;
}

test('a stage that fails is noted, what it has started is stopped, and it goes on behind what it has measured', async (t) => {
  const file = await newJournal(t);
  const stopped: string[] = [];
  const measured: number[] = [];
  let starts = 0;
  const first = async ({ own, measure }: StageDeps): Promise<void> => {
    const guest = `guest ${++starts}`;
    own(async () => void stopped.push(guest));
    for (const round of [0, 1]) {
      await measure(name(round), 1000, async () => {
        measured.push(round);
        if (round === 1 && starts === 1) throw new Error('the pair is a pair no longer');
        return found(round);
      });
    }
  };
  const second = ({ measure }: StageDeps): Promise<void> => measure(name(2), 1000, async () => found(2));
  await runStages({ first, second }, { head: HEAD, entries: [] }, { image: IMAGE, file, onProgress: () => {} });
  assert.deepEqual(measured, [0, 1, 1]);
  assert.deepEqual(stopped, ['guest 1', 'guest 2']);
  const { entries } = (await readReplicationJournal(file))!;
  assert.deepEqual(
    entries.map((entry) => (entry.type === 'failure' ? entry.why : entry.type === 'delay' && entry.round)),
    [0, 'the pair is a pair no longer', 1, 2],
  );
});

test('a stage that always fails is begun twice, and the next one still has its turn', async (t) => {
  const file = await newJournal(t);
  const said: string[] = [];
  const never = ({ measure }: StageDeps): Promise<void> => measure(name(0), 1, () => new Promise(() => {}));
  const next = ({ measure }: StageDeps): Promise<void> => measure(name(1), 1000, async () => found(1));
  const options = { image: IMAGE, file, onProgress: (line: string) => void said.push(line) };
  await runStages({ never, next }, { head: HEAD, entries: [] }, options);
  const { entries } = (await readReplicationJournal(file))!;
  assert.deepEqual(
    entries.map(({ type }) => type),
    ['failure', 'failure', 'delay'],
  );
  assert.match(said[0]!, /never FAILED: "link of 1 ms, round 1" did not end within/);
});

test('what a journal holds is not measured again', async (t) => {
  const file = await newJournal(t);
  const entries = [{ ...found(0), load: 0, at: '' }];
  await writeReplicationJournal(file, { head: HEAD, entries });
  const stage = async ({ measure, isDone }: StageDeps): Promise<void> => {
    assert.ok(isDone(name(0)) && !isDone(name(1)));
    await measure(name(0), 1000, () => Promise.reject(new Error('again')));
    await measure(name(1), 1000, async () => found(1));
  };
  await runStages({ stage }, { head: HEAD, entries }, { image: IMAGE, file, onProgress: () => {} });
  const after = (await readReplicationJournal(file))!.entries;
  assert.deepEqual(
    after.map((entry) => entry.type === 'delay' && entry.round),
    [0, 1],
  );
});
