/**
 * Record and replay of a real guest under load: the replay is the run once more, to the last bit of its state, and a log that was
 * cut or damaged is good exactly up to there.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { LogFileReader } from '../../src/core/replay/log-file.ts';
import { buildImage } from '../../src/host/image/build-image.ts';
import { type Guest, startUnderstudy } from './support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from './support/machine-directory.ts';

const hashLine = /hash ([0-9a-f]{16}) at (\d+)/g;

describe('a guest recorded under redis load', () => {
  let machine: MachineDirectory;
  let recorded: Guest;
  let log: Buffer;

  before(async () => {
    machine = await makeMachineDirectory(await buildImage());
    recorded = startUnderstudy(['record', machine.descriptionFile, '--log', file('whole')]);
    await recorded.ready();
    const load = ['-p', String(machine.redisPort), '-t', 'set,get,lpush', '-n', '4000', '-c', '20', '-d', '200'];
    await promisify(execFile)('redis-benchmark', load);
    await recorded.shell('redis-cli info commandstats | head -20; sha256sum /var/log/*');
    assert.deepEqual(await recorded.powerOff(), { code: 0, signal: null });
    log = await readFile(file('whole'));
  });

  after(async () => {
    await recorded?.kill();
    await machine?.remove();
  });

  const file = (name: string): string => join(machine.path, `${name}.log`);

  async function replay(name: string): Promise<{ readonly status: number | null; readonly guest: Guest }> {
    const guest = startUnderstudy(['replay', file(name), '--hashes']);
    return { status: (await guest.ended).code, guest };
  }

  test('replays twice with the same console and the same hashes at the same positions', async () => {
    const reader = new LogFileReader();
    const expected = reader
      .push(log)
      .flatMap((entry) => (entry.kind === 'hash' ? [`${hex(entry.value)} ${entry.position}`] : []));
    assert.ok(expected.length >= 5, `${expected.length} hashes in the log`);
    let end: string | undefined;
    for (let time = 1; time <= 2; time++) {
      const { status, guest } = await replay('whole');
      assert.equal(status, 0, guest.complaints);
      assert.equal(guest.console, recorded.console);
      const found = [...guest.complaints.matchAll(hashLine)].map(([, value, position]) => `${value} ${position}`);
      assert.deepEqual(found, expected);
      const last = /replayed to position \d+, .*hash at the end [0-9a-f]{16}/.exec(guest.complaints)?.[0];
      assert.ok(last);
      end ??= last;
      assert.equal(last, end);
    }
  });

  test('a log cut short anywhere replays up to its last whole entry and says so', async () => {
    const cut = randomInt(Math.floor(log.length / 2), log.length);
    const bytes = log.subarray(0, cut);
    await writeFile(file('cut'), bytes);
    const { status, guest } = await replay('cut');
    const what = `cut at byte ${cut}: ${guest.complaints}`;
    assert.equal(status, 0, what);
    const reader = new LogFileReader();
    const last = reader.push(bytes).at(-1);
    const missing = cut - reader.wholeBytes;
    assert.equal(guest.complaints.includes('was cut short'), missing > 0, what);
    if (missing > 0) assert.ok(guest.complaints.includes(`its last ${missing} bytes`), what);
    assert.ok(guest.complaints.includes(`replayed to position ${last?.position},`), what);
    assert.ok(recorded.console.startsWith(guest.console), what);
  });

  test('a log with one bit flipped is refused at the entry that holds it', async () => {
    const at = randomInt(Math.floor(log.length / 4), log.length);
    const bytes = Buffer.from(log);
    bytes[at] ^= 1 << randomInt(8);
    await writeFile(file('flipped'), bytes);
    const { status, guest } = await replay('flipped');
    const what = `a bit of byte ${at} is flipped: ${guest.complaints}`;
    assert.equal(status, 1, what);
    const reader = new LogFileReader();
    reader.push(log.subarray(0, at));
    assert.ok(guest.complaints.includes(`damaged at byte ${reader.wholeBytes}:`), what);
  });
});

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
