/**
 * A backup whose memory changes by itself, with real hosts and real processes: it never takes over, the primary goes on alone and
 * makes itself another backup, and both hosts keep what differed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostReport } from '../../src/host/daemon/messages.ts';
import { startChild } from '../../src/host/processes.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';
import { DAMAGE, DAMAGED_OFFSET, DAMAGED_PAGE } from './support/damage-memory.ts';
import { LocalHosts } from './support/local-hosts.ts';

/** Writes all over 2 MiB, without end, but only in the lower half of each page. */
const scribbler = assemble(`
  li s4, 0x80100000; li s8, 0x6d2b79f5; li s9, 0x1ff7f8; li s5, 0
  1: addi s5, s5, 1; mul s6, s6, s8; add s6, s6, s5
  srli t4, s6, 20; and t4, t4, s9; add t4, t4, s4; sd s6, 0(t4)
  j 1b
`);
const HOSTS = ['a', 'b', 'c'] as const;
type HostName = (typeof HOSTS)[number];

async function startHosts(t: TestContext): Promise<LocalHosts> {
  const hosts = new LocalHosts(await mkdtemp(join(tmpdir(), 'us-div-')));
  t.after(async () => {
    await hosts.close();
    await rm(hosts.directory, { recursive: true, force: true });
  });
  // What we start, and what that starts, has memory that can be damaged.
  process.execArgv.push('--import', join(import.meta.dirname, 'support/damage-memory.ts'));
  for (const name of HOSTS) await hosts.start(name);
  return hosts;
}

const phaseOf = ({ replicas }: HostReport): string | undefined => replicas[0]?.status?.phase;

test('a backup that differs is thrown away, what differed is kept, and another backup takes its place', {
  timeout: 120_000,
}, async (t) => {
  const hosts = await startHosts(t);
  await writeFile(join(hosts.directory, 'scribbler.elf'), makeElf(scribbler));
  const machine = join(hosts.directory, 'twin.yaml');
  const description = { memory: '32M', firmware: 'none', kernel: 'scribbler.elf', network: null };
  await writeFile(machine, JSON.stringify({ name: 'twin', ...description, timeouts: { hashInterval: '200ms' } }));
  const protect = ['protect', machine, '--hosts', HOSTS.join(','), '--host', hosts.address('a')];
  const protecting = await startChild(protect);
  assert.deepEqual(await protecting.ended, { code: 0, signal: null });
  const { replicas } = await hosts.until('b', (report) => phaseOf(report) === 'paired');
  process.kill(replicas[0].pid, 'SIGWINCH');
  const { ended } = await hosts.until('b', (report) => report.ended.length > 0);
  assert.equal(ended[0].code, 'diverged', ended[0].message);
  const again = await hosts.until('a', (report) => {
    const status = report.replicas[0]?.status;
    return status?.phase === 'paired' && status.generation === 1;
  });
  assert.equal(again.replicas[0].status?.role, 'primary', 'the owner is who it was, in another generation');
  const diagnoses = (name: HostName): string => join(hosts.directory, name, 'replicas/twin/diagnoses');
  const [kept] = await readdir(diagnoses('a'));
  const path = join(diagnoses('a'), kept);
  const page = async (side: string): Promise<Buffer> => readFile(join(path, 'pages', `${DAMAGED_PAGE}-${side}.bin`));
  assert.equal((await page('primary'))[DAMAGED_OFFSET], 0);
  assert.equal((await page('backup'))[DAMAGED_OFFSET], DAMAGE);
  assert.match(await readFile(join(path, 'report.txt'), 'utf8'), /Memory: 1 page with a difference/);
  assert.equal((await readdir(diagnoses('b'))).length, 1, 'the other host keeps its half');
});
