import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeAuthority, PURPOSE } from './certificate.ts';
import { Credentials } from './credentials.ts';
import { describeCertificates, initAuthority, makeHostKeys, makeOperatorKeys } from './keys.ts';
import { TestAuthority, validity } from './testing.ts';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-keys-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('an authority and two hosts: the files are private, and what a replica takes', async (t) => {
  const directory = join(directoryFor(t), 'keys');
  const authority = await initAuthority(directory);
  const hosts = [
    await makeHostKeys('host-a', directory, { addresses: ['10.0.0.1', 'fd00::1', 'a.example'] }),
    await makeHostKeys('host-b', directory),
  ];
  for (const { key } of [authority, ...hosts]) assert.equal(modeOf(key), '600');
  assert.deepEqual(
    hosts.map((files) => Credentials.load(files).current.fingerprint),
    hosts.map(({ fingerprint }) => fingerprint),
  );
  const [facts] = await describeCertificates(hosts[0]!.certificate);
  assert.equal(facts?.name, 'host-a');
  assert.equal(facts?.kind, 'host');
  assert.deepEqual(facts?.purposes, ['server', 'client']);
  assert.deepEqual(facts?.addresses, ['host-a', '10.0.0.1', 'FD00:0:0:0:0:0:0:1', 'a.example']);
  assert.equal(facts?.state, 'valid');
  assert.equal(facts?.daysLeft, 729);
  const [signer] = await describeCertificates(authority.certificate);
  assert.equal(signer?.kind, 'authority');
  assert.equal(signer?.fingerprint, authority.fingerprint);
});

test("an operator's certificate is for client use only, and no host's", async (t) => {
  const directory = directoryFor(t);
  const { certificate: authority } = await initAuthority(directory);
  const files = await makeOperatorKeys('alice', directory);
  assert.equal(modeOf(files.key), '600');
  const [facts] = await describeCertificates(files.certificate);
  assert.deepEqual(
    [facts?.name, facts?.kind, facts?.purposes, facts?.addresses],
    ['alice', 'operator', ['client'], []],
  );
  assert.throws(() => Credentials.load(files), { code: 'tls-bad-files', message: /not for use as a TLS server/ });
  assert.equal(Credentials.load(files, () => {}, 'client').current.fingerprint, files.fingerprint);
  const openssl = (purpose: string) =>
    execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', authority, files.certificate], {
      stdio: 'pipe',
    });
  assert.match(openssl('sslclient').toString(), /: OK/);
  assert.throws(() => openssl('sslserver'));
  const renewed = await makeOperatorKeys('alice', directory, { renew: true });
  assert.notEqual(renewed.fingerprint, files.fingerprint);
});

test('a certificate for client use that is of no unit of ours is nobody in particular', async (t) => {
  const authority = await TestAuthority.make();
  t.after(() => authority.remove());
  const someone = await authority.files('someone', { addresses: [], purposes: [PURPOSE.client] });
  assert.equal((await describeCertificates(someone.certificate))[0]?.kind, 'client');
  // A name cannot pass for a unit.
  const sly = await authority.files('sly', { name: 'x\nOU=understudy-operator', purposes: [PURPOSE.client] });
  assert.equal((await describeCertificates(sly.certificate))[0]?.kind, 'client');
});

test('the certificates are strictly right to another library, and the fingerprint is the one that it shows', async (t) => {
  const directory = directoryFor(t);
  const authority = await initAuthority(directory);
  const host = await makeHostKeys('host-a', directory, { addresses: ['::ffff:10.0.0.1', '10.0.0.1'] });
  const openssl = (...words: string[]) => execFileSync('openssl', words, { encoding: 'utf8' });
  for (const purpose of ['sslserver', 'sslclient']) {
    const words = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', authority.certificate, host.certificate];
    assert.match(openssl(...words), /: OK/);
  }
  const shown = openssl('x509', '-in', host.certificate, '-noout', '-fingerprint', '-sha256', '-ext', 'subjectAltName');
  assert.ok(shown.replaceAll(':', '').toLowerCase().includes(host.fingerprint));
  assert.match(shown, /IP Address:0:0:0:0:0:FFFF:A00:1, IP Address:10\.0\.0\.1/);
});

test('nothing is overwritten, and a failure leaves nothing behind', async (t) => {
  const directory = directoryFor(t);
  await initAuthority(directory);
  const before = readFileSync(join(directory, 'authority-key.pem'), 'utf8');
  await assert.rejects(initAuthority(directory), { code: 'keys-exist', message: /authority-key\.pem/ });
  assert.equal(readFileSync(join(directory, 'authority-key.pem'), 'utf8'), before);
  await makeHostKeys('host-a', directory);
  await assert.rejects(makeHostKeys('host-a', directory), { code: 'keys-exist', advice: /--renew/ });
  rmSync(join(directory, 'host-a/key.pem'));
  await assert.rejects(makeHostKeys('host-a', directory), { code: 'keys-exist', message: /certificate\.pem/ });
  assert.throws(() => statSync(join(directory, 'host-a/key.pem')), { code: 'ENOENT' });
});

