import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OperatingError } from '../../core/base/error.ts';
import { loadDescription } from './load.ts';

let directory = '';

/** The first 64 bytes of a RISC-V `Image`, as far as anyone looks at them before the boot. */
function imageHeader(): Buffer {
  const header = Buffer.alloc(64);
  header.write('RSC\x05', 56, 'latin1');
  return header;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'understudy-description-'));
  await writeFile(join(directory, 'vmlinux'), imageHeader());
  await writeFile(join(directory, 'initramfs.cpio'), 'anything');
  await writeFile(join(directory, 'disk.img'), Buffer.alloc(4096));
});
after(() => rm(directory, { recursive: true }));

async function write(text: string, file = 'web.yaml'): Promise<string> {
  const path = join(directory, file);
  await writeFile(path, text);
  return path;
}

async function load(text: string) {
  return loadDescription(await write(text));
}

/** The message with the temporary directory taken out of it. */
async function messageFor(text: string): Promise<string> {
  try {
    await load(text);
  } catch (error) {
    assert.ok(error instanceof OperatingError, String(error));
    return error.message.replaceAll(`${directory}/`, '');
  }
  assert.fail('the description was accepted');
}

test('the shortest description takes its name from the file and the rest from the defaults', async () => {
  const description = await load('kernel: vmlinux\n');
  assert.equal(description.name, 'web');
  assert.equal(description.kernel, join(directory, 'vmlinux'));
  assert.equal(description.memoryBytes, 512 * 2 ** 20);
  assert.equal(description.firmware, 'builtin');
  assert.equal(description.commandLine, 'console=ttyS0');
  assert.equal(description.disk, undefined);
  assert.equal(description.network, undefined);
  assert.equal(description.timeouts.suspicionMs, 500);
  assert.equal(description.onDivergence, 'stop');
  assert.equal(description.onTotalLoss, 'stop');
});

test('every key reaches the description, with paths relative to the file', async () => {
  const description = await load(`
name: db-1
memory: 3G
firmware: none
kernel: ./vmlinux
initramfs: initramfs.cpio
commandLine: console=hvc0 quiet
disk: { path: disk.img, readOnly: true }
mac: 52:54:00:12:34:56
network:
  uplink: unix:run/hub.sock
  address: 192.168.7.2/24
  gateway: 192.168.7.1
console: virtio
onDivergence: continue
onTotalLoss: restart
timeouts: { suspicion: 1s, heartbeat: 100ms, claimRetry: 50ms, hashInterval: 500 ms, lag: 250ms, lease: 3s }
buffers: { log: 32M, outputs: 2M }
`);
  assert.deepEqual(description, {
    name: 'db-1',
    memoryBytes: 3 * 2 ** 30,
    firmware: 'none',
    kernel: join(directory, 'vmlinux'),
    initramfs: join(directory, 'initramfs.cpio'),
    commandLine: 'console=hvc0 quiet',
    disk: { path: join(directory, 'disk.img'), readOnly: true },
    mac: '52:54:00:12:34:56',
    network: {
      uplink: { kind: 'socket', address: { path: join(directory, 'run/hub.sock') } },
      forwards: [],
      address: { address: '192.168.7.2', prefixLength: 24 },
      gateway: '192.168.7.1',
    },
    console: 'virtio',
    onDivergence: 'continue',
    onTotalLoss: 'restart',
    timeouts: { suspicionMs: 1000, heartbeatMs: 100, claimRetryMs: 50, hashIntervalMs: 500, lagMs: 250, leaseMs: 3000 },
    buffers: { logBytes: 32 * 2 ** 20, outputBytes: 2 * 2 ** 20 },
  });
});

test('a disk may be just its path, and then is the root of the default command line', async () => {
  const description = await load('kernel: vmlinux\ndisk: disk.img\nnetwork: passt\n');
  assert.deepEqual(description.disk, { path: join(directory, 'disk.img'), readOnly: false });
  assert.equal(description.commandLine, 'console=ttyS0 root=/dev/vda rw');
  assert.deepEqual(description.network, {
    uplink: { kind: 'passt' },
    forwards: [],
    address: { address: '10.0.2.15', prefixLength: 24 },
    gateway: '10.0.2.2',
  });
});

test('nothing in disk, initramfs and network means none', async () => {
  const description = await load('kernel: vmlinux\ndisk: null\ninitramfs:\nnetwork: none\n');
  assert.equal(description.disk, undefined);
  assert.equal(description.initramfs, undefined);
  assert.equal(description.network, undefined);
});

test('a wrong value is shown on its line, with carets under it', async () => {
  assert.equal(
    await messageFor('kernel: vmlinux\nmemory: 512\n'),
    ['web.yaml:2:9: memory: "512" has no unit: write 512M', '    2 | memory: 512', '      |         ^^^'].join('\n'),
  );
});

