import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISK, encodeFrame, NET, OP_OFF, OP_PUT, RNG, SimMachine } from '../../../sim/machine.ts';
import type { Input } from '../machine/doors.ts';
import { decodeEntries } from '../replay/log-entry.ts';
import type { CpuReport } from './cpu-link.ts';
import { CpuSide, type CpuSideOptions } from './cpu-side.ts';
import { heldBytes } from './output-gate.ts';

type Report<Type extends CpuReport['type']> = CpuReport & { type: Type };

class Side {
  readonly machine = new SimMachine();
  reports: CpuReport[] = [];
  lives: bigint[] = [];
  #answered = 0;
  readonly cpu: CpuSide;

  constructor(options: CpuSideOptions = {}) {
    const report = (message: CpuReport): void => void this.reports.push(message);
    this.cpu = new CpuSide(options, { machine: this.machine, report, onLive: (time) => this.lives.push(time) });
  }

  all<Type extends CpuReport['type']>(type: Type): Report<Type>[] {
    return this.reports.filter((report) => report.type === type) as Report<Type>[];
  }

  input(input: Input): void {
    this.cpu.handle({ type: 'input', input });
  }

  put(request: number): void {
    const frame = encodeFrame({ operation: OP_PUT, client: 1, key: request % 8, request, value: request });
    this.input({ kind: 'net-rx', device: NET, frame });
  }

