import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONSOLE, DISK, encodeFrame, NET, OP_GET, OP_OFF, OP_PUT, RNG, SimMachine } from '../../../sim/machine.ts';
import type { Input, Output } from '../machine/doors.ts';
import type { RunResult } from '../vm/machine-interface.ts';
import type { LogEntry } from './log-entry.ts';
import { LogFileReader, LogFileWriter } from './log-file.ts';
import { type OutputMark, payloadOf } from './output-mark.ts';
import { Recorder } from './recorder.ts';
import { Replayer } from './replayer.ts';

interface Recording {
  readonly entries: LogEntry[];
  readonly outputs: { output: Output; sequence: number; position: bigint }[];
  readonly machine: SimMachine;
  readonly recorder: Recorder;
}

/** Runs a machine with a world that answers: disk, entropy, clock, a client. Everything depends on the arguments only. */
function record(rounds: number, seed = 1): Recording {
  const machine = new SimMachine({ seed });
  const entries: LogEntry[] = [];
  const outputs: Recording['outputs'] = [];
  const answers: Input[] = [];
  const onOutput = (output: Output, sequence: number, position: bigint): void => {
    outputs.push({ output, sequence, position });
    if (output.kind === 'entropy')
      answers.push({ kind: 'entropy', device: RNG, id: output.id, data: new Uint8Array(8).fill(7) });
    if (output.kind !== 'block') return;
    const done = { kind: 'block-done', device: DISK, id: output.request.id, ok: true } as const;
    answers.push(output.request.type === 'read' ? { ...done, data: new Uint8Array(512).fill(3) } : done);
  };
  const recorder = new Recorder({}, { machine, append: (entry) => entries.push(entry), onOutput });
  for (let round = 1; round <= rounds; round++) {
    recorder.apply({ kind: 'clock', time: BigInt(round) * 100_000n, slope: 2_000_000_000 });
    const operation = round % 3 === 0 ? OP_GET : OP_PUT;
    const frame = encodeFrame({ operation, client: round % 4, key: round % 8, request: round, value: round * 11 });
    recorder.apply({ kind: 'net-rx', device: NET, frame });
    if (round % 7 === 0) recorder.apply({ kind: 'console-in', device: CONSOLE, data: Uint8Array.of(round & 0xff) });
    recorder.run(machine.position + 97n);
    for (const answer of answers.splice(0)) recorder.apply(answer);
    recorder.run(machine.position + 13n);
    if (round % 5 === 0) recorder.checkpoint();
  }
  return { entries, outputs, machine, recorder };
}

function replay(
  entries: readonly LogEntry[],
  seed = 1,
): { machine: SimMachine; replayer: Replayer; outputs: Output[] } {
  const machine = new SimMachine({ seed });
  const outputs: Output[] = [];
  const replayer = new Replayer({}, { machine, onOutput: (output) => outputs.push(output) });
  replayer.push(entries);
  replayer.finish();
  return { machine, replayer, outputs };
}

test('a replay has the same outputs, the same hashes and the same end', () => {
  const recording = record(300);
  recording.recorder.checkpoint();
  recording.recorder.end();
  const { machine, replayer, outputs } = replay(recording.entries);
  assert.equal(replayer.advance(), 'ended');
  assert.equal(replayer.end, 'recording-ended');
  assert.equal(machine.hash(), recording.machine.hash());
  assert.equal(machine.position, recording.machine.position);
  assert.deepEqual(
    outputs,
    recording.outputs.map(({ output }) => output),
  );
  const kinds = new Set(outputs.map(({ kind }) => kind));
  assert.deepEqual(
    [...kinds].sort(),
    ['block', 'console-out', 'entropy', 'net-tx'],
    'the recording exercises every door',
  );
});

test('a replay goes through a log file', () => {
  const recording = record(100);
  const writer = new LogFileWriter({ description: '{}', startPosition: 0n });
  for (const entry of recording.entries) writer.append(entry);
  const { machine, replayer } = replay(new LogFileReader().push(writer.take()));
  assert.equal(replayer.advance(), 'ended');
  const last = recording.entries.at(-1)!;
  assert.equal(machine.position, last.position);
});

test('a growing log is replayed never past what it vouches for, wherever it is cut into pieces', () => {
  const recording = record(40);
  for (const size of [1, 2, 3, 10]) {
    const machine = new SimMachine();
    const replayer = new Replayer({}, { machine });
    for (let at = 0; at < recording.entries.length; at += size) {
      const piece = recording.entries.slice(at, at + size);
      replayer.push(piece);
      assert.equal(
        replayer.advance(),
        'starved',
        JSON.stringify(replayer.divergence, (_, value) => String(value)),
      );
      assert.equal(machine.position, piece.at(-1)!.position);
    }
    replayer.allow(recording.machine.position);
    assert.equal(replayer.advance(), 'starved');
    assert.equal(machine.hash(), recording.machine.hash());
  }
});

test('a confirmed position lets the replay run on without entries', () => {
  const machine = new SimMachine();
  const replayer = new Replayer({}, { machine });
  assert.equal(replayer.advance(), 'starved');
  assert.equal(machine.position, 0n);
  replayer.allow(5n);
  assert.equal(replayer.advance(), 'starved');
  assert.equal(machine.position, 5n);
});

