import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ByteWriter } from '../../src/core/base/byte-writer.ts';
import { encodeEntry } from '../../src/core/replay/log-entry.ts';
import type { Message } from '../../src/core/replication/message.ts';
import { encodeMessage, MAX_MESSAGE_BYTES } from '../../src/core/replication/message-codec.ts';
import { encodeFrame } from '../../src/host/net/framing.ts';
import { LogTap } from './log-tap.ts';

const framed = (message: Message): Buffer =>
  encodeFrame(encodeMessage(message), { minLength: 1, maxLength: MAX_MESSAGE_BYTES });

function hashesAt(...positions: bigint[]): Message {
  const writer = new ByteWriter(64);
  let before = 0n;
  for (const position of positions) {
    encodeEntry(writer, { kind: 'hash', value: 1n, position }, before);
    before = position;
  }
  const bytes = writer.take();
  return { type: 'log', generation: 0, sequence: 1, base: 0n, position: 1000n, time: 0n, bytes };
}

const ack = (executed: bigint): Message => {
  const rest = { generation: 0, sequence: 1, credit: 0, echo: 0, cpu: 'running', uplink: true } as const;
  return { type: 'ack', ...rest, executed };
};

test('a hash counts as equal once the backup has executed beyond it, and bytes pass unchanged', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-tap-'));
  const primary = net.createServer().listen(join(directory, 'primary'));
  await once(primary, 'listening');
  const tap = await LogTap.open({ path: join(directory, 'tap') }, { path: join(directory, 'primary') });
  t.after(() => {
    tap.close();
    primary.close();
    rmSync(directory, { recursive: true });
  });
  const arrived = once(primary, 'connection');
  const backupSide = net.connect(join(directory, 'tap'));
  const [primarySide] = (await arrived) as [net.Socket];

  const log = framed(hashesAt(10n, 20n, 30n));
  primarySide.write(log);
  assert.deepEqual((await once(backupSide, 'data'))[0], log);
  assert.deepEqual([tap.hashesLogged, tap.hashesEqual, tap.entries], [3, 0, 3]);

  for (const [executed, equal] of [
    [20n, 1],
    [21n, 2],
    [31n, 3],
  ] as const) {
    const bytes = framed(ack(executed));
    backupSide.write(bytes);
    assert.deepEqual((await once(primarySide, 'data'))[0], bytes);
    assert.equal(tap.hashesEqual, equal);
  }
  backupSide.write(framed({ type: 'diverged', generation: 0, position: 40n, log: 'hash 1', machine: 'hash 2' }));
  await once(primarySide, 'data');
  assert.match(tap.divergence ?? '', /at 40: the log has hash 1, the backup hash 2/);
});
