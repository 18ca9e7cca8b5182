import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArbiterAddress } from './arbiter-address.ts';

test('a path is a directory, with or without a scheme', () => {
  for (const text of ['/mnt/arbiter', './arbiter', 'arbiter', 'dir:/mnt/a', 'dir:a']) {
    assert.deepEqual(parseArbiterAddress(text), { kind: 'directory', path: text.replace('dir:', '') });
  }
});

test('etcd has members with or without ports, and a prefix', () => {
  const address = { kind: 'etcd', tls: undefined, user: undefined, passwordFile: undefined };
  assert.deepEqual(parseArbiterAddress('etcd://a,b:1,[fd00::1]:2/one/two/'), {
    ...address,
    members: ['a:2379', 'b:1', '[fd00::1]:2'],
    prefix: 'one/two',
  });
  assert.deepEqual(parseArbiterAddress('etcd://a'), { ...address, members: ['a:2379'], prefix: 'understudy' });
});

test('etcd over TLS has certificates and a user', () => {
  assert.deepEqual(parseArbiterAddress('etcds://me@a/p?ca=/ca.pem&cert=/c.pem&key=/k.pem&password-file=/secret'), {
    kind: 'etcd',
    members: ['a:2379'],
    prefix: 'p',
    tls: { ca: '/ca.pem', cert: '/c.pem', key: '/k.pem' },
    user: 'me',
    passwordFile: '/secret',
  });
});

test('PostgreSQL has its own notation', () => {
  const url = 'postgres://me@db.example:5433/arbiter?sslmode=verify-full';
  assert.deepEqual(parseArbiterAddress(url), { kind: 'postgres', url });
});

for (const [text, why] of [
  ['', /the path is empty/],
  ['dir:', /the path is empty/],
  ['s3://bucket/prefix', /no arbiter of the kind 's3'/],
  ['etcd://', /no host/],
  ['etcd://a:99999/p', /no host or host:port/],
  ['etcd://a:b/p', /no host or host:port/],
  ['etcd://a/p?ca=/x', /need etcds/],
  ['etcds://a/p?cert=/x', /belong together/],
  ['etcds://a/p?colour=red', /'colour' is no option/],
  ['etcd://me:secret@a/p', /password of etcd comes from a file/],
  ['etcd://a/p q', /a prefix is/],
  ['postgres://a b', /no URL/],
] as const) {
  test(`'${text}' is refused, with a reason and without secrets`, () => {
    assert.throws(() => parseArbiterAddress(text), {
      code: 'bad-arbiter-address',
      message: new RegExp(`^(?!.*secret).*${why.source}`),
    });
  });
}
