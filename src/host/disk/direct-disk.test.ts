import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDirectDisk } from './direct-disk.ts';
import { testDisk } from './disk-suite.ts';

const directory = mkdtempSync(join(tmpdir(), 'understudy-direct-'));
after(() => rmSync(directory, { recursive: true }));

const open = (path: string) => openDirectDisk(path, (line) => assert.fail(line));

testDisk('a file', async (path) => {
  const problems: string[] = [];
  const disk = await openDirectDisk(path, (line) => problems.push(line));
  return { disk, problems, close: () => disk.close() };
});

function image(name: string, size = 4096): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** A process that has the disk open and locked. */
async function holder(path: string): Promise<ChildProcess> {
  const module = new URL('./direct-disk.ts', import.meta.url).href;
  const script = `const { openDirectDisk } = await import('${module}');
    globalThis.disk = await openDirectDisk(${JSON.stringify(path)}, () => {});
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

test('a disk that is missing, no file, or of a wrong size is refused with its path', async () => {
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  const pipe = join(directory, 'socket');
  execFileSync('mkfifo', [pipe]);
  for (const [path, code] of [
    [join(directory, 'none.raw'), 'disk-missing'],
    [join(image('file.raw'), 'below'), 'disk-missing'],
    [folder, 'disk-not-a-file'],
    [pipe, 'disk-not-a-file'],
    ['/dev/null', 'disk-not-a-file'],
    [image('empty.raw', 0), 'disk-bad-size'],
    [image('odd.raw', 1000), 'disk-bad-size'],
  ] as const) {
    await assert.rejects(
      open(path),
      (error: Error & { code: string }) => error.code === code && error.message.includes(path),
      path,
    );
  }
});

test('an image that is not raw is refused with the way to convert it', async () => {
  const path = image('image.qcow2');
  writeFileSync(path, Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(508)]));
  await assert.rejects(open(path), { code: 'disk-bad-format', message: /qcow2/, advice: /qemu-img convert/ });
});

const skip = process.getuid?.() === 0 ? 'root may write everywhere' : false;

test('a disk that may not be written is refused', { skip }, async () => {
  const path = image('locked.raw');
  chmodSync(path, 0o444);
  await assert.rejects(open(path), { code: 'disk-not-permitted' });
});

test('a disk in use is refused, by whatever name, and its user is named', async (t) => {
  const path = image('used.raw');
  const alias = join(directory, 'alias.raw');
  linkSync(path, alias);
  const child = await holder(path);
  t.after(() => child.kill('SIGKILL'));
  await assert.rejects(open(path), { code: 'disk-in-use', message: new RegExp(`process ${child.pid} `) });
  await assert.rejects(open(alias), { code: 'disk-in-use' });
});

test('the lock is gone with a killed holder', async () => {
  const path = image('killed.raw');
  const child = await holder(path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const disk = await open(path);
  await assert.rejects(open(path), { code: 'disk-in-use', message: /this same process/ });
  await disk.close();
  await (await open(path)).close();
});
