/** The demo as a new user starts it, and its verdict. It builds the demo image if it is missing: the first time takes a minute. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const understudy = join(import.meta.dirname, '../../understudy');

/** Runs it to its end. */
async function demo(...words: string[]) {
  const child = spawn(understudy, ['demo', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, status: status as number | null };
}

/** A port that is taken as long as the test runs. */
async function takenPort(): Promise<{ port: number; free: () => void }> {
  const server = net.createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return { port: (server.address() as net.AddressInfo).port, free: () => server.close() };
}

test('the backup takes over, no connection breaks, nothing is lost or repeated, and nothing is left', async () => {
  const { stdout, stderr, status } = await demo('--once', '--kill-after', '3');
  assert.equal(status, 0, stdout + stderr);
  assert.equal(stderr, '');
  assert.match(stdout, /0 ms {3}kill -9 \d+, the primary/);
  assert.match(stdout, /gap +[\d.]+ ms between two lines/);
  assert.match(stdout, /ok +the backup took over/);
  assert.match(stdout, /ok +exactly one owner: the arbiter's newest generation is 1, the survivor's is 1/);
  assert.match(stdout, /ok +stream: the same TCP connection, lines 1 to \d+, none lost, none twice\n/);
  assert.match(stdout, /ok +redis: the same TCP connection, writes 1 to \d+, none lost, none twice\n/);
  const pids = [...stdout.matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid));
  assert.ok(pids.length > 0);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a port that is taken and was asked for is refused by name, before anything starts', async () => {
  const { port, free } = await takenPort();
  try {
    const { stderr, status } = await demo('--once', '--redis-port', String(port));
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^understudy: port ${port} on 127.0.0.1 is in use already\n.*--redis-port`));
  } finally {
    free();
  }
});
