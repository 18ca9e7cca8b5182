import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { aptConfiguration, debFileName, PrivateApt, parseSimulation } from './apt.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-apt-'));
after(() => rmSync(directory, { recursive: true }));

function settings(mirror: string) {
  const workDir = path.join(directory, 'work');
  mkdirSync(workDir, { recursive: true });
  return {
    cacheDir: path.join(directory, 'cache'),
    workDir,
    mirror,
    suite: 'trixie',
    architecture: 'riscv64',
    keyring: '/dev/null',
  };
}

test('the choices of a simulated installation are read', () => {
  const printed = `Reading package lists...
Inst gcc-14-base (14.2.0-19 Debian:13.2/stable [riscv64])
Inst libc6 (2.41-12 Debian:13.2/stable [riscv64]) []
Inst tzdata (2025b-4 Debian:13.2/stable, Debian-Security:13/stable-security [all])
Conf libc6 (2.41-12 Debian:13.2/stable [riscv64])
`;
  assert.deepEqual(parseSimulation(printed), [
    { name: 'gcc-14-base', version: '14.2.0-19', architecture: 'riscv64' },
    { name: 'libc6', version: '2.41-12', architecture: 'riscv64' },
    { name: 'tzdata', version: '2025b-4', architecture: 'all' },
  ]);
});

test("an epoch's colon is escaped in file names", () => {
  assert.equal(debFileName({ name: 'redis', version: '5:8.0.2-3', architecture: 'all' }), 'redis_5%3a8.0.2-3_all.deb');
});

test("the host's proxies are kept, its package lists and its permission for unsigned ones are not", () => {
  const host = [
    'Acquire::http::Proxy "http://proxy.example.org:3128";',
    'Acquire::AllowInsecureRepositories "true";',
    'Acquire::IndexTargets::deb::DEP-11 "";',
    'APT::Sandbox::User "_apt";',
  ].join('\n');
  const lines = aptConfiguration(settings('http://mirror.example.org/debian'), host).split('\n');
  assert.ok(lines.includes('Acquire::http::Proxy "http://proxy.example.org:3128";'));
  assert.ok(!lines.some((line) => line.includes('DEP-11')));
  assert.equal(
    lines.findLast((line) => line.startsWith('Acquire::AllowInsecureRepositories')),
    'Acquire::AllowInsecureRepositories "false";',
  );
  assert.equal(
    lines.findLast((line) => line.startsWith('APT::Sandbox::User')),
    'APT::Sandbox::User "root";',
  );
});

test('a mirror that nobody answers for is unreachable, and the message names it', async () => {
  const apt = await PrivateApt.create(settings('file:///nowhere/debian'));
  await assert.rejects(apt.update(), {
    code: 'mirror-unreachable',
    message: /file:\/\/\/nowhere\/debian.*trixie/,
  });
});

test('an unsigned mirror is refused', async () => {
  const mirror = path.join(directory, 'mirror');
  mkdirSync(path.join(mirror, 'dists/trixie/main/binary-riscv64'), { recursive: true });
  writeFileSync(path.join(mirror, 'dists/trixie/main/binary-riscv64/Packages'), '');
  writeFileSync(path.join(mirror, 'dists/trixie/Release'), 'Suite: trixie\nComponents: main\nArchitectures: riscv64\n');
  const apt = await PrivateApt.create(settings(`file://${mirror}`));
  await assert.rejects(apt.update(), (error: Error & { code?: string }) => {
    assert.ok(error.code === 'signature-refused' || error.code === 'mirror-unreachable', error.message);
    return true;
  });
});
