/** A replica that owns no generation reads the shared disk, and can do no more (PROTOCOL.md, 22 and 23). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newIdentifier } from '../arbiter/arbiter-suite.ts';
import { type DiskServer, startDiskServer } from '../disk/server.ts';
import { SharedDisk } from './shared-disk.ts';

const SIZE = 1024 * 1024;
const READ = { type: 'read', id: 1, offset: 4096, length: 512 } as const;
const SECTOR = new Uint8Array(512).fill(9);

function place(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-shared-'));
  const path = join(directory, 'disk.raw');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const address = { path: join(directory, 'disk.sock') };
  const notices: string[] = [];
  const onProblem = (line: string): void => void notices.push(line);
  const serve = async (): Promise<DiskServer> => {
    const server = await startDiskServer({ path, vm: 'm', listen: [address], stateDir: directory, onProblem });
    t.after(() => server.close());
    return server;
  };
  const replica = (): SharedDisk => {
    const onNotice = (line: string): void => void notices.push(line);
    const disk = new SharedDisk({ address, vm: 'm', tls: undefined, incarnation: newIdentifier(), onNotice });
    t.after(() => disk.close());
    return disk;
  };
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { serve, replica, notices };
}

test('a backup reads what the owner has written, and the owner is not disturbed', async (t) => {
  const { serve, replica, notices } = place(t);
  await serve();
  const [owner, backup] = [replica(), replica()];
  assert.equal(await owner.admit(3), 'admitted');
  const write = { type: 'write', id: 1, offset: READ.offset, data: SECTOR } as const;
  assert.deepEqual(await owner.request(3, write), { ok: true });
  assert.deepEqual(await backup.read(READ), SECTOR);
  assert.deepEqual(await backup.request(3, write), { ok: false, error: 'closed' });
  assert.deepEqual(await owner.request(3, { ...write, data: new Uint8Array(512) }), { ok: true });
  assert.deepEqual(await backup.read(READ), new Uint8Array(512));
  assert.deepEqual(notices, []);
});

test('a read waits for a disk server that is away, and ends without data beyond the end of the disk', async (t) => {
  const { serve, replica } = place(t);
  const backup = replica();
  const reading = backup.read(READ);
  await serve();
  assert.deepEqual(await reading, new Uint8Array(512));
  assert.equal(await backup.read({ ...READ, offset: SIZE }), undefined);
});

test('a replica that closes while no disk server is there ends its reads', async (t) => {
  const backup = place(t).replica();
  const reading = backup.read(READ);
  await backup.close();
  assert.equal(await reading, undefined);
});
