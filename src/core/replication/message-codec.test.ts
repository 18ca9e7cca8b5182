import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Message, PROTOCOL_VERSION } from './message.ts';
import { decodeMessage, encodeMessage, MessageError } from './message-codec.ts';
import { MAX_ENTROPY_REQUESTS, MAX_PIECE_BYTES } from './transfer.ts';

const identity = { version: PROTOCOL_VERSION, vm: 'web', machine: 'ab'.repeat(32), incarnation: '0f'.repeat(16) };

const messages: Message[] = [
  { type: 'hello', generation: 3, ...identity, role: 'backup', resume: true, received: 2 ** 40 },
  { type: 'welcome', generation: 3, ...identity, resume: false, transfer: '34'.repeat(16) },
  { type: 'refuse', generation: 0, code: 'other-machine', message: 'não' },
  { type: 'pair', generation: 3, token: '12'.repeat(16) },
  {
    type: 'log',
    generation: 3,
    sequence: 9,
    base: 2n ** 60n,
    position: 2n ** 60n + 5n,
    time: 77n,
    bytes: Uint8Array.of(1, 2, 3),
  },
  {
    type: 'ack',
    generation: 3,
    sequence: 9,
    executed: 2n ** 60n,
    credit: 2 ** 45,
    echo: Number.NEGATIVE_INFINITY,
    cpu: 'stopped-on-purpose',
    uplink: true,
  },
  {
    type: 'ack',
    generation: 3,
    sequence: 17,
    executed: 1n,
    credit: 9,
    echo: 1,
    cpu: 'running',
    uplink: true,
    image: { flushed: 7, common: 5 },
  },
  { type: 'heartbeat', generation: 3, stamp: 1, position: 5n, time: 6n, released: 7, cpu: 'running', common: 5 },
  { type: 'heartbeat', generation: 3, stamp: 1234.5, position: 5n, time: 6n, released: 7, cpu: 'silent' },
  { type: 'hand-over', generation: 3, sequence: 10, released: 11 },
  { type: 'diverged', generation: 3, position: 12n, log: 'hash 1', machine: 'hash 2' },
  { type: 'bye', generation: 3, reason: 'guest-stopped' },
  { type: 'join', generation: 3, transfer: '34'.repeat(16) },
  { type: 'piece', generation: 3, number: 17, kind: 'state', bytes: Uint8Array.of(4, 5) },
  { type: 'receiving', generation: 3, installed: 2 ** 40, credit: 2 ** 41, recorded: true, verified: false },
  {
    type: 'cut',
    generation: 3,
    pieces: 18,
    position: 2n ** 60n,
    time: 78n,
    outputs: 2 ** 33,
    hash: 2n ** 64n - 1n,
    entropyRequests: [{ device: 4, id: 99, length: 64 }],
  },
  { type: 'blocks', generation: 3, bytes: Uint8Array.of(9, 8) },
  { type: 'final', generation: 3 },
  { type: 'evidence', generation: 3, part: 'page-hashes', bytes: Uint8Array.of(6, 7, 8) },
];

test('every message comes back as it was sent', () => {
  for (const message of messages) assert.deepEqual(decodeMessage(encodeMessage(message)), message);
});

test('the entries of a batch are in a buffer of their own, so that they can be given to the CPU thread', () => {
  const decoded = decodeMessage(encodeMessage(messages[4]!));
  assert.ok(decoded.type === 'log');
  assert.equal(decoded.bytes.buffer.byteLength, decoded.bytes.length);
});

test('a changed byte, a missing one and one too many are refused with a code, and nothing else is thrown', () => {
  for (const message of messages) {
    const bytes = encodeMessage(message);
    // The version of a refusal may be any.
    for (let at = message.type === 'refuse' ? 1 : 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = changed[at]! ^ 0x24;
      assert.throws(() => decodeMessage(changed), MessageError, `${message.type}, byte ${at}`);
      assert.throws(() => decodeMessage(bytes.subarray(0, at)), MessageError);
    }
    assert.throws(() => decodeMessage(Uint8Array.of(...bytes, 0)), MessageError);
  }
});

test('another version is recognised, and a refusal can be read in any version', () => {
  const hello = encodeMessage(messages[0]!);
  hello[0] = PROTOCOL_VERSION + 1;
  assert.throws(
    () => decodeMessage(hello),
    (error) =>
      error instanceof MessageError && error.code === 'channel-other-version' && error.version === PROTOCOL_VERSION + 1,
  );
  const refuse = encodeMessage(messages[2]!);
  refuse[0] = PROTOCOL_VERSION + 1;
  assert.deepEqual(decodeMessage(refuse), messages[2]);
});

test('a piece that is too long, and a cut with more requests than any machine has, are refused', () => {
  const piece = { type: 'piece', generation: 1, number: 1, kind: 'pages' } as const;
  const longest = encodeMessage({ ...piece, bytes: new Uint8Array(MAX_PIECE_BYTES) });
  assert.equal(decodeMessage(longest).type, 'piece');
  const tooLong = encodeMessage({ ...piece, bytes: new Uint8Array(MAX_PIECE_BYTES + 1) });
  assert.throws(() => decodeMessage(tooLong), MessageError);
  const entropyRequests = Array.from({ length: MAX_ENTROPY_REQUESTS + 1 }, () => ({ device: 1, id: 1, length: 1 }));
  const cut = { type: 'cut', generation: 1, pieces: 1, position: 1n, time: 1n, outputs: 1, hash: 1n } as const;
  assert.throws(() => decodeMessage(encodeMessage({ ...cut, entropyRequests })), MessageError);
});
