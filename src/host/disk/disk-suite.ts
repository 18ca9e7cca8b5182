/**
 * What every disk does, a file or a server: the suite that each implementation of `Disk` runs.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { BlockRequest } from '../../core/machine/doors.ts';
import type { Disk } from './disk.ts';

const SIZE = 8 * 1024 * 1024;

export type OpenedDisk = { readonly disk: Disk; readonly problems: readonly string[]; close(): Promise<void> };

/** Adds the suite; `open` opens the raw image at `path`. */
export function testDisk(name: string, open: (path: string, directory: string) => Promise<OpenedDisk>): void {
  const run = (title: string, body: (disk: Disk, path: string, opened: OpenedDisk) => Promise<void>) =>
    test(`${name}: ${title}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'understudy-disk-'));
      const path = join(directory, 'disk.raw');
      writeFileSync(path, '');
      truncateSync(path, SIZE);
      const opened = await open(path, directory);
      t.after(async () => {
        await opened.close();
        rmSync(directory, { recursive: true });
      });
      await body(opened.disk, path, opened);
    });

  let nextId = 0;
  const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
  const write = (disk: Disk, offset: number, data: Uint8Array) =>
    disk.request({ type: 'write', id: nextId++, offset, data });
  const read = async (disk: Disk, offset: number, length: number) => {
    const result = await disk.request({ type: 'read', id: nextId++, offset, length });
    assert.ok(result.ok && result.data !== undefined);
    return Uint8Array.from(result.data);
  };

  run('its size is that of the image', async (disk) => {
    assert.equal(disk.sizeBytes, SIZE);
  });

  run('what was written is read, and stands in the file', async (disk, path) => {
    const data = Uint8Array.from({ length: 4096 }, (_, index) => (index * 13) & 255);
    assert.deepEqual(await write(disk, 512, data), { ok: true });
    assert.deepEqual(await read(disk, 512, 4096), data);
    assert.deepEqual(await read(disk, 0, 512), bytes(512, 0));
    assert.deepEqual(await disk.request({ type: 'flush', id: nextId++ }), { ok: true });
    assert.deepEqual(Uint8Array.from(readFileSync(path).subarray(512, 512 + 4096)), data);
  });

  run('the first and the last sector can be written, and nothing beyond', async (disk) => {
    assert.ok((await write(disk, 0, bytes(512, 1))).ok);
    assert.ok((await write(disk, SIZE - 512, bytes(512, 2))).ok);
    const beyond: BlockRequest[] = [
      { type: 'write', id: 1, offset: SIZE, data: bytes(512, 3) },
      { type: 'write', id: 2, offset: SIZE - 512, data: bytes(1024, 3) },
      { type: 'read', id: 3, offset: SIZE - 512, length: 1024 },
      { type: 'read', id: 4, offset: 2 ** 52, length: 512 },
      { type: 'discard', id: 5, offset: SIZE, length: 512 },
      { type: 'write-zeroes', id: 6, offset: SIZE - 512, length: 4096 },
    ];
    for (const request of beyond) {
      assert.deepEqual(await disk.request(request), { ok: false, error: 'out-of-range' }, `request ${request.id}`);
    }
    assert.deepEqual(await read(disk, SIZE - 512, 512), bytes(512, 2));
  });

  run('the whole disk can be read and written in one request', async (disk, path) => {
    assert.ok((await write(disk, 0, bytes(SIZE, 0xaa))).ok);
    assert.deepEqual(await read(disk, 0, SIZE), bytes(SIZE, 0xaa));
    assert.equal(readFileSync(path).length, SIZE);
  });

  run('write-zeroes leaves zeroes there and nothing else changed', async (disk) => {
    await write(disk, 0, bytes(3 * 1024 * 1024, 5));
    const zeroes: BlockRequest = { type: 'write-zeroes', id: nextId++, offset: 512, length: 2 * 1024 * 1024 };
    assert.deepEqual(await disk.request(zeroes), { ok: true });
    assert.deepEqual(await read(disk, 0, 512), bytes(512, 5));
    assert.deepEqual(await read(disk, 512, 2 * 1024 * 1024), bytes(2 * 1024 * 1024, 0));
    assert.deepEqual(await read(disk, 512 + 2 * 1024 * 1024, 512), bytes(512, 5));
  });

  run('a discard is answered, and its neighbours keep their data', async (disk) => {
    await write(disk, 0, bytes(4096, 6));
    assert.deepEqual(await disk.request({ type: 'discard', id: nextId++, offset: 512, length: 512 }), { ok: true });
    assert.deepEqual(await read(disk, 0, 512), bytes(512, 6));
    assert.deepEqual(await read(disk, 1024, 512), bytes(512, 6));
  });

  run('many requests are outstanding at once', async (disk) => {
    const places = Array.from({ length: 64 }, (_, index) => index * 8192);
    await Promise.all(places.map((offset, index) => write(disk, offset, bytes(4096, index))));
    const found = await Promise.all(places.map((offset) => read(disk, offset, 4096)));
    found.forEach((data, index) => {
      assert.deepEqual(data, bytes(4096, index));
    });
  });

  run('requests that overlap take effect in the order of their submission', async (disk) => {
    for (let round = 0; round < 10; round++) {
      const big = write(disk, 0, bytes(1024 * 1024, 1));
      const small = write(disk, 512 * 1024, bytes(512, 2));
      const seen = read(disk, 512 * 1024, 512);
      const last = write(disk, 512 * 1024, bytes(512, 3));
      const zeroes = disk.request({ type: 'write-zeroes', id: nextId++, offset: 512, length: 512 });
      assert.deepEqual(await seen, bytes(512, 2));
      await Promise.all([big, small, last, zeroes]);
      assert.deepEqual(await read(disk, 512 * 1024, 512), bytes(512, 3));
      assert.deepEqual(await read(disk, 512, 512), bytes(512, 0));
    }
  });

  run('a medium that fails is an answer and a line for the log, not an exception', async (disk, path, { problems }) => {
    truncateSync(path, 4096);
    assert.deepEqual(await disk.request({ type: 'read', id: 1, offset: 8192, length: 512 }), {
      ok: false,
      error: 'io',
    });
    assert.deepEqual(await disk.request({ type: 'read', id: 2, offset: 8192, length: 512 }), {
      ok: false,
      error: 'io',
    });
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /disk\.raw: read failed/);
  });

  run('a closed disk finishes what is under way and then answers closed', async (disk, path) => {
    const underWay = write(disk, 0, bytes(1024 * 1024, 9));
    await disk.close();
    assert.deepEqual(await underWay, { ok: true });
    assert.deepEqual(await disk.request({ type: 'flush', id: nextId++ }), { ok: false, error: 'closed' });
    assert.equal(readFileSync(path)[1024 * 1024 - 1], 9);
  });

  run('after it was closed and opened again, everything is there', async (disk, path, opened) => {
    assert.ok((await write(disk, 4096, bytes(4096, 7))).ok);
    assert.ok((await disk.request({ type: 'flush', id: nextId++ })).ok);
    await opened.close();
    const again = await open(path, dirname(path));
    try {
      assert.deepEqual(await read(again.disk, 4096, 4096), bytes(4096, 7));
      assert.ok((await write(again.disk, 0, bytes(512, 8))).ok);
    } finally {
      await again.close();
    }
  });

  run('a second opener is refused, and the first is not disturbed', async (disk, path) => {
    await assert.rejects(open(path, dirname(path)), { code: 'disk-in-use' });
    assert.ok((await write(disk, 0, bytes(512, 1))).ok);
  });

  test(`${name}: a full file system fails the request and says so`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'understudy-disk-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const mount = join(directory, 'small');
    mkdirSync(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      t.skip('a small file system cannot be mounted here');
      return;
    }
    try {
      const path = join(mount, 'disk.raw');
      writeFileSync(path, '');
      truncateSync(path, SIZE);
      const { disk, problems, close } = await open(path, directory);
      const data = bytes(SIZE / 2, 1);
      assert.deepEqual(await write(disk, 0, data), { ok: false, error: 'no-space' });
      assert.match(problems[0] ?? '', /file system is full/);
      assert.deepEqual(await read(disk, SIZE - 512, 512), bytes(512, 0));
      await close();
    } finally {
      execFileSync('umount', ['--lazy', mount]);
    }
  });
}
