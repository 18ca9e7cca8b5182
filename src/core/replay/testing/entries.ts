/** Log entries for tests: one of each kind and variant. The golden log holds exactly these, so they never change. */
import type { Input } from '../../machine/doors.ts';
import type { LogEntry } from '../log-entry.ts';

export function everyKind(): LogEntry[] {
  const inputs: Input[] = [
    { kind: 'clock', time: 123_456_789_012n, slope: 0xfedc_ba98 },
    { kind: 'net-rx', device: 1, frame: Uint8Array.from({ length: 60 }, (_, index) => index) },
    { kind: 'block-done', device: 2, id: 7, ok: true },
    { kind: 'block-done', device: 2, id: 8, ok: false },
    { kind: 'block-done', device: 2, id: 300, ok: true, data: new Uint8Array(512).fill(0xa5) },
    { kind: 'console-in', device: 3, data: new TextEncoder().encode('ls\n') },
    { kind: 'entropy', device: 4, id: 9, data: Uint8Array.of(1, 2, 3, 4) },
    { kind: 'power', action: 'off' },
    { kind: 'power', action: 'reset' },
  ];
  let position = 1000n;
  const entries: LogEntry[] = inputs.map((input, index) => {
    position += BigInt(index * index * 1000);
    return { position, kind: 'input', input };
  });
  for (const output of ['net-tx', 'block', 'console-out', 'entropy', 'power'] as const) {
    entries.push({ position, kind: 'output-mark', mark: { sequence: 1, output, length: 60, checksum: 0x1234_5678 } });
  }
  entries.push({ position: position + 1n, kind: 'hash', value: 0xfedc_ba98_7654_3210n });
  entries.push({ position: position + 1n, kind: 'end', reason: 'recording-ended' });
  return entries;
}
