import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { askReplica, serveControl } from './control.ts';

test('a client that is gone before its answer does not take the replica with it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-control-'));
  const path = join(directory, 'control');
  const asked = Promise.withResolvers<net.Socket>();
  const server = await serveControl(path, async () => ({ ok: false, code: 'busy', message: 'not now' }));
  server.once('connection', (socket: net.Socket) => asked.resolve(socket));
  t.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  const impatient = net.connect({ path });
  await once(impatient, 'connect');
  const asking = await asked.promise;
  const broken = new Promise<boolean>((resolve) => asking.once('close', resolve));
  impatient.write(`${JSON.stringify({ do: 'status' })}\n`, () => impatient.destroy());
  assert.equal(await broken, true, 'the answer met a broken pipe');

  await assert.rejects(askReplica(path, { do: 'status' }), { code: 'busy' });
});
