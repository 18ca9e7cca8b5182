import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OperatingError } from '../../core/base/error.ts';
import { askMachine } from './client.ts';
import { MAX_LINE_BYTES } from './messages.ts';
import { type ControlHandlers, ControlServer } from './server.ts';

const result = { position: 2n ** 60n, rounds: 3, bytes: 1000, stopMs: 1.5, longestPauseMs: 2, tookMs: 30 };

async function serve(t: TestContext, handlers: Partial<ControlHandlers> = {}): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'understudy-control-'));
  const path = join(place, 'c.sock');
  const server = await ControlServer.start(
    { path },
    {
      status: () => ({ name: 'test', position: '7' }),
      snapshot: async (_request, onProgress) => {
        onProgress({ round: 1, pages: 10, bytes: 0 });
        return result;
      },
      ...handlers,
    },
  );
  t.after(async () => {
    await server.close();
    await rm(place, { recursive: true, force: true });
  });
  return path;
}

/** Sends `text` and gives all that comes back until the other side, or we, are done after `lines` lines. */
function talk(path: string, text: string, lines: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });
    let said = '';
    const finish = (): void => {
      socket.destroy();
      resolve(said.split('\n').filter((line) => line !== ''));
    };
    socket.setEncoding('utf8').on('data', (data: string) => {
      said += data;
      if (said.split('\n').length > lines) finish();
    });
    socket.on('error', reject);
    socket.on('close', finish);
    socket.write(text);
  });
}

test('a machine is asked where it is, and for a snapshot with its progress', async (t) => {
  const path = await serve(t);
  const { status } = await askMachine(path, { command: 'status' });
  assert.deepEqual(status, { name: 'test', position: '7' });
  const rounds: number[] = [];
  const done = await askMachine(path, { command: 'snapshot', path: '/x', stop: false }, ({ round }) => {
    rounds.push(round);
  });
  assert.deepEqual(rounds, [1]);
  assert.deepEqual(done.snapshot, { ...result, position: String(2n ** 60n) });
});

test('only its user may open the socket', async (t) => {
  const { mode } = await stat(await serve(t));
  assert.equal(mode & 0o777, 0o600);
});

test('an error of the machine reaches the one who asked, with its advice', async (t) => {
  const path = await serve(t, {
    snapshot: () => Promise.reject(new OperatingError('snapshot-exists', 'it is there', 'Remove it.')),
  });
  const asked = askMachine(path, { command: 'snapshot', path: '/x', stop: true });
  await assert.rejects(asked, { code: 'snapshot-exists', message: 'it is there', advice: 'Remove it.' });
});

test('a wrong request is one error, and the next one is answered', async (t) => {
  const path = await serve(t);
  const wrong = ['', '{', '[]', '{"command":"explode"}', '{"command":"status","more":1}', '"x"'];
  wrong.push('{"command":"snapshot","path":"relative","stop":false}', '{"command":"snapshot","path":"/x"}');
  const lines = await talk(path, `${wrong.join('\n')}\n{"command":"status"}\n`, wrong.length + 1);
  assert.equal(lines.length, wrong.length + 1);
  const types = lines.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual(
    types.slice(0, -1),
    wrong.map(() => 'error'),
  );
  assert.equal(types.at(-1), 'done');
});

test('a line without an end is cut off', async (t) => {
  const path = await serve(t);
  const lines = await talk(path, 'x'.repeat(MAX_LINE_BYTES + 1), 2);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /too long/);
  assert.ok((await askMachine(path, { command: 'status' })).status);
});

test('where no machine is, the advice says how to start one', async () => {
  const asked = askMachine('/nowhere/c.sock', { command: 'status' });
  await assert.rejects(asked, {
    code: 'control-unreachable',
    message: /no machine answers at .nowhere.c.sock: ENOENT/,
  });
});

test('closing lets a question that is being answered be answered', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'understudy-control-'));
  t.after(() => rm(place, { recursive: true, force: true }));
  const asked = Promise.withResolvers<void>();
  const may = Promise.withResolvers<void>();
  const path = join(place, 'c.sock');
  const server = await ControlServer.start(
    { path },
    {
      status: () => ({ name: 'test', position: '7' }),
      snapshot: async () => {
        asked.resolve();
        await may.promise;
        return result;
      },
    },
  );
  const answer = askMachine(path, { command: 'snapshot', path: '/x', stop: false });
  await asked.promise;
  const closed = server.close();
  may.resolve();
  assert.equal((await answer).snapshot?.rounds, 3);
  await closed;
  await assert.rejects(stat(path), { code: 'ENOENT' });
});