test('an unknown key comes with the key that was meant', async () => {
  assert.match(await messageFor('kernel: vmlinux\nmemroy: 1G\n'), /web.yaml:2:1: memroy: .*did you mean "memory"/);
  assert.match(await messageFor('kernel: vmlinux\ninitrd: x\n'), /did you mean "initramfs"/);
  assert.match(
    await messageFor('kernel: vmlinux\ndisk: {path: disk.img, readonly: true}\n'),
    /2:24.*did you mean "readOnly"/s,
  );
  assert.match(await messageFor('kernel: vmlinux\nflavour: x\n'), /the keys are name, memory/);
});

test('all errors are reported at once, in the order of the lines', async () => {
  const message = await messageFor(
    'memory: 16M\nkernel: 7\ndisk: {}\nnetwork: {forwards: [80, x]}\nconsole: vga\ntimeouts: {suspicion: 1h}\n',
  );
  const heads = message.split('\n').filter((line) => /^web[.]yaml:/.test(line));
  assert.deepEqual(
    heads.map((line) => line.split(' ').slice(0, 2).join(' ')),
    [
      'web.yaml:1:9: memory:',
      'web.yaml:3:1: disk.path:',
      'web.yaml:4:26: network.forwards[1]:',
      'web.yaml:5:10: console:',
      'web.yaml:6:23: timeouts.suspicion:',
    ],
  );
  assert.match(message, /^web.yaml has 5 errors/);
});

test('memory stays within what the machine can have', async () => {
  for (const [memory, expected] of [
    ['31M', /least possible, 32M/],
    ['3073M', /most possible, 3G/],
    ['40000K', /whole number of MiB/],
    ['[1]', /is a list/],
  ] as const) {
    assert.match(await messageFor(`kernel: vmlinux\nmemory: ${memory}\n`), expected);
  }
});

test('a missing or wrong file is reported at the line that names it', async () => {
  await writeFile(join(directory, 'bzImage'), Buffer.concat([Buffer.alloc(0x202), Buffer.from('HdrS....')]));
  await writeFile(join(directory, 'odd.img'), Buffer.alloc(1000));
  await writeFile(join(directory, 'image.qcow2'), Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(508)]));
  await writeFile(join(directory, 'empty'), '');
  assert.match(await messageFor('kernel: nowhere\n'), /web.yaml:1:9: kernel: nowhere does not exist/);
  assert.match(await messageFor('kernel: bzImage\n'), /is a kernel for x86/);
  assert.match(await messageFor('kernel: empty\n'), /empty is empty/);
  assert.match(await messageFor('kernel: .\n'), /is a directory/);
  assert.match(await messageFor('kernel: initramfs.cpio\n'), /is no kernel/);
  assert.match(await messageFor('kernel: vmlinux\ninitramfs: nowhere\n'), /web.yaml:2:12: initramfs: .*does not exist/);
  assert.match(await messageFor('kernel: vmlinux\ndisk: odd.img\n'), /web.yaml:2:7: .*no multiple of 512/);
  assert.match(await messageFor('kernel: vmlinux\ndisk:\n  path: image.qcow2\n'), /web.yaml:3:9: .*qcow2/);
});

test('a mirrored disk is an image of each host, which need not be there, for replicas alone', async () => {
  const path = await write('kernel: vmlinux\ndisk: {mirrored: {path: own.img, size: 4G}}\n');
  const { disk } = await loadDescription(path, { diskIsHere: false });
  assert.deepEqual(disk, {
    path: join(directory, 'own.img'),
    readOnly: false,
    mirrored: true,
    sizeBytes: 4 * 2 ** 30,
  });
  const short = await write('kernel: vmlinux\ndisk: {mirrored: own.img}\n');
  assert.equal((await loadDescription(short, { diskIsHere: false })).disk?.sizeBytes, undefined);
  assert.match(
    await messageFor('kernel: vmlinux\ndisk: {mirrored: own.img}\n'),
    /web.yaml:2:\d+: disk.mirrored: is for/,
  );
  assert.match(await messageFor('kernel: vmlinux\ndisk: {mirrored: {size: 4G}}\n'), /disk.mirrored.path: is missing/);
  assert.match(
    await messageFor('kernel: vmlinux\ndisk: {mirrored: {path: own.img, size: 1.0005M}}\n'),
    /disk.mirrored.size: .*(whole number|no multiple of 512)/,
  );
  assert.match(await messageFor('kernel: vmlinux\ndisk: {mirrored: own.img, readOnly: true}\n'), /readOnly/);
});

test('who reads again what the guest reads is said of either kind of disk, or of none', async () => {
  const readsOf = async (disk: string): Promise<unknown> =>
    (await loadDescription(await write(`kernel: vmlinux\ndisk: ${disk}\n`), { diskIsHere: false })).disk?.reads;
  assert.equal(await readsOf('{path: disk.img, reads: backup}'), 'backup');
  assert.equal(await readsOf('{mirrored: own.img, reads: backup}'), 'backup');
  assert.equal(await readsOf('{path: disk.img, reads: log}'), 'log');
  assert.equal(await readsOf('disk.img'), undefined);
  assert.match(
    await messageFor('kernel: vmlinux\ndisk: {path: disk.img, reads: twice}\n'),
    /disk.reads: must be log or backup/,
  );
});

