/**
 * A stand-in for a guest and its replica: a process that opens an uplink over VXLAN, and answers ARP and ping (ICMP echo) for one address when told
 * that it is the primary. `node echo-guest.ts UPLINK ADDRESS GATEWAY`; lines on standard input: `live` (announce and
 * answer), `count`; lines on standard output: the link's states, `frames N` (ICMP echo requests that came in).
 */
import { createInterface } from 'node:readline';
import { isWrong, parseUplink } from '../../../src/host/description/values.ts';
import { announcementFrames } from '../../../src/host/net/announcement.ts';
import { openVxlanUplink, vxlanOptions } from '../../../src/host/net/vxlan.ts';

export const GUEST_MAC = Uint8Array.from([0x52, 0x54, 0x00, 0x00, 0x00, 0x07]);

function answerArp(frame: Uint8Array, address: Uint8Array): Uint8Array | undefined {
  if (!address.every((byte, i) => frame[38 + i] === byte) || frame[21] !== 1) return undefined;
  const answer = Uint8Array.from(frame);
  answer.set(frame.subarray(6, 12), 0);
  answer.set(GUEST_MAC, 6);
  answer[21] = 2;
  answer.set(GUEST_MAC, 22);
  answer.set(address, 28);
  answer.set(frame.subarray(22, 32), 32);
  return answer;
}

/** The internet checksum of a whole packet whose type changes from 8 to 0 grows by 8 in its first byte (RFC 1624). */
function answerEcho(frame: Uint8Array): Uint8Array {
  const answer = Uint8Array.from(frame);
  answer.set(frame.subarray(6, 12), 0);
  answer.set(frame.subarray(0, 6), 6);
  answer.set(frame.subarray(30, 34), 26);
  answer.set(frame.subarray(26, 30), 30);
  const sum = ((answer[36]! << 8) | answer[37]!) + 0x0800;
  const folded = (sum & 0xffff) + (sum >> 16);
  answer.set([0, 0, folded >> 8, folded & 0xff], 34);
  return answer;
}

async function main([text, address, gateway]: readonly string[]): Promise<void> {
  const described = parseUplink(text ?? '');
  if (isWrong(described) || described.kind !== 'vxlan') throw new Error(`no uplink: ${text}`);
  const own = Uint8Array.from(address!.split('.'), Number);
  let live = false;
  let requests = 0;
  const uplink = await openVxlanUplink(vxlanOptions(described, gateway), {
    onFrame: (frame) => {
      const type = (frame[12]! << 8) | frame[13]!;
      const isEcho = type === 0x0800 && frame[23] === 1 && frame[34] === 8;
      if (isEcho) requests++;
      if (!live) return;
      const answer = isEcho ? answerEcho(frame) : type === 0x0806 ? answerArp(frame, own) : undefined;
      if (answer !== undefined) uplink.send(answer);
    },
    onState: (state, reason) => console.log(`${state}${reason === undefined ? '' : `: ${reason}`}`),
  });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'count') console.log(`frames ${requests}`);
    if (line !== 'live') continue;
    live = true;
    for (const frame of announcementFrames({ mac: GUEST_MAC })) uplink.send(frame);
    console.log('live');
  }
  await uplink.close();
}

if (import.meta.main) await main(process.argv.slice(2));