test('an early return in the middle of a run changes nothing', () => {
  const recording = record(60);
  /** Asks itself for an early return after every third step. */
  class Impatient extends SimMachine {
    override run(until: bigint): RunResult {
      const soon = this.position + 3n;
      if (soon >= until) return super.run(until);
      const result = super.run(soon);
      return result === 'position' ? 'requested' : result;
    }
  }
  const machine = new Impatient();
  const replayer = new Replayer({}, { machine });
  replayer.push(recording.entries);
  replayer.allow(recording.machine.position);
  let returns = 0;
  while (replayer.advance() === 'requested') returns++;
  assert.ok(returns > 10, `${returns} early returns`);
  assert.equal(machine.hash(), recording.machine.hash());
});

test('a machine that powers itself off ends its log, and the replay stops with it', () => {
  const { entries, recorder, machine } = record(10);
  recorder.apply({
    kind: 'net-rx',
    device: NET,
    frame: encodeFrame({ operation: OP_OFF, client: 9, key: 0, request: 1, value: 0 }),
  });
  assert.equal(recorder.run(machine.position + 1000n), 'stopped');
  recorder.apply({ kind: 'clock', time: 1n, slope: 0 });
  const last = entries.slice(-2).map((entry) => entry.kind);
  assert.deepEqual(last, ['output-mark', 'end']);
  const { replayer } = replay(entries);
  assert.equal(replayer.advance(), 'ended');
  assert.equal(replayer.end, 'power-off');
});

/** The divergence that a replay of `entries` finds. */
function divergenceOf(entries: readonly LogEntry[], seed = 1): { position: bigint; log: string; machine: string } {
  const { replayer } = replay(entries, seed);
  assert.equal(replayer.advance(), 'diverged');
  assert.equal(replayer.advance(), 'diverged', 'a divergence is for good');
  return replayer.divergence!;
}

const withMark = (entry: LogEntry, change: Partial<OutputMark>): LogEntry => {
  assert.ok(entry.kind === 'output-mark');
  return { ...entry, mark: { ...entry.mark, ...change } };
};

test('an output that differs in kind, length, checksum or number is a divergence with both values', () => {
  const { entries } = record(20);
  const at = entries.findIndex((entry) => entry.kind === 'output-mark');
  for (const change of [{ output: 'power' }, { length: 1234 }, { checksum: 1 }, { sequence: 99 }] as const) {
    const found = divergenceOf(entries.map((entry, index) => (index === at ? withMark(entry, change) : entry)));
    assert.equal(found.position, entries[at]!.position);
    assert.notEqual(found.log, found.machine);
    assert.match(found.log, /power|1234|00000001|output 99/);
  }
});

test('an output without a mark is found before the next input, and at the latest when a later position is confirmed', () => {
  const { entries } = record(20);
  const at = entries.findIndex((entry) => entry.kind === 'output-mark');
  const found = divergenceOf(entries.filter((_, index) => index !== at));
  assert.match(found.machine, /output/);

  const replayer = new Replayer({}, { machine: new SimMachine() });
  replayer.push(entries.slice(0, at));
  replayer.allow(entries[at]!.position);
  assert.equal(replayer.advance(), 'starved', 'an input may yet come at the same position');
  replayer.allow(entries[at]!.position + 1n);
  assert.equal(replayer.advance(), 'diverged');
  assert.equal(replayer.divergence?.log, 'no output');
});

test('a mark without an output is a divergence', () => {
  const { entries } = record(20);
  const at = entries.findIndex((entry) => entry.kind === 'output-mark');
  const found = divergenceOf([...entries.slice(0, at + 1), ...entries.slice(at)]);
  assert.match(found.machine, /no output|output/);
});

test('an unequal hash is a divergence at its position', () => {
  const { entries } = record(20);
  const at = entries.findIndex((entry) => entry.kind === 'hash');
  const changed = entries.map((entry, index) =>
    index === at && entry.kind === 'hash' ? { ...entry, value: 1n } : entry,
  );
  const found = divergenceOf(changed);
  assert.equal(found.position, entries[at]!.position);
  assert.equal(found.log, 'hash 0000000000000001');
});

test('another machine diverges at its first sign of life', () => {
  const { entries } = record(20);
  assert.ok(divergenceOf(entries, 2));
});

test('a machine that waits where the log goes on has diverged', () => {
  const { entries } = record(20);
  const found = divergenceOf([{ position: 1_000_000n, kind: 'hash', value: 0n }, ...entries]);
  assert.match(`${found.log} ${found.machine}`, /goes on to position 1000000.*waits|output/);
});

test('the payload of an output is what it carries to the world', () => {
  const data = Uint8Array.of(1, 2, 3);
  assert.equal(payloadOf({ kind: 'net-tx', device: 1, frame: data }), data);
  assert.equal(payloadOf({ kind: 'block', device: 1, request: { type: 'write', id: 1, offset: 0, data } }), data);
  assert.equal(payloadOf({ kind: 'block', device: 1, request: { type: 'flush', id: 1 } }), undefined);
});
