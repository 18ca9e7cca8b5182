import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Description } from './description.ts';
import { defaultBuffers, defaultTimeouts } from './description.ts';
import { canonicalJson, digestFiles, identityDigest, machineIdentity, pairDigest } from './identity.ts';

const description: Description = {
  name: 'web',
  memoryBytes: 2 ** 29,
  firmware: 'builtin',
  kernel: '/images/vmlinux',
  initramfs: undefined,
  commandLine: 'console=ttyS0',
  disk: { path: '/images/disk', readOnly: false },
  mac: '52:54:00:12:34:56',
  network: { uplink: { kind: 'passt' }, forwards: [], address: undefined, gateway: undefined },
  console: 'uart',
  onDivergence: 'stop',
  onTotalLoss: 'stop',
  timeouts: defaultTimeouts,
  buffers: defaultBuffers,
};
const digests = { kernel: 'k', initramfs: undefined, diskBytes: 4096 };
const identity = (changes: Partial<Description>) => machineIdentity({ ...description, ...changes }, digests);

test('the identity holds all that the guest can see', () => {
  assert.deepEqual(JSON.parse(identity({})), {
    '#': 'understudy machine 1',
    name: 'web',
    memoryBytes: 2 ** 29,
    firmware: 'builtin',
    kernel: 'k',
    initramfs: null,
    commandLine: 'console=ttyS0',
    disk: { bytes: 4096, readOnly: false },
    network: { mac: '52:54:00:12:34:56' },
    console: 'uart',
  });
});

test('the two of a pair agree on who reads, and nobody else is asked', () => {
  const disk = { path: '/images/disk', readOnly: false, reads: 'backup' } as const;
  assert.equal(identity({ disk }), identity({}), 'a log or a snapshot is of the same machine');
  const plain = identityDigest(identity({}));
  assert.notEqual(pairDigest(identity({}), { disk }), plain);
  assert.equal(pairDigest(identity({}), { disk: { ...disk, reads: 'log' } }), plain);
  assert.equal(pairDigest(identity({}), { disk: undefined }), plain);
});

test('where the files lie, time-outs and port forwards are not part of it', () => {
  assert.equal(
    identity({
      kernel: '/elsewhere/vmlinux',
      disk: { path: '/dev/sdb', readOnly: false },
      onDivergence: 'continue',
      onTotalLoss: 'restart',
      timeouts: { ...defaultTimeouts, suspicionMs: 1000 },
      network: {
        uplink: { kind: 'socket', address: { path: '/hub' } },
        forwards: [],
        address: undefined,
        gateway: undefined,
      },
    }),
    identity({}),
  );
});

test('another kernel, memory, disk or MAC address is another machine', () => {
  const others = [
    machineIdentity(description, { ...digests, kernel: 'other' }),
    machineIdentity(description, { ...digests, diskBytes: 8192 }),
    identity({ memoryBytes: 2 ** 28 }),
    identity({ mac: '52:54:00:12:34:57' }),
    identity({ network: undefined }),
    identity({}),
  ].map(identityDigest);
  assert.equal(new Set(others).size, others.length);
});

test('canonical JSON has sorted keys and no white space', () => {
  assert.equal(canonicalJson({ b: [1, { d: null, c: 'x y' }], a: true }), '{"a":true,"b":[1,{"c":"x y","d":null}]}');
});

test('the files are digested as they are', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-identity-'));
  try {
    const kernel = join(directory, 'vmlinux');
    const disk = join(directory, 'disk');
    await writeFile(kernel, 'kernel');
    await writeFile(disk, Buffer.alloc(1536));
    const expected = createHash('sha256').update('kernel').digest('hex');
    assert.deepEqual(await digestFiles({ ...description, kernel, disk: { path: disk, readOnly: false } }), {
      kernel: expected,
      initramfs: undefined,
      diskBytes: 1536,
    });
    await assert.rejects(digestFiles({ ...description, kernel: join(directory, 'gone') }), { code: 'description' });
  } finally {
    await rm(directory, { recursive: true });
  }
});
