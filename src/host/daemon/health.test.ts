import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthOf } from './health.ts';
import type { MachineRecord, ReplicaReport } from './messages.ts';
import type { ClusterView, HostView } from './operator.ts';

const web: MachineRecord = {
  name: 'web',
  description: {},
  baseDirectory: '/',
  engine: 'interpreter',
  hosts: ['a', 'b'],
  wanted: 'running',
};
const recordOf = (name: string) => ({ name, address: `${name}:1`, memoryBytes: 1, freeBytes: 1, version: '0' });
function host(name: string, ...replicas: ReplicaReport[]): HostView {
  const record = recordOf(name);
  return { record, report: { ...record, replicas, ended: [] } };
}
function replica(role: 'primary' | 'backup', phase: string): ReplicaReport {
  const status = { role, phase, generation: 1, position: '1', lagMs: 0 };
  return { machine: 'web', pid: 7, memoryBytes: 1, state: 'running', status };
}
const silent: ReplicaReport = { machine: 'web', pid: 7, memoryBytes: 1, state: 'silent' };
function codes(hosts: readonly HostView[], record = web): string[] {
  const view: ClusterView = { hosts, machines: [record] };
  return healthOf(view, record).reasons.map(({ code }) => code);
}

test('a complete pair is redundant, and its primary alone says what is wrong with it', () => {
  const view = {
    hosts: [host('a', replica('primary', 'paired')), host('b', replica('backup', 'paired'))],
    machines: [web],
  };
  assert.deepEqual(healthOf(view, web), { redundant: true, reasons: [] });
  const reasons = [{ code: 'host-absent', message: 'host b is not there' }];
  const alone = replica('primary', 'alone');
  const said = { ...alone, status: { ...alone.status!, reasons } };
  assert.deepEqual(healthOf({ hosts: [host('a', said)], machines: [web] }, web), { redundant: false, reasons });
});

test('a machine without replicas is lost, unless it is to be stopped, or somebody cannot be asked', () => {
  assert.deepEqual(codes([host('a'), host('b')]), ['machine-lost']);
  assert.deepEqual(codes([host('a'), host('b')], { ...web, wanted: 'stopped' }), []);
  const away: HostView = { record: recordOf('b'), report: undefined, why: 'no answer' };
  assert.deepEqual(codes([host('a'), away]), ['host-unreachable', 'machine-lost']);
  assert.deepEqual(codes([host('a')]), ['host-unreachable', 'machine-lost']);
});

test('a replica that does not answer is told, and a backup whose primary nobody sees', () => {
  assert.deepEqual(codes([host('a', silent), host('b')]), ['replica-silent']);
  assert.deepEqual(codes([host('a'), host('b', replica('backup', 'leaving'))]), ['no-primary']);
  assert.deepEqual(codes([host('a', silent), host('b', replica('backup', 'paired'))]), [
    'replica-silent',
    'no-primary',
  ]);
});
