import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { type ArbiterWord, type BootVerdict, bootDecision } from './boot-decision.ts';
import type { ImageState, MirrorRecord } from './mirror-record.ts';

/** P and B are a pair's two replicas, Z is one of a later cold start, X a stranger. */
const [P, B, Z, X] = Array.from({ length: 4 }, newIdentifier) as [string, string, string, string];
const TOKEN = newIdentifier();

function image(generation: number | undefined, incarnations: string[], state: ImageState = 'complete'): MirrorRecord {
  const [setId, imageId] = [newIdentifier(), newIdentifier()];
  return { vm: 'm', setId, imageId, sizeBytes: 4096, regionBytes: 4096, state, generation, incarnations, peers: [] };
}

function arbiter(generation: number, owner: string, backup?: string | null): ArbiterWord {
  const pair = backup === undefined ? undefined : { token: TOKEN, primary: owner, backup };
  return { owner: { generation, incarnation: owner }, pair };
}

const decide = (record: MirrorRecord, word: ArbiterWord, acceptDataLoss = false, vm = 'm'): BootVerdict =>
  bootDecision(record, word, { vm, path: '/disks/m.raw', acceptDataLoss });

const silent: ArbiterWord = { owner: undefined, pair: undefined };

const table: readonly (readonly [string, MirrorRecord, ArbiterWord, BootVerdict['verdict']])[] = [
  ["the owner's image of a generation without a backup", image(3, [P]), arbiter(3, P, null), 'boots'],
  ["the primary's image of a pair that nobody ended", image(3, [P]), arbiter(3, P, B), 'boots'],
  ["the backup's image of a pair that nobody ended", image(3, [B]), arbiter(3, P, B), 'boots'],
  ["the winner's image, whose record was not written since", image(3, [B]), arbiter(4, B, null), 'boots'],
  ["the loser's image", image(3, [P]), arbiter(4, B, null), 'stale'],
  ["the loser's image, and the arbiter shows the owner only", image(3, [P]), arbiter(4, B), 'stale'],
  ['an image that a cold start claimed with and died', image(3, [P, Z]), arbiter(4, Z, null), 'boots'],
  ['its former partner after that cold start', image(3, [B]), arbiter(4, Z, null), 'stale'],
  ['an image whose cold start lost', image(3, [P, Z]), arbiter(4, X, null), 'stale'],
  ['an image from many generations ago', image(3, [P]), arbiter(17, X, null), 'stale'],
  ['an image that has caught up for a pair that never formed', image(3, [B]), arbiter(3, P, null), 'stale'],
  ['a whole image with another backup in its place', image(3, [B]), arbiter(3, P, X), 'stale'],
  ['the same, where the arbiter does not tell the pair', image(3, [B]), arbiter(3, P), 'unknown'],
  ["the owner's, where the arbiter does not tell the pair", image(3, [P]), arbiter(3, P), 'boots'],
  ["a backup's half-copied image", image(3, [B], 'incomplete'), arbiter(3, P, B), 'incomplete'],
  ["a former winner's half-copied image", image(3, [P], 'incomplete'), arbiter(3, P, null), 'incomplete'],
  ['an image and a silent arbiter', image(3, [P]), silent, 'unknown'],
  ['an image that is newer than the arbiter', image(5, [P]), arbiter(3, P, null), 'unknown'],
  ['a new image, and a machine that another image belongs to', image(undefined, []), arbiter(0, P, null), 'stale'],
  ['a new image whose creator died after its claim', image(undefined, [P]), arbiter(0, P), 'boots'],
];

for (const [what, record, word, verdict] of table) {
  test(`${what}: ${verdict}`, () => {
    const decision = decide(record, word);
    assert.equal(decision.verdict, verdict);
    if (decision.verdict !== 'boots') assert.ok(decision.message.length > 0 && decision.advice.length > 0);
    else assert.equal(decision.dataLoss, undefined);
  });
}

test('--accept-data-loss boots a stale image, says what is lost, and changes no other verdict', () => {
  for (const [what, record, word, verdict] of table) {
    const decision = decide(record, word, true);
    assert.equal(decision.verdict, verdict === 'stale' ? 'boots' : verdict, what);
    if (decision.verdict === 'boots') assert.equal(decision.dataLoss !== undefined, verdict === 'stale', what);
  }
});

test('of the images of a pair at most one boots once a generation was ended, whoever ended it', () => {
  const [ofPrimary, ofBackup] = [image(3, [P]), image(3, [B])];
  for (const winner of [P, B, Z, X]) {
    const boots = [ofPrimary, ofBackup].filter((each) => decide(each, arbiter(4, winner, null)).verdict === 'boots');
    assert.equal(boots.length, winner === P || winner === B ? 1 : 0);
  }
});

test('the messages name the file, the generations and the way out', () => {
  const stale = decide(image(3, [P]), arbiter(4, B, null));
  assert.ok(stale.verdict === 'stale');
  assert.match(
    stale.message,
    /\/disks\/m\.raw is stale.*generation 3.*generation 4 belongs to incarnation [0-9a-f]{8}/,
  );
  assert.match(stale.advice, /--accept-data-loss/);
  const incomplete = decide(image(3, [B], 'incomplete'), silent);
  assert.ok(incomplete.verdict === 'incomplete');
  assert.doesNotMatch(incomplete.advice, /--accept-data-loss/);
});

test('the image of another machine is foreign, whatever else is true of it', () => {
  assert.equal(decide(image(3, [P]), arbiter(3, P, null), true, 'other').verdict, 'foreign');
});