test('a disk that belongs to a disk server elsewhere is not looked at', async () => {
  const path = await write('kernel: vmlinux\ndisk: /nowhere/disk.img\n');
  const description = await loadDescription(path, { diskIsHere: false });
  assert.equal(description.disk?.path, '/nowhere/disk.img');
});

test('keys that depend on each other are checked together', async () => {
  assert.match(
    await messageFor('kernel: vmlinux\ntimeouts: {suspicion: 50ms, heartbeat: 20ms}\n'),
    /2:23: timeouts.suspicion: is 50ms, less than three heartbeats/,
  );
  assert.match(
    await messageFor('kernel: vmlinux\nnetwork: {uplink: "host:1", forwards: [80]}\n'),
    /network.forwards: need the uplink passt/,
  );
  assert.match(await messageFor('kernel: vmlinux\nnetwork: {forwards: [80, "127.0.0.1:80:81"]}\n'), /a second time/);
});

test('broken YAML is shown where it breaks', async () => {
  assert.match(await messageFor('kernel: [1\nmemory: 2\n'), /^web.yaml:2:1: /);
  assert.match(await messageFor('kernel: a\nkernel: b\n'), /^web.yaml:2:1: Map keys must be unique/);
  assert.match(await messageFor('- kernel\n'), /a mapping of keys/);
  assert.match(await messageFor(''), /^web.yaml:1:1: kernel: is missing/);
});

test('what is no description at all is refused before it is parsed', async () => {
  await writeFile(join(directory, 'binary.yaml'), Buffer.from([1, 0, 2]));
  await writeFile(join(directory, 'big.yaml'), Buffer.alloc(300_000, 'a'));
  await assert.rejects(loadDescription(join(directory, 'binary.yaml')), /is a binary file/);
  await assert.rejects(loadDescription(join(directory, 'big.yaml')), /300000 bytes/);
  await assert.rejects(loadDescription(join(directory, 'none.yaml')), /does not exist/);
  await assert.rejects(loadDescription(directory), /is a directory/);
  const bomb = `a: &a [x,x,x,x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: &c [${'*b,'.repeat(9)}*b]\nkernel: *c\n`;
  await assert.rejects(load(bomb), OperatingError);
});

test('an uplink over VXLAN is a mapping or one line, and both mean the same', async () => {
  const mapping = await load(
    'kernel: vmlinux\nnetwork:\n  gateway: 10.1.0.1\n  uplink:\n    vxlan: {vni: 42, remotes: [192.0.2.1, 192.0.2.2], local: 192.0.2.11}\n',
  );
  const line = await load(
    'kernel: vmlinux\nnetwork:\n  gateway: 10.1.0.1\n  uplink: vxlan:42,remote=192.0.2.1,remote=192.0.2.2,local=192.0.2.11\n',
  );
  assert.deepEqual(mapping.network?.uplink, {
    kind: 'vxlan',
    vni: 42,
    remotes: ['192.0.2.1', '192.0.2.2'],
    local: '192.0.2.11',
    port: 4789,
  });
  assert.deepEqual(line.network, mapping.network);
});

test('what is wrong with an uplink over VXLAN is said where it stands', async () => {
  const mapping = (inside: string) => `kernel: vmlinux\nnetwork:\n  uplink:\n    vxlan:\n${inside}`;
  const line = (text: string) => `kernel: vmlinux\nnetwork:\n  uplink: ${text}\n`;
  for (const [text, expected] of [
    [mapping('      vni: 16777216\n      remotes: [192.0.2.1]\n'), /^web\.yaml:5:.*vni/m],
    [mapping('      vni: 1\n      remotes: [here]\n'), /^web\.yaml:6:.*"here" is no IP address/m],
    [mapping('      vni: 1\n      remotes: []\n'), /^web\.yaml:6:.*remotes/m],
    [mapping('      vni: 1\n      remote: 192.0.2.1\n'), /did you mean "remotes"\?/],
    [mapping('      vni: 1\n      remotes: [192.0.2.1, "2001:db8::1"]\n'), /mixes IPv4 and IPv6/],
    [line('vxlan'), /is no VXLAN uplink like/],
    [line('vxlan:1'), /is no VXLAN uplink like/],
    [line('vxlan:1,remote=192.0.2.300'), /which is no IP address/],
    [line('vxlan:16777216,remote=192.0.2.1'), /beyond 24 bits/],
    [line('vxlan:1,remote=192.0.2.1,local=192.0.2.1'), /names an address twice/],
    [line('vxlan:1,remote=192.0.2.1,port=0'), /port outside 1 to 65535/],
    [line('vxlan:1,remote=192.0.2.1,local=192.0.2.2,local=192.0.2.3'), /twice/],
  ] as const) {
    assert.match(await messageFor(text), expected);
  }
});
