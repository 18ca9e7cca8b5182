import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatSize,
  isWrong,
  macFromName,
  parseDuration,
  parseForward,
  parseGuestAddress,
  parseMac,
  parseName,
  parseSize,
  parseUplink,
  type Wrong,
} from './values.ts';

function refused(value: unknown): string {
  assert.ok(isWrong(value), `should have been refused: ${JSON.stringify(value)}`);
  return (value satisfies Wrong).why;
}

test('sizes are powers of 1024 and carry a unit', () => {
  assert.equal(parseSize('512M'), 512 * 2 ** 20);
  assert.equal(parseSize('1.5 G'), 1536 * 2 ** 20);
  assert.equal(parseSize('65536KiB'), 64 * 2 ** 20);
  assert.equal(parseSize('2gb'), 2 ** 31);
  assert.match(refused(parseSize('512')), /write 512M/);
  for (const text of ['', 'lots', '-1M', '1T', '1e3M', '0.3K']) refused(parseSize(text));
});

test('a size in a message reads as the user would write it', () => {
  assert.deepEqual([2 ** 30, 512 * 2 ** 20, 1536 * 2 ** 20, 1023].map(formatSize), [
    '1G',
    '512M',
    '1536M',
    '1023 bytes',
  ]);
});

test('durations carry a unit', () => {
  assert.deepEqual(['250ms', '1.5 s', '2min'].map(parseDuration), [250, 1500, 120_000]);
  for (const text of ['250', '1h', '-1s', '']) refused(parseDuration(text));
});

test('a MAC address is unicast and comes out in one spelling', () => {
  assert.equal(parseMac('52-54-00-AB-cd-01'), '52:54:00:ab:cd:01');
  assert.match(refused(parseMac('53:54:00:00:00:01')), /multicast/);
  assert.match(refused(parseMac('00:00:00:00:00:00')), /null/);
  for (const text of ['52:54:00:12:34', '52:54:00:12:34:5g', '']) refused(parseMac(text));
});

test('the MAC address made from a name is locally administered, unicast, and always the same', () => {
  for (const name of ['demo', 'web', 'db-1']) {
    const first = Number.parseInt(macFromName(name).slice(0, 2), 16);
    assert.equal(first & 3, 2);
    assert.equal(parseMac(macFromName(name)), macFromName(name));
  }
  assert.equal(macFromName('demo'), macFromName('demo'));
  assert.notEqual(macFromName('demo'), macFromName('demo-2'));
});

test('a port forward listens on the loopback address unless it says otherwise', () => {
  const tcp = (hostAddress: string, hostPort: number, guestPort: number) => ({
    protocol: 'tcp' as const,
    hostAddress,
    hostPort,
    guestPort,
  });
  assert.deepEqual(parseForward('127.0.0.1:6379:6380'), tcp('127.0.0.1', 6379, 6380));
  assert.deepEqual(parseForward('0.0.0.0:80'), tcp('0.0.0.0', 80, 80));
  assert.deepEqual(parseForward('8080:80'), tcp('127.0.0.1', 8080, 80));
  assert.deepEqual(parseForward('80'), tcp('127.0.0.1', 80, 80));
  assert.deepEqual(parseForward('tcp:[::1]:80:81'), tcp('::1', 80, 81));
  assert.deepEqual(parseForward('udp:53:53'), { ...tcp('127.0.0.1', 53, 53), protocol: 'udp' });
  for (const text of ['', 'a:b', '0:80', '80:65536', 'icmp:80', 'localhost:80:80', '1:2:3', '127.0.0.1:80:80:80']) {
    refused(parseForward(text));
  }
});

test('an uplink is passt or a socket', () => {
  assert.deepEqual(parseUplink('passt'), { kind: 'passt' });
  assert.deepEqual(parseUplink('unix:run/hub'), { kind: 'socket', address: { path: 'run/hub' } });
  assert.deepEqual(parseUplink('[::1]:7000'), { kind: 'socket', address: { host: '::1', port: 7000 } });
  for (const text of ['slirp', 'unix:', 'localhost', 'host:0', 'fd00::1:5']) refused(parseUplink(text));
});

test("the guest's address has a prefix that fits it", () => {
  assert.deepEqual(parseGuestAddress('192.168.7.2/24'), { address: '192.168.7.2', prefixLength: 24 });
  for (const text of ['192.168.7.2', '192.168.7.2/33', 'fd00::2/64', 'x/24', '1.2.3.4/24/8']) {
    refused(parseGuestAddress(text));
  }
});

test('names are safe in file names and arbiter keys', () => {
  assert.equal(parseName('db-1'), 'db-1');
  for (const text of ['', 'Db', '-db', 'db-', 'a/b', '..', 'a'.repeat(64)]) refused(parseName(text));
});