  /** Answers every disk and entropy request that was reported since the last call. */
  answer(): void {
    const reports = this.reports.slice(this.#answered);
    this.#answered = this.reports.length;
    for (const report of reports) {
      if (report.type !== 'produced') continue;
      for (const { output } of report.outputs) {
        if (output.kind === 'block') this.input({ kind: 'block-done', device: DISK, id: output.request.id, ok: true });
        if (output.kind === 'entropy') {
          this.input({ kind: 'entropy', device: RNG, id: output.id, data: new Uint8Array(output.length) });
        }
      }
    }
  }

  /** Records for a while with a client at work. */
  work(rounds: number): void {
    for (let round = 1; round <= rounds; round++) {
      this.cpu.apply({ kind: 'clock', time: BigInt(round) * 50_000n, slope: 2 ** 31 });
      this.put(round);
      this.cpu.slice(this.machine.position + 50n);
      this.answer();
      this.cpu.slice(this.machine.position + 50n);
    }
  }
}

const plenty = { type: 'limit', logBytes: 1e9, outputBytes: 1e9 } as const;

function recording(options: CpuSideOptions = {}): Side {
  const side = new Side(options);
  side.cpu.handle({ type: 'record', logging: true });
  side.cpu.handle(plenty);
  return side;
}

/** Feeds all that `from` has produced. */
function feed(to: Side, from: Side): void {
  for (const { base, bytes, position } of from.all('produced')) {
    to.cpu.handle({ type: 'feed', base, bytes, position, arrivedMs: 5 });
  }
}

function run(side: Side): void {
  while (side.cpu.slice(side.machine.position + 40n) === 'again');
}

test('a following machine does what the recording one did, and keeps what it said to the world', () => {
  const primary = recording();
  primary.work(100);
  primary.cpu.handle({ type: 'checkpoint' });
  primary.cpu.flush();
  const backup = new Side();
  backup.cpu.handle({ type: 'follow' });
  feed(backup, primary);
  run(backup);
  assert.equal(backup.machine.position, primary.machine.position);
  assert.equal(backup.machine.hash(), primary.machine.hash());
  const said = primary
    .all('produced')
    .flatMap(({ outputs }) => outputs)
    .filter(({ output }) => output.kind !== 'block' && output.kind !== 'entropy');
  assert.ok(said.length > 50, `${said.length} outputs`);
  assert.deepEqual(
    backup.all('replayed').flatMap(({ outputs }) => outputs),
    said,
  );
  backup.cpu.beat();
  const logBytes = primary.all('produced').reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.equal(backup.all('progress').at(-1)!.consumed, logBytes, 'all of the log is consumed');
});

test('a batch and its outputs are reported together, in order, and the next begins where it ended', () => {
  const primary = recording();
  primary.work(50);
  const sequences = primary.all('produced').flatMap(({ outputs }) => outputs.map(({ sequence }) => sequence));
  assert.deepEqual(
    sequences,
    Array.from({ length: sequences.length }, (_, index) => index + 1),
  );
  let last = 0n;
  for (const { base, position } of primary.all('produced')) {
    assert.ok(base >= last || last === 0n);
    assert.ok(position >= base);
    last = base;
  }
});

test('clock inputs alone, for which nobody waits, are handed on when the runner says so; what follows them goes with them', () => {
  const side = recording();
  const tick = (time: bigint): boolean => side.cpu.apply({ kind: 'clock', time, slope: 2 ** 31 });
  for (let round = 1n; round <= 5n; round++) {
    tick(round * 1000n);
    assert.equal(side.cpu.slice(side.machine.position + 1n), 'again', 'it computes, and does not wait');
  }
  assert.deepEqual(side.all('produced'), []);
  side.cpu.flush();
  const [clocks] = side.all('produced');
  assert.equal(clocks?.position, side.machine.position);
  assert.equal(decodeEntries(clocks.bytes, clocks.base).length, 5);

  tick(10_000n);
  side.put(1);
  side.cpu.slice(side.machine.position + 1n);
  assert.equal(side.all('produced').length, 2, 'a frame is for somebody who waits');
});

test('the guest stops before a step whose entries might find no room, and goes on when there is some', () => {
  const side = new Side({ reserveBytes: 200 });
  side.cpu.handle({ type: 'record', logging: true });
  assert.equal(side.cpu.slice(1000n), 'idle', 'no room was granted yet');
  assert.equal(side.machine.position, 0n);
  side.cpu.handle({ type: 'limit', logBytes: 1000, outputBytes: 1e9 });
  side.work(200);
  const logBytes = side.all('produced').reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.ok(logBytes > 700 && logBytes <= 1000, `${logBytes} bytes of log`);
  side.cpu.beat();
  assert.equal(side.all('progress').at(-1)!.state, 'limited');
  const stuckAt = side.machine.position;
  assert.equal(side.cpu.apply({ kind: 'clock', time: 0n, slope: 0 }), false);
  side.cpu.handle({ type: 'limit', logBytes: 2000, outputBytes: 1e9 });
  side.cpu.slice(stuckAt + 100n);
  assert.ok(side.machine.position > stuckAt);
});

test('outputs that nobody may send yet stop the guest when they reach their bound', () => {
  const side = new Side();
  side.cpu.handle({ type: 'record', logging: true });
  side.cpu.handle({ type: 'limit', logBytes: 1e9, outputBytes: 1000 });
  side.work(200);
  const bytes = side
    .all('produced')
    .flatMap(({ outputs }) => outputs)
    .reduce((sum, numbered) => sum + heldBytes(numbered), 0);
  assert.ok(bytes >= 1000 && bytes < 3000, `${bytes} bytes held`);
});

test('waiting frames beyond the bound are dropped, other inputs never are', () => {
  const side = new Side({ maxWaitingFrameBytes: 64 });
  for (let request = 1; request <= 10; request++) side.put(request);
  for (let id = 1; id <= 10; id++) side.input({ kind: 'entropy', device: RNG, id, data: Uint8Array.of(id) });
  side.cpu.handle({ type: 'record', logging: true });
  side.cpu.handle(plenty);
  side.cpu.slice(1n);
  const follower = new Side();
  follower.cpu.handle({ type: 'follow' });
  feed(follower, side);
  run(follower);
  follower.cpu.handle({ type: 'drain', onDivergence: 'stop' });
  run(follower);
  assert.equal(follower.all('drained')[0]!.frames.length, 4);
});

test('a pause stops the machine at once, is reported with all that came before it, and ends with resume', () => {
  const side = recording();
  side.work(3);
  side.cpu.handle({ type: 'pause' });
  const position = side.machine.position;
  assert.deepEqual(side.reports.at(-1), { type: 'paused', position });
  assert.equal(side.cpu.slice(position + 100n), 'idle');
  assert.equal(side.machine.position, position);
  side.cpu.handle({ type: 'resume' });
  side.put(9);
  side.cpu.slice(position + 100n);
  assert.ok(side.machine.position > position);
});

test('going live: the log is drained to its end, time goes on, and the machine runs for real without a log', () => {
  const primary = recording();
  primary.work(30);
  primary.put(31);
  primary.cpu.slice(primary.machine.position + 30n);
  const backup = new Side();
  backup.cpu.handle({ type: 'follow' });
  feed(backup, primary);
  backup.cpu.slice(40n);
  backup.cpu.handle({ type: 'drain', onDivergence: 'stop' });
  run(backup);
  const [drained] = backup.all('drained');
  assert.ok(drained !== undefined);
  assert.equal(drained.position, primary.machine.position);
  assert.deepEqual(drained.blockRequests, primary.machine.inFlightBlockRequests());
  assert.equal(drained.frames.length, 31);
  assert.ok(drained.frames.every(({ arrivedMs, length }) => arrivedMs === 5 && length === 16));

  backup.reports = [];
  const later = backup.machine.time + 123_456n;
  backup.cpu.handle({ type: 'go-live', time: later });
  assert.deepEqual(backup.lives, [later]);
  assert.equal(backup.machine.time, later);
  backup.put(32);
  backup.cpu.slice(backup.machine.position + 200n);
  for (const { request } of drained.blockRequests) {
    backup.input({ kind: 'block-done', device: DISK, id: request.id, ok: true });
  }
  backup.cpu.slice(backup.machine.position + 200n);
  const live = backup.all('produced');
  assert.ok(live.length > 0 && live.every(({ bytes }) => bytes.length === 0));
  assert.equal(live[0]!.outputs[0]!.sequence, drained.outputs + 1, 'numbers go on');
});

test('time never goes backwards at go-live', () => {
  const primary = recording();
  primary.work(5);
  const backup = new Side();
  backup.cpu.handle({ type: 'follow' });
  feed(backup, primary);
  backup.cpu.handle({ type: 'drain', onDivergence: 'stop' });
  run(backup);
  const before = backup.machine.time;
  backup.cpu.handle({ type: 'go-live', time: 1n });
  assert.equal(backup.machine.time, before);
});

test('a divergence is reported, and ends the machine unless it is told to continue', () => {
  const primary = recording();
  primary.work(10);
  for (const onDivergence of ['stop', 'continue'] as const) {
    const backup = new Side();
    backup.cpu.handle({ type: 'follow' });
    backup.machine.corrupt();
    feed(backup, primary);
    backup.cpu.handle({ type: 'drain', onDivergence });
    run(backup);
    assert.equal(backup.all('diverged').length, 1);
    assert.equal(backup.all('drained').length, onDivergence === 'continue' ? 1 : 0);
  }
});

test('entries that make no sense are a divergence, not an exception', () => {
  const backup = new Side();
  backup.cpu.handle({ type: 'follow' });
  backup.cpu.handle({ type: 'feed', base: 0n, bytes: Uint8Array.of(1, 99, 3), position: 10n, arrivedMs: 0 });
  assert.match(backup.all('diverged')[0]!.divergence.log, /no kind 99/);
});

test('a machine that powers off is reported after its last output', () => {
  const side = recording();
  const frame = encodeFrame({ operation: OP_OFF, client: 0, key: 0, request: 1, value: 0 });
  side.input({ kind: 'net-rx', device: NET, frame });
  run(side);
  const kinds = side.reports.map(({ type }) => type);
  assert.deepEqual(kinds.slice(-2), ['produced', 'stopped']);
  assert.equal(side.all('produced').at(-1)!.outputs.at(-1)!.output.kind, 'power');
});
