import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkHealth } from './link-health.ts';

function health(expectsAnswers: boolean, remotes = ['one']): LinkHealth {
  return new LinkHealth({ remotes, expectsAnswers, patienceTicks: 3, tickMs: 100 });
}

function ticks(link: LinkHealth, count: number): void {
  for (let i = 0; i < count; i++) link.tick();
}

test('where answers are expected the link is up from the first sign of life, and no reason is given too early', () => {
  const link = health(true);
  ticks(link, 2);
  assert.deepEqual(link.verdict, { state: 'down', reason: undefined });
  ticks(link, 1);
  assert.deepEqual(link.verdict, { state: 'down', reason: 'nothing has come from one for 300 ms' });
  link.heard(0);
  assert.deepEqual(link.verdict, { state: 'up', reason: undefined });
});

test('silence is counted in ticks, so that a process that stood still does not take it for loss', () => {
  const link = health(true);
  link.heard(0);
  ticks(link, 2);
  assert.equal(link.verdict.state, 'up');
  ticks(link, 1);
  assert.equal(link.verdict.state, 'down');
});

test('an error counts at once, until something is heard', () => {
  const link = health(true);
  link.heard(0);
  link.failed(0, 'one is refused');
  assert.deepEqual(link.verdict, { state: 'down', reason: 'one is refused' });
  link.heard(0);
  assert.equal(link.verdict.state, 'up');
});

test('where no answers are expected the absence of errors has to do', () => {
  const link = health(false);
  ticks(link, 1);
  assert.equal(link.verdict.state, 'down');
  ticks(link, 1);
  assert.equal(link.verdict.state, 'up');
  ticks(link, 100);
  assert.equal(link.verdict.state, 'up');
  link.failed(0, 'one is refused');
  ticks(link, 3);
  assert.equal(link.verdict.state, 'down');
  ticks(link, 1);
  assert.equal(link.verdict.state, 'up');
});

test('with two remotes the link is down only when both are, and the reason names both', () => {
  const link = health(true, ['one', 'two']);
  link.heard(1);
  link.failed(0, 'one is refused');
  assert.equal(link.verdict.state, 'up');
  ticks(link, 3);
  assert.deepEqual(link.verdict, { state: 'down', reason: 'one is refused; nothing has come from two for 300 ms' });
});
