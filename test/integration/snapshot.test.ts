/**
 * Snapshots as a person meets them: a Debian guest under load is written to a file while it runs, and goes on from there in
 * another process. `understudy resume` compares the hash of the whole machine before its first step.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { startUnderstudy } from './support/guest.ts';
import { makeMachineDirectory } from './support/machine-directory.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function understudy(...words: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, ...words])) };
  } catch (error) {
    return error as Ended;
  }
}

function matched(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  assert.ok(found !== undefined, `${pattern} is not in:\n${text}`);
  return found;
}

test('a loaded Debian guest goes on from a snapshot: its programs, its console, its time, its network, its disk', async (t: TestContext) => {
  const machine = await makeMachineDirectory(await buildImage());
  t.after(() => machine.remove());
  const socket = `unix:${join(machine.path, 'control.sock')}`;
  const running = join(machine.path, 'while-running.snap');
  const stopped = join(machine.path, 'stopped.snap');

  const first = startUnderstudy(['run', machine.descriptionFile, '--control', socket]);
  t.after(() => first.kill());
  await first.ready();
  await first.shell('(while redis-cli incr turns; do :; done) >/dev/null 2>&1 & true');
  await first.shell('(while :; do dd if=/dev/urandom of=scratch bs=64k count=32 conv=fsync; done) 2>/dev/null & true');

  // While it runs; a second one to the same file is refused.
  const taken = await understudy('snapshot', socket, running);
  assert.equal(taken.code, 0, taken.stderr);
  t.diagnostic(taken.stdout);
  matched(taken.stdout, /(stood still for [\d.]+ ms)/);
  const again = await understudy('snapshot', socket, running);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /while-running.snap exists already/);
  assert.equal((await first.shell('redis-cli ping')).output, 'PONG\n');

  // And left there.
  const turns = Number((await first.shell('redis-cli get turns')).output.replaceAll(/\D/g, ''));
  const up = Number(matched((await first.shell('cat /proc/uptime')).output, /^([\d.]+) /));
  const left = await understudy('snapshot', socket, stopped, '--stop');
  assert.equal(left.code, 0, left.stderr);
  assert.deepEqual(await first.ended, { code: 0, signal: null });
  assert.match(first.complaints, /the machine is in .*stopped.snap, and stopped here/);
  const files = (await readdir(machine.path)).sort();
  assert.deepEqual(files, ['disk.img', 'machine.yaml', 'stopped.snap', 'while-running.snap']);

  const second = startUnderstudy(['resume', stopped, machine.descriptionFile]);
  t.after(() => second.kill());
  await second.until('it goes on', () => (second.complaints.includes('the machine goes on from') ? true : undefined));
  const later = Number((await second.shell('redis-cli get turns')).output.replaceAll(/\D/g, ''));
  assert.ok(later > turns, `${later} turns after ${turns}`);
  const upLater = Number(matched((await second.shell('cat /proc/uptime')).output, /^([\d.]+) /));
  assert.ok(upLater >= up, `up ${upLater} s after ${up} s`);
  await second.shell('sleep 0.2');
  const even = Number((await second.shell('redis-cli get turns')).output.replaceAll(/\D/g, ''));
  assert.ok(even > later, 'the load goes on');
  const outside = await run('redis-cli', ['-p', String(machine.redisPort), 'set', 'from', 'outside']);
  assert.equal(outside.stdout, 'OK\n');
  assert.equal((await second.shell('kill %1 %2; sync')).status, 0);
  assert.deepEqual(await second.powerOff(), { code: 0, signal: null });
  await run('/sbin/e2fsck', ['-fn', machine.disk]);

  await refusals(stopped, machine.descriptionFile, machine.path);
});

/** What is no snapshot of this machine is one clear error, and no machine runs. */
async function refusals(snapshot: string, descriptionFile: string, directory: string): Promise<void> {
  const refused = async (pattern: RegExp, ...words: string[]): Promise<void> => {
    const { code, stderr } = await understudy('resume', ...words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /This is a bug/);
  };
  const other = join(directory, 'other.yaml');
  const description: unknown = JSON.parse(await readFile(descriptionFile, 'utf8'));
  await writeFile(other, JSON.stringify({ ...(description as object), memory: '256M' }));
  await refused(/another machine: memoryBytes was 536870912, and is 268435456/, snapshot, other);
  await refused(/is no snapshot/, descriptionFile, descriptionFile);
  await refused(/cannot be read/, join(directory, 'missing.snap'), descriptionFile);
  const { size } = await stat(snapshot);
  await truncate(snapshot, size - 1);
  await refused(/damaged: it ends too early/, snapshot, descriptionFile);
}
