import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { descriptionFromOptions } from './options.ts';

let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'understudy-options-'));
  const kernel = Buffer.alloc(64);
  kernel.write('RSC\x05', 56, 'latin1');
  await writeFile(join(directory, 'vmlinux'), kernel);
  await writeFile(join(directory, 'disk.img'), Buffer.alloc(512));
});
after(() => rm(directory, { recursive: true }));

test("QEMU's options make a description", async () => {
  const description = await descriptionFromOptions(
    { kernel: 'vmlinux', append: 'console=ttyS0', memory: '256', disk: 'disk.img,readonly', forward: ['8080:80'] },
    directory,
  );
  assert.equal(description.memoryBytes, 256 * 2 ** 20);
  assert.equal(description.commandLine, 'console=ttyS0');
  assert.deepEqual(description.disk, { path: join(directory, 'disk.img'), readOnly: true });
  assert.deepEqual(description.network?.uplink, { kind: 'passt' });
  assert.deepEqual(description.network?.forwards[0]?.guestPort, 80);
});

test('without --net there is no network', async () => {
  const kernel = 'vmlinux';
  assert.equal((await descriptionFromOptions({ kernel }, directory)).network, undefined);
  assert.equal((await descriptionFromOptions({ kernel, net: 'none' }, directory)).network, undefined);
});

test('an option that cannot be right is a usage error that names it', async () => {
  const refused = (options: Parameters<typeof descriptionFromOptions>[0], message: RegExp) =>
    assert.rejects(descriptionFromOptions(options, directory), { code: 'usage', message });
  await refused({}, /^--kernel: is missing/);
  await refused({ kernel: 'vmlinux', memory: 'lots' }, /^--memory: "lots"/);
  await refused({ kernel: 'vmlinux', net: 'slirp' }, /^--net: "slirp"/);
  await refused({ kernel: 'vmlinux', net: 'none', forward: ['80'] }, /^--forward needs a network/);
  await refused({ kernel: 'vmlinux', forward: ['x'] }, /^--forward: "x"/);
});

test('a file that is not there is no usage error', async () => {
  await assert.rejects(descriptionFromOptions({ kernel: 'nowhere' }, directory), {
    code: 'description',
    message: /^--kernel: .*nowhere does not exist/,
  });
});
