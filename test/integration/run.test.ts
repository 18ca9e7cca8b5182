/** `understudy run` as a person meets it: a Debian shell on a pipe, a disk that keeps what was written, an end with status 0. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { buildImage } from '../../src/host/image/build-image.ts';
import { startUnderstudy } from './support/guest.ts';
import { type MachineDirectory, makeMachineDirectory } from './support/machine-directory.ts';

const run = promisify(execFile);

async function machineFor(t: TestContext): Promise<MachineDirectory> {
  const machine = await makeMachineDirectory(await buildImage());
  t.after(() => machine.remove());
  return machine;
}

test('a Debian shell works on a pipe, and what is written to the disk is there after a clean restart', async (t) => {
  const machine = await machineFor(t);
  const first = startUnderstudy(['run', machine.descriptionFile]);
  t.after(() => first.kill());
  await first.ready();

  const apt = await first.shell('apt-get --version');
  assert.match(apt.output, /^apt \d.*riscv64/);
  assert.deepEqual(await first.shell('redis-cli ping'), { output: 'PONG\n', status: 0 });
  assert.deepEqual(await first.shell('python3 -c "print(6 * 7)"'), { output: '42\n', status: 0 });
  const zeroes = await first.shell('dd if=/dev/zero bs=4k count=256 status=none | sha256sum');
  assert.match(zeroes.output, /^30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58 /);
  assert.equal((await first.shell('false')).status, 1);
  const random = await first.shell('dd if=/dev/urandom of=kept bs=64k count=16 && sha256sum kept');
  assert.match(random.output, /1048576 bytes/);
  const sum = /^[0-9a-f]{64} /m.exec(random.output)?.[0];
  assert.ok(sum);
  assert.deepEqual(await first.powerOff(), { code: 0, signal: null });
  const afterFirst = await run('/sbin/e2fsck', ['-fn', machine.disk]);
  assert.match(afterFirst.stdout, /\d+\/\d+ files/);

  const second = startUnderstudy(['run', machine.descriptionFile]);
  t.after(() => second.kill());
  await second.ready();
  assert.ok((await second.shell('sha256sum kept')).output.startsWith(sum));
  assert.deepEqual(await second.powerOff(), { code: 0, signal: null });
  await run('/sbin/e2fsck', ['-fn', machine.disk]);
});

test('the guest is reached from this host through passt', async (t) => {
  const machine = await machineFor(t);
  const guest = startUnderstudy(['run', machine.descriptionFile]);
  t.after(() => guest.kill());
  await guest.ready();
  const redis = (...words: string[]) => run('redis-cli', ['-p', String(machine.redisPort), ...words]);
  assert.equal((await redis('set', 'greeting', 'from outside')).stdout, 'OK\n');
  assert.equal((await guest.shell('redis-cli get greeting')).output, '"from outside"\n');
  assert.deepEqual(await guest.powerOff(), { code: 0, signal: null });
});
