import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOUNCEMENT_PAUSES_MS, announcementFrames, gratuitousArpFrame, rarpAnnounceFrame } from './announcement.ts';

const MAC = Uint8Array.from([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
const IPV4 = Uint8Array.from([10, 0, 2, 15]);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('the RARP announcement is the frame that QEMU sends', () => {
  assert.equal(
    hex(rarpAnnounceFrame(MAC)),
    `ffffffffffff525400123456${'8035'}0001080006040003${'52540012345600000000'}${'52540012345600000000'}${'00'.repeat(18)}`,
  );
});

test('a gratuitous ARP asks for its own address, from the guest, to everybody', () => {
  assert.equal(
    hex(gratuitousArpFrame(MAC, IPV4)),
    `ffffffffffff525400123456${'0806'}0001080006040001${'5254001234560a00020f'}${'0000000000000a00020f'}${'00'.repeat(18)}`,
  );
});

test('gratuitous ARP is sent only where the address is known', () => {
  assert.deepEqual(announcementFrames({ mac: MAC }), [rarpAnnounceFrame(MAC)]);
  assert.deepEqual(announcementFrames({ mac: MAC, ipv4: IPV4 }), [
    rarpAnnounceFrame(MAC),
    gratuitousArpFrame(MAC, IPV4),
  ]);
});

test('announcements go on for some seconds with growing intervals', () => {
  for (let at = 1; at < ANNOUNCEMENT_PAUSES_MS.length; at++) {
    assert.ok(ANNOUNCEMENT_PAUSES_MS[at]! > ANNOUNCEMENT_PAUSES_MS[at - 1]!);
  }
  assert.ok(ANNOUNCEMENT_PAUSES_MS.reduce((sum, pause) => sum + pause, 0) >= 3000);
});
