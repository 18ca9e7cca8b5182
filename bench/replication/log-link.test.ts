import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeMessage, MAX_MESSAGE_BYTES } from '../../src/core/replication/message-codec.ts';
import { encodeFrame } from '../../src/host/net/framing.ts';
import { LogLink } from './log-link.ts';

const BATCH = { type: 'log', generation: 0, sequence: 1, base: 0n, position: 9n, time: 0n } as const;

const framed = (bytes: Uint8Array<ArrayBuffer>): Buffer =>
  encodeFrame(encodeMessage({ ...BATCH, bytes }), { minLength: 1, maxLength: MAX_MESSAGE_BYTES });

test('what passes a link, slow or not, comes whole and in order, is counted, and kept while it is asked to', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-link-test-'));
  const primary = net.createServer().listen(join(directory, 'primary'));
  await once(primary, 'listening');
  const link = await LogLink.open({ path: join(directory, 'link') }, { path: join(directory, 'primary') });
  t.after(() => {
    link.close();
    primary.close();
    rmSync(directory, { recursive: true });
  });
  const arrived = once(primary, 'connection');
  const backupSide = net.connect(join(directory, 'link'));
  const [primarySide] = (await arrived) as [net.Socket];
  const received: Buffer[] = [];
  const all = Promise.withResolvers<void>();
  const sent: Buffer[] = [];
  backupSide.on('data', (chunk) => {
    received.push(chunk);
    if (Buffer.concat(received).length === 6 * framed(new Uint8Array(100)).length) all.resolve();
  });
  const send = async (first: number): Promise<void> => {
    for (let i = first; i < first + 2; i++) {
      const message = framed(new Uint8Array(100).fill(i));
      sent.push(message);
      primarySide.write(message);
    }
    const before = sent.reduce((sum, { length }) => sum + length, 0);
    while (link.passed.sentBytes < before) await new Promise((resolve) => setImmediate(resolve));
  };

  await send(0);
  link.keep();
  link.delayMs = 5;
  await send(2);
  const kept = link.take();
  // Those without a delay wait for those with one.
  link.delayMs = 0;
  await send(4);
  await all.promise;
  assert.deepEqual(Buffer.concat(received), Buffer.concat(sent));
  assert.deepEqual(
    kept.map(({ bytes }) => bytes[0]),
    [2, 3],
  );
  assert.deepEqual(link.passed, { sentBytes: Buffer.concat(sent).length, backBytes: 0 });

  backupSide.end('bye');
  const [bye] = (await once(primarySide, 'data')) as [Buffer];
  assert.equal(bye.toString(), 'bye');
  assert.equal(link.passed.backBytes, 3);
});