test('a renewed certificate has a new key and the old addresses', async (t) => {
  const directory = directoryFor(t);
  await initAuthority(directory);
  const old = await makeHostKeys('host-a', directory, { addresses: ['10.0.0.1'] });
  const renewed = await makeHostKeys('host-a', directory, { renew: true, days: 10 });
  assert.notEqual(renewed.fingerprint, old.fingerprint);
  assert.equal(modeOf(renewed.key), '600');
  assert.equal(Credentials.load(renewed).current.fingerprint, renewed.fingerprint);
  const [facts] = await describeCertificates(renewed.certificate);
  assert.deepEqual(facts?.addresses, ['host-a', '10.0.0.1']);
  assert.equal(facts?.daysLeft, 9);
});

test('a host is never valid for longer than its authority', async (t) => {
  const directory = directoryFor(t);
  await initAuthority(directory, 5);
  const { certificate } = await makeHostKeys('host-a', directory);
  assert.equal((await describeCertificates(certificate))[0]?.daysLeft, 4);
});

test('bad names, missing authorities and files of another kind are clear errors', async (t) => {
  const directory = directoryFor(t);
  await assert.rejects(makeHostKeys('host-a', directory), { code: 'keys-no-authority', advice: /keys init/ });
  const { key, certificate } = await initAuthority(directory);
  for (const name of ['', '..', 'a/b', '-a', 'a..b', 'a b', 'x'.repeat(65)]) {
    await assert.rejects(makeHostKeys(name, directory), { code: 'keys-bad-name' });
  }
  await assert.rejects(makeHostKeys('a', directory, { addresses: ['10.0.0.1/24'] }), { code: 'keys-bad-name' });
  await assert.rejects(describeCertificates(key), { code: 'keys-bad-file', message: /is a private key/ });
  await assert.rejects(describeCertificates(join(directory, 'none')), { code: 'keys-bad-file' });
  await assert.rejects(initAuthority(join(certificate, 'below-a-file')), { code: 'keys-cannot-write' });
  writeFileSync(certificate, (await makeAuthority('Another', validity(-1, 9))).certificate);
  await assert.rejects(makeHostKeys('host-a', directory), { code: 'keys-no-authority', message: /cannot sign/ });
});

test('files that are not in order are refused before anything listens', async (t) => {
  const [ours, theirs] = [await TestAuthority.make(), await TestAuthority.make('Another authority')];
  t.after(() => [ours, theirs].map((one) => one.remove()));
  const good = await ours.files('good');
  const other = await ours.files('other');
  const refused = (files: Partial<typeof good>, message: RegExp) =>
    assert.throws(() => Credentials.load({ ...good, ...files }), { code: 'tls-bad-files', message });
  refused({ certificate: '/nowhere' }, /cannot read the TLS certificate \/nowhere/);
  refused({ key: other.key }, /is not the key of the certificate/);
  refused({ key: good.certificate }, /holds no private key/);
  refused({ certificate: good.key }, /no PEM file of certificates/);
  refused({ authority: theirs.authorityFile }, /was not signed by the authority/);
  refused({ authority: good.certificate }, /a certificate of no authority/);
  refused(await ours.files('expired', { validity: validity(-9, -1) }), /expired\.pem has expired on/);
  refused(await ours.files('early', { validity: validity(1, 9) }), /is not valid before/);
  refused(await ours.files('server-only', { purposes: ['1.3.6.1.5.5.7.3.1'] }), /not for use as a TLS client/);
  const exposed = join(ours.directory, 'exposed.pem');
  writeFileSync(exposed, readFileSync(good.key), { mode: 0o644 });
  refused({ key: exposed }, /everybody on this host may read/);
  const weak = join(ours.directory, 'weak');
  const request = ['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=weak', '-days', '2'];
  const ownAuthority = ['-keyout', `${weak}-key.pem`, '-out', `${weak}.pem`, '-addext', 'basicConstraints=CA:FALSE'];
  execFileSync('openssl', [...request, ...ownAuthority], { stdio: 'ignore' });
  refused({ certificate: `${weak}.pem`, key: `${weak}-key.pem` }, /was not signed by the authority/);
  const encrypted = join(ours.directory, 'encrypted.pem');
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', good.key, '-out', encrypted, '-passout', 'pass:x'], {});
  refused({ key: encrypted }, /it is encrypted/);
  assert.throws(() => Credentials.load({ ...good, certificate: ours.authorityFile, key: good.key }), {
    message: /is an authority's certificate, not a host's/,
  });
});
