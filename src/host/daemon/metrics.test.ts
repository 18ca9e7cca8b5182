import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplicaReport } from './messages.ts';
import { HostMetrics } from './metrics.ts';

const host = { name: 'a', address: 'a:1', memoryBytes: 4096, freeBytes: 1024, version: '0', ended: [] };
const status = { role: 'primary', phase: 'copying', generation: 3, position: '12', lagMs: 250 } as const;
const vitals = { residentBytes: 7000, translator: { translations: 5, modules: 2, bytes: 900 } };

function replica(more: Partial<ReplicaReport>): ReplicaReport {
  return { machine: 'web', pid: 1, memoryBytes: 2048, state: 'running', ...more };
}

test('what a replica says of itself is measured, its copy while there is one', async () => {
  const metrics = new HostMetrics();
  const transfer = { round: 1, doneBytes: 300, leftBytes: 100, sentBytes: 50 };
  const during = await metrics.text({ ...host, replicas: [replica({ status: { ...status, ...vitals, transfer } })] });
  for (const line of [
    'understudy_host_memory_bytes{kind="free"} 1024',
    'understudy_replica{machine="web",role="primary",phase="copying"} 1',
    'understudy_replica_lag_seconds{machine="web"} 0.25',
    'understudy_replica_resident_bytes{machine="web"} 7000',
    'understudy_replica_translations{machine="web"} 5',
    'understudy_replica_translated_bytes{machine="web"} 900',
    'understudy_replica_transfer_bytes{machine="web",kind="left"} 100',
  ]) {
    assert.ok(during.split('\n').includes(line), `${line} is not in\n${during}`);
  }
  const after = await metrics.text({ ...host, replicas: [replica({ status: { ...status, ...vitals } })] });
  assert.doesNotMatch(after, /understudy_replica_transfer_bytes\{/);
});

test('a primary that is alone says why, and how far the copy is that it makes', async () => {
  const copy = { stage: 'memory', doneBytes: 300, totalBytes: 400, bytesPerSecond: 50, restMs: 2000 } as const;
  const reasons = [{ code: 'copying', message: 'copying memory' }];
  const text = await new HostMetrics().text({ ...host, replicas: [replica({ status: { ...status, copy, reasons } })] });
  for (const line of [
    'understudy_replica_redundant{machine="web"} 0',
    'understudy_replica_reason{machine="web",code="copying"} 1',
    'understudy_replica_copy_bytes{machine="web",stage="memory",kind="done"} 300',
    'understudy_replica_copy_bytes{machine="web",stage="memory",kind="total"} 400',
    'understudy_replica_copy_bytes_per_second{machine="web"} 50',
    'understudy_replica_copy_rest_seconds{machine="web"} 2',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
  }
  const paired = { ...status, phase: 'paired', reasons: [] };
  const after = await new HostMetrics().text({ ...host, replicas: [replica({ status: paired })] });
  assert.match(after, /^understudy_replica_redundant\{machine="web"\} 1$/m);
  assert.doesNotMatch(after, /understudy_replica_(reason|copy_bytes)\{/);
});

test('a replica that does not answer is counted, and nothing is made up for it', async () => {
  const text = await new HostMetrics().text({ ...host, replicas: [replica({ state: 'silent' })] });
  assert.match(text, /^understudy_replica\{machine="web",role="unknown",phase="silent"\} 1$/m);
  assert.doesNotMatch(text, /understudy_replica_resident_bytes\{/);
});
