import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { decodeCommand, decodeReport, encodeCommand, encodeReport } from './cpu-codec.ts';
import type { CpuCommand, CpuReport, NumberedOutput } from './cpu-link.ts';

const bytes = Uint8Array.of(1, 2, 3, 255);
const big = 2n ** 64n - 1n;

const commands: CpuCommand[] = [
  { type: 'input', input: { kind: 'net-rx', device: 2, frame: bytes } },
  { type: 'input', input: { kind: 'block-done', device: 1, id: 2 ** 40, ok: true, data: bytes } },
  { type: 'input', input: { kind: 'block-done', device: 1, id: 3, ok: false } },
  { type: 'input', input: { kind: 'console-in', device: 0, data: bytes } },
  { type: 'input', input: { kind: 'entropy', device: 3, id: 7, data: bytes } },
  { type: 'input', input: { kind: 'wall-clock', nanoseconds: big } },
  { type: 'input', input: { kind: 'clock', time: big, slope: 2 ** 32 - 1 } },
  { type: 'input', input: { kind: 'power', action: 'reset' } },
  { type: 'limit', logBytes: Number.POSITIVE_INFINITY, outputBytes: 2 ** 50 },
  { type: 'feed', base: 1n, bytes, position: big, arrivedMs: 12.75 },
  { type: 'feed', base: 0n, bytes: new Uint8Array(0), position: 0n, arrivedMs: 0 },
  { type: 'executable', position: big },
];

const outputs: NumberedOutput[] = [
  { sequence: 1, output: { kind: 'net-tx', device: 2, frame: bytes } },
  { sequence: 2, output: { kind: 'console-out', device: 0, data: bytes } },
  { sequence: 3, output: { kind: 'entropy', device: 3, id: 9, length: 64 } },
  { sequence: 4, output: { kind: 'power', action: 'off' } },
  {
    sequence: 5,
    output: { kind: 'block', device: 1, request: { type: 'read', id: 5, offset: 2 ** 42, length: 4096 } },
  },
  { sequence: 6, output: { kind: 'block', device: 1, request: { type: 'write', id: 6, offset: 512, data: bytes } } },
  { sequence: 7, output: { kind: 'block', device: 1, request: { type: 'flush', id: 7 } } },
  { sequence: 8, output: { kind: 'block', device: 1, request: { type: 'discard', id: 8, offset: 0, length: 512 } } },
  {
    sequence: 2 ** 52,
    output: { kind: 'block', device: 1, request: { type: 'write-zeroes', id: 9, offset: 0, length: 1 } },
  },
];

const produced: CpuReport & { type: 'produced' } = {
  type: 'produced',
  base: 5n,
  bytes: Uint8Array.of(9, 8),
  outputs,
  position: big,
  time: 77n,
};

const reports: CpuReport[] = [
  produced,
  { ...produced, bytes: new Uint8Array(0), outputs: [] },
  { type: 'progress', position: 1n, time: 2n, state: 'starved', consumed: 2 ** 45 },
  { type: 'progress', position: 1n, time: 2n, state: 'running', consumed: 0 },
  { type: 'replayed', position: 3n, outputs: outputs.slice(0, 2) },
];

test('commands and reports with a form as bytes come back as they were', () => {
  const writer = new ByteWriter();
  for (const command of commands) {
    assert.ok(encodeCommand(writer, command), command.type);
    assert.deepEqual(decodeCommand(writer.take()), command);
  }
  for (const report of reports) {
    assert.ok(encodeReport(writer, report), report.type);
    assert.deepEqual(decodeReport(writer.take()), report);
  }
});

test('what is rare, or too long, has no form as bytes and leaves nothing behind', () => {
  const writer = new ByteWriter();
  const long = new Uint8Array(300_000);
  const inputs: CpuCommand[] = [
    { type: 'pause' },
    { type: 'speed', fraction: 0.5 },
    { type: 'input', input: { kind: 'block-done', device: 1, id: 1, ok: true, data: long } },
    { type: 'feed', base: 0n, bytes: long, position: 1n, arrivedMs: 0 },
  ];
  for (const command of inputs) assert.equal(encodeCommand(writer, command), false, command.type);
  const write: NumberedOutput = {
    sequence: 1,
    output: { kind: 'block', device: 1, request: { type: 'write', id: 1, offset: 0, data: long } },
  };
  const others: CpuReport[] = [
    { type: 'paused', position: 1n },
    { ...produced, outputs: [write] },
    { ...produced, bytes: long },
    { type: 'replayed', position: 1n, outputs: [write] },
    { type: 'replayed', position: 1n, outputs: [], disk: [] },
  ];
  for (const report of others) assert.equal(encodeReport(writer, report), false, report.type);
  assert.equal(writer.length, 0);
});

test('bytes that nobody has encoded are malformed', () => {
  const writer = new ByteWriter();
  const whole = [
    ...commands.map((command) => ({ decode: decodeCommand, all: encodeCommand(writer, command) && writer.take() })),
    ...reports.map((report) => ({ decode: decodeReport, all: encodeReport(writer, report) && writer.take() })),
  ];
  for (const { decode, all } of whole) {
    assert.ok(all);
    assert.throws(() => decode(Uint8Array.of(0, ...all.subarray(1))), MalformedError);
    assert.throws(() => decode(all.slice(0, 1)), MalformedError);
  }
});
