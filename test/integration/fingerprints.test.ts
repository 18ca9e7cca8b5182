/**
 * Who takes part in a machine, by certificate (docs/PROTOCOL.md, 22 and 29): real replicas, a real disk server and the directory
 * arbiter, all with keys of one authority, and a host of that authority that has no business there. The guest only waits.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PairRecord } from '../../src/host/arbiter/arbiter.ts';
import { type Channel, connectChannel, listenForChannels } from '../../src/host/channel/channel.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { Credentials, type TlsFiles } from '../../src/host/tls/credentials.ts';
import { TestAuthority } from '../../src/host/tls/testing.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';

/** A process, and what it has said so far. */
type Speaker = { readonly child: Child; heard(pattern: RegExp): Promise<string> };

async function speaker(t: TestContext, words: readonly string[]): Promise<Speaker> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const onLine = (line: string): void => {
    lines.push(line);
    for (const wake of waiting) wake();
  };
  const child = await startChild(words, { onError: onLine });
  t.after(() => child.stop());
  const heard = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const line = lines.find((text) => pattern.test(text));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  return { child, heard };
}

/** Three hosts of one authority, an arbiter, a disk and its server; the primary is to be on host a. */
async function machine(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-fingerprints-'));
  const authority = await TestAuthority.make();
  t.after(async () => {
    authority.remove();
    await rm(directory, { recursive: true, force: true });
  });
  const at = (name: string): string => join(directory, name);
  await mkdir(at('arbiter'));
  await mkdir(at('state'));
  await writeFile(at('idle.elf'), makeElf(assemble('_start:\n wfi\n j _start\n')));
  await writeFile(at('disk.img'), '');
  await truncate(at('disk.img'), 2 ** 20);
  const description = at('machine.yaml');
  const text = { name: 'web', memory: '32M', firmware: 'none', kernel: 'idle.elf', disk: 'disk.img', network: null };
  await writeFile(description, JSON.stringify(text));
  const keysOf = (files: TlsFiles): string[] => [
    ...['--tls-certificate', files.certificate, '--tls-key', files.key, '--tls-authority', files.authority],
  ];
  const [a, b, c] = await Promise.all(['host-a', 'host-b', 'host-c'].map((name) => authority.files(name)));
  const fingerprint = (files: TlsFiles): string => Credentials.load(files).current.fingerprint;
  const arbiter = ['--arbiter', at('arbiter')];
  const address = (name: string): string => `unix:${at(name)}`;
  const words = [description, '--disk', address('disk'), ...arbiter, '--unsafe-arbiter'];
  const diskServer = await speaker(t, [
    ...['disk', at('disk.img'), '--listen', address('disk'), '--name', 'web', '--state', at('state')],
    ...[...arbiter, ...keysOf(await authority.files('host-d'))],
  ]);
  const primary = (more: readonly string[] = []) =>
    speaker(t, ['primary', ...words, '--listen', address('log'), '--create', ...keysOf(a), ...more]);
  const backup = (files: TlsFiles, to = 'log') =>
    speaker(t, ['backup', ...words, '--primary', address(to), ...keysOf(files)]);
  const record = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(at('arbiter'), 'web', name), 'utf8'));
  return { a, b, c, at, diskServer, primary, backup, fingerprint, record };
}

test('a host of the authority between the two is found out by the record, and both sides say so', {
  timeout: 60_000,
}, async (t) => {
  const { a, b, c, at, diskServer, primary, backup, fingerprint, record } = await machine(t);
  const owner = await primary();
  await owner.heard(/: waiting-for-backup/);
  // It speaks TLS with each of them under its own certificate, and hands on what they say.
  const tls = { credentials: Credentials.load(c) };
  const middle = await listenForChannels(
    { path: at('middle') },
    (near) => {
      const early: Uint8Array[] = [];
      let far: Channel | undefined;
      const events = { onMessage: (bytes: Uint8Array) => near.send(bytes), onClose: () => near.close() };
      void connectChannel({ path: at('log') }, events, { tls }).then((channel) => {
        far = channel;
        for (const bytes of early) far.send(bytes);
      });
      return {
        onMessage: (bytes) => void (far === undefined ? early.push(bytes.slice()) : far.send(bytes)),
        onClose: () => far?.close(),
      };
    },
    { tls },
  );
  t.after(() => middle.close());
  const fooled = await backup(b, 'middle');
  const shown = fingerprint(c).slice(0, 16);
  await fooled.heard(new RegExp(`record has the certificate ${fingerprint(a).slice(0, 16)} .*${shown} was shown`));
  await owner.heard(/the backup refuses this primary: .*record has the certificate/);

  // It cost a generation; the true backup has the next one.
  await owner.heard(/^generation 1: waiting-for-backup/);
  const follower = await backup(b);
  await Promise.all([owner.heard(/^generation 1: paired/), follower.heard(/^generation 1: paired/)]);
  const { primaryFingerprint, backupFingerprint } = (await record('pair-1')) as PairRecord;
  assert.deepEqual([primaryFingerprint, backupFingerprint], [fingerprint(a), fingerprint(b)]);
  assert.equal(((await record('owner-1')) as { fingerprint: string }).fingerprint, fingerprint(a));
  await diskServer.heard(/admitted generation 1, incarnation \w+ on host-a/);

  // The backup claims with its own certificate, and the disk is its own.
  process.kill(owner.child.pid, 'SIGKILL');
  await follower.heard(/^generation 2: alone/);
  await diskServer.heard(/admitted generation 2, incarnation \w+ on host-b/);
  assert.equal(((await record('owner-2')) as { fingerprint: string }).fingerprint, fingerprint(b));
});

test('a primary that was told its peer’s certificate lets nobody else in, and both sides say so', {
  timeout: 60_000,
}, async (t) => {
  const { b, c, primary, backup, fingerprint } = await machine(t);
  const owner = await primary(['--peer-fingerprint', fingerprint(b)]);
  const other = await backup(c);
  await owner.heard(/host-c\) is not let in: its certificate \w+ is not among those of --peer-fingerprint/);
  await other.heard(/refuses this host: .*its certificate \w+ is not among those of --peer-fingerprint/);
  const right = await backup(b);
  await Promise.all([owner.heard(/: paired/), right.heard(/: paired/)]);
});
