import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledgementOf, Handshakes } from './handshake-ack.ts';

/** Captured: the guest at 10.0.2.15:7000 answers a SYN from 10.0.2.2:52936. */
const synAck = Buffer.from(
  '52550a0002022a077958257d0800' +
    '4500003400004000400622b20a00020f0a000202' +
    '1b58cec80cd5f661d5bc716c8012faf0' +
    '18450000020405b4010104020103030a'.slice(0, 32),
  'hex',
);

function onesComplementSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

test('a SYN-ACK of the guest is answered by the ACK that completes the handshake', () => {
  const ack = acknowledgementOf(synAck);
  assert.ok(ack);
  const view = new DataView(ack.buffer);
  assert.deepEqual(ack.subarray(0, 6), Uint8Array.from(synAck.subarray(6, 12)), 'to the guest');
  assert.equal(view.getUint16(34), 52936);
  assert.equal(view.getUint16(36), 7000);
  assert.equal(view.getUint32(38), 0xd5bc716c, "the peer's next byte");
  assert.equal(view.getUint32(42), 0x0cd5f662, "the guest's SYN is counted");
  assert.equal(view.getUint8(47), 0x10, 'ACK and nothing else');
});

test('its checksums add up', () => {
  const ack = acknowledgementOf(synAck);
  assert.ok(ack);
  assert.equal(onesComplementSum(ack.subarray(14, 34)), 0xffff);
  const pseudo = Uint8Array.from([...ack.subarray(26, 34), 0, 6, 0, 20, ...ack.subarray(34, 54)]);
  assert.equal(onesComplementSum(pseudo), 0xffff);
});

test('no other frame is answered', () => {
  const data = Buffer.from(synAck);
  data[47] = 0x18;
  assert.equal(acknowledgementOf(data), undefined, 'data');
  const syn = Buffer.from(synAck);
  syn[47] = 0x02;
  assert.equal(acknowledgementOf(syn), undefined, 'a SYN of the guest');
  const arp = Buffer.from(synAck);
  arp[13] = 0x06;
  assert.equal(acknowledgementOf(arp), undefined, 'ARP');
  assert.equal(acknowledgementOf(synAck.subarray(0, 40)), undefined, 'a frame that is cut');
});

const gateway = Uint8Array.of(10, 0, 2, 2);

/** passt's answer to an ARP request (RFC 826): the roles change, and the sender is the one that was asked for. */
function answerTo(request: Uint8Array): Uint8Array {
  const reply = Uint8Array.from(request);
  reply[21] = 2;
  reply.set(request.subarray(22, 32), 32);
  reply.set([0x52, 0x55, 0x0a, 0, 2, 2, ...request.subarray(38, 42)], 22);
  return reply;
}

test('the guest is acknowledged when passt has answered the probe behind the SYN-ACK, and not before', () => {
  const handshakes = new Handshakes(gateway);
  const [first, probe, ...more] = handshakes.toPasst(synAck);
  assert.equal(first, synAck);
  assert.ok(probe);
  assert.deepEqual(probe.subarray(6, 12), Uint8Array.from(synAck.subarray(6, 12)), "the guest's own address");
  assert.deepEqual(more, []);
  const other = new Uint8Array(60);
  assert.equal(handshakes.toGuest(other), other, 'what passt says meanwhile passes');
  assert.deepEqual(handshakes.toGuest(answerTo(probe)), acknowledgementOf(synAck));
});

test('a SYN-ACK that is repeated before passt has read the first one is dropped', () => {
  const handshakes = new Handshakes(gateway);
  const [, probe] = handshakes.toPasst(synAck);
  assert.ok(probe);
  assert.deepEqual(handshakes.toPasst(synAck), []);
  const otherPort = Buffer.from(synAck);
  otherPort[37]!++;
  assert.equal(handshakes.toPasst(otherPort).length, 2, 'that of another connection is not');
  handshakes.toGuest(answerTo(probe));
  assert.equal(handshakes.toPasst(synAck).length, 2, 'nor is one that comes later');
});

test("the answers to the guest's own ARP requests pass", () => {
  const handshakes = new Handshakes(gateway);
  const [, probe] = handshakes.toPasst(synAck);
  assert.ok(probe);
  const own = Uint8Array.from(probe);
  own.set([10, 0, 2, 15], 28);
  const answer = answerTo(own);
  assert.equal(handshakes.toGuest(answer), answer);
});
