import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusLine } from '../../host/replica/status.ts';
import { PairView } from './pair-view.ts';

function status(facts: Partial<StatusLine & { type: 'status' }>): StatusLine {
  return {
    type: 'status',
    pid: 1,
    role: 'primary',
    phase: 'paired',
    generation: 0,
    position: '0',
    peerPosition: undefined,
    lagMs: 0,
    logBytes: 0,
    heldOutputs: 0,
    speed: 1,
    residentBytes: 0,
    cpu: undefined,
    ...facts,
  };
}

test('a pair is redundant only when both sides say so, and taken over only when the backup owns it alone', () => {
  const view = new PairView();
  view.take('primary', status({}), 0);
  assert.equal(view.isRedundant, false);
  view.take('backup', status({ pid: 2, role: 'backup' }), 0);
  assert.equal(view.isRedundant, true);
  view.take('backup', { type: 'phase', pid: 2, phase: 'leaving', generation: 0, why: 'silence' }, 1);
  assert.equal(view.isRedundant || view.hasTakenOver, false);
  view.take('backup', status({ pid: 2, role: 'primary', phase: 'alone', generation: 1 }), 2);
  assert.equal(view.hasTakenOver, true);
});

test('the rate of the log is that of the last two seconds', () => {
  const view = new PairView();
  for (let ms = 0; ms <= 4000; ms += 100) {
    const logBytes = ms <= 2000 ? ms * 1000 : 2_000_000 + (ms - 2000) * 125;
    view.take('primary', status({ logBytes }), ms);
  }
  assert.equal(view.logRate(4000), 1_000_000);
  assert.equal(view.logRate(10_000), 0);
});

test('the guest is ready when its console says so, in however many pieces', () => {
  const view = new PairView();
  for (const data of ['[0.1] boot\r\nunder', 'study: rea', 'dy']) {
    view.take('primary', { type: 'console', pid: 1, data }, 0);
    assert.equal(view.guestIsReady, false);
  }
  view.take('primary', { type: 'console', pid: 1, data: '\r\n\r\n' }, 0);
  assert.equal(view.guestIsReady, true);
  assert.equal(view.lastConsoleLine, 'understudy: ready');
});
