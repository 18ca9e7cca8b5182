import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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

/** A signed archive of the test's own, whose suites are as one wishes. */
class SignedMirror {
  readonly url: string;
  readonly keyring: string;
  readonly #path: string;
  readonly #home: string;

  constructor(name: string) {
    this.#path = path.join(directory, name);
    this.#home = path.join(directory, `${name}-gpg`);
    this.url = `file://${this.#path}`;
    this.keyring = path.join(directory, `${name}.gpg`);
    mkdirSync(this.#home, { mode: 0o700 });
    this.#gpg('--passphrase', '', '--quick-generate-key', 'Mirror <mirror@example.org>', 'ed25519', 'sign', 'never');
    this.#gpg('--export', '--output', this.keyring);
  }

  #gpg(...words: string[]): void {
    execFileSync('gpg', ['--homedir', this.#home, '--batch', '--quiet', '--no-tty', ...words], { stdio: 'pipe' });
  }

  /** Under `name`: the list that the Release file names, and the one that is there. */
  suite(name: string, codename: string, named: string, present: string): void {
    const dist = path.join(this.#path, 'dists', name);
    mkdirSync(path.join(dist, 'main/binary-riscv64'), { recursive: true });
    writeFileSync(path.join(dist, 'main/binary-riscv64/Packages'), present);
    const hash = createHash('sha256').update(named).digest('hex');
    const release = `Origin: Debian
Suite: stable
Codename: ${codename}
Date: ${new Date().toUTCString().replace('GMT', 'UTC')}
Architectures: riscv64
Components: main
SHA256:
 ${hash} ${named.length} main/binary-riscv64/Packages
`;
    writeFileSync(path.join(dist, 'Release'), release);
    this.#gpg('--yes', '--clearsign', '--output', path.join(dist, 'InRelease'), path.join(dist, 'Release'));
  }

  get settings() {
    return { ...settings(this.url), keyring: this.keyring };
  }
}

const LIST = 'Package: hello\nVersion: 1\nArchitecture: all\nFilename: hello.deb\nSize: 1\n\n';
const LATER = LIST.replace('Version: 1', 'Version: 1.1');

test("a mirror that is being updated is read under the release's other name, and only if that is the same release", async () => {
  const whole = new SignedMirror('whole');
  whole.suite('trixie', 'trixie', LIST, LIST);
  assert.equal(await (await PrivateApt.create(whole.settings)).update(), 'trixie');

  const half = new SignedMirror('half');
  half.suite('trixie', 'trixie', LATER, LIST);
  const apt = await PrivateApt.create(half.settings);
  await assert.rejects(apt.update(), { code: 'mirror-out-of-step', message: /trixie.*half/ });
  half.suite('stable', 'forky', LIST, LIST);
  await assert.rejects(apt.update(), { code: 'mirror-out-of-step', message: /trixie.*half/ });
  half.suite('stable', 'trixie', LIST, LIST);
  assert.equal(await apt.update(), 'stable');
  assert.equal((await apt.resolve(['hello']))[0]?.version, '1');
});
