/**
 * A real divergence: two machines on threads of their own, one following the log of the other, and a byte of the second one's
 * memory changed from outside, as a broken memory chip would. What is left of it must name the byte.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeEntries } from '../../src/core/replay/log-entry.ts';
import type { CpuReport } from '../../src/core/replication/cpu-link.ts';
import type { Diverged, LogBatch, Message } from '../../src/core/replication/message.ts';
import { decodeMessage, encodeMessage } from '../../src/core/replication/message-codec.ts';
import { compareStates } from '../../src/core/vm/compare-states.ts';
import type { MachineConfig } from '../../src/core/vm/machine-config.ts';
import { Diagnosis, EVIDENCE_CHANNEL } from '../../src/host/replica/diagnosis.ts';
import { Runner } from '../../src/host/runner/runner.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';
import { bootProgram } from '../conformance/testing/machine.ts';

/** Writes all over 2 MiB, without end, but only in the lower half of each page. */
const scribbler = assemble(`
  li s4, 0x80100000; li s8, 0x6d2b79f5; li s9, 0x1ff7f8; li s5, 0
  1: addi s5, s5, 1; mul s6, s6, s8; add s6, s6, s5
  srli t4, s6, 20; and t4, t4, s9; add t4, t4, s4; sd s6, 0(t4)
  j 1b
`);
const config: MachineConfig = {
  ramBytes: 8 * 1024 * 1024,
  firmware: 'none',
  boot: { kind: 'elf', file: makeElf(scribbler) },
  virtio: [],
  clock: { kind: 'input' },
};
const LOG_CHANNEL = 1;
const ACCEPTED = 1_000_001;
const PAGE = 300;
const OFFSET = 3000;
const DAMAGED = PAGE * 4096 + OFFSET;

class Side {
  runner!: Runner;
  diagnosis!: Diagnosis;
  readonly notices: string[] = [];
  readonly directory: string;
  onReport: (report: CpuReport) => void = () => {};

  constructor(directory: string) {
    this.directory = directory;
  }

  async start(
    t: TestContext,
    { incarnation, patienceMs }: { readonly incarnation: string; readonly patienceMs: number },
    wires: Pick<ConstructorParameters<typeof Diagnosis>[1], 'connect' | 'send' | 'close'>,
  ): Promise<void> {
    this.runner = await Runner.start(config, 'interpreter', {
      onReport: (report) => this.onReport(report),
      onCrash: (error) => assert.fail(error),
      onNotice: () => {},
    });
    t.after(() => this.runner.stop());
    this.diagnosis = new Diagnosis(
      { directory: this.directory, vm: 'twin', incarnation, hashIntervalMs: 1000, patienceMs },
      {
        nowMs: () => performance.now(),
        ask: (question) => this.runner.diagnose(question),
        onNotice: (line) => this.notices.push(line),
        ...wires,
      },
    );
  }
}

interface Twins {
  readonly primary: Side;
  readonly backup: Side;
  readonly directory: string;
  /** Resolves when the backup's machine has met a difference. */
  readonly diverged: Promise<Diverged>;
  /** Resolves when the backup is beyond this position of the primary. */
  readonly equalBeyond: (position: bigint) => Promise<void>;
  /** Where the primary is. */
  readonly position: () => bigint;
  /** Has the primary log its hash; gives the position of that. */
  readonly checkpoint: () => Promise<bigint>;
}

/** Two machines, a log between them with a hash now and then, and a way for messages that may be cut. */
async function twins(t: TestContext, { isCut = false } = {}): Promise<Twins> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-diagnosis-'));
  t.after(() => rm(directory, { recursive: true }));
  const [primary, backup] = [new Side(directory), new Side(directory)];
  const copy = (message: Message): Message => decodeMessage(encodeMessage(message));
  const patienceMs = isCut ? 100 : 10_000;
  await primary.start(
    t,
    { incarnation: 'a'.repeat(32), patienceMs },
    {
      connect: () => assert.fail('the primary connects to nobody'),
      send: (channel, message) => {
        assert.equal(channel, ACCEPTED);
        queueMicrotask(() => backup.diagnosis.takes(EVIDENCE_CHANNEL, copy(message)));
      },
      close: () => queueMicrotask(() => backup.diagnosis.closed(EVIDENCE_CHANNEL)),
    },
  );
  await backup.start(
    t,
    { incarnation: 'b'.repeat(32), patienceMs },
    {
      connect: (channel) =>
        queueMicrotask(() => (isCut ? backup.diagnosis.closed(channel) : backup.diagnosis.opened(channel))),
      send: (_, message) => queueMicrotask(() => primary.diagnosis.takes(ACCEPTED, copy(message))),
      close: () => queueMicrotask(() => primary.diagnosis.closed(ACCEPTED)),
    },
  );
  const hello = { version: 2, vm: 'twin', machine: '', incarnation: 'b'.repeat(32), role: 'backup' } as const;
  primary.diagnosis.takes(LOG_CHANNEL, { type: 'hello', generation: 0, ...hello, resume: false, received: 0 });
  let position = 0n;
  let sequence = 0;
  let hashed = Promise.withResolvers<bigint>();
  primary.onReport = (report) => {
    if (report.type !== 'produced' && report.type !== 'progress') return;
    position = report.position;
    if (report.type === 'progress') return backup.runner.send({ type: 'executable', position });
    const { base, bytes, time } = report;
    for (const entry of decodeEntries(bytes, base)) if (entry.kind === 'hash') hashed.resolve(entry.position);
    const batch: LogBatch = { type: 'log', generation: 0, sequence: ++sequence, base, position, time, bytes };
    primary.diagnosis.sent(LOG_CHANNEL, batch);
    backup.diagnosis.takes(LOG_CHANNEL, batch);
    backup.runner.send({ type: 'feed', base, bytes, position, arrivedMs: performance.now() });
  };
  const found = Promise.withResolvers<Diverged>();
  let waiting: { readonly position: bigint; readonly resolve: () => void }[] = [];
  backup.onReport = (report) => {
    if (report.type === 'progress') {
      for (const waiter of waiting) if (report.position > waiter.position) waiter.resolve();
      waiting = waiting.filter((waiter) => report.position <= waiter.position);
    }
    if (report.type !== 'diverged') return;
    backup.diagnosis.report(report, 0);
    const { position: at, log, machine } = report.divergence;
    const message = { type: 'diverged', generation: 0, position: at, log, machine } as const;
    primary.diagnosis.takes(LOG_CHANNEL, message);
    found.resolve(message);
  };
  backup.runner.send({ type: 'follow' });
  primary.runner.send({ type: 'limit', logBytes: 1e9, outputBytes: 1e9 });
  primary.runner.send({ type: 'record', logging: true });
  const equalBeyond = (wanted: bigint): Promise<void> =>
    new Promise((resolve) => waiting.push({ position: wanted, resolve }));
  const checkpoint = (): Promise<bigint> => {
    hashed = Promise.withResolvers<bigint>();
    primary.runner.send({ type: 'checkpoint' });
    return hashed.promise;
  };
  return { primary, backup, directory, diverged: found.promise, equalBeyond, position: () => position, checkpoint };
}

/** A hash that both find equal, the damage, and a hash that they do not. */
async function damage({ backup, equalBeyond, position, checkpoint }: Twins): Promise<void> {
  await equalBeyond(100_000n);
  await equalBeyond(await checkpoint());
  backup.runner.ram[DAMAGED] = 0x5a;
  // The machine writes to this page too, so that its hash is made anew.
  await equalBeyond(position() + 500_000n);
  await checkpoint();
}

test('a changed byte is found by the next hash, and the diagnosis names it, with both contents of its page', async (t) => {
  const pair = await twins(t);
  await damage(pair);
  const diverged = await pair.diverged;
  await Promise.all([pair.primary.diagnosis.settled(), pair.backup.diagnosis.settled()]);
  assert.match(diverged.log, /^hash /);
  const names = await readdir(pair.directory);
  const name = `generation-0-position-${diverged.position}`;
  assert.deepEqual(names.toSorted(), [`${name}-backup`, `${name}-primary`]);
  const path = join(pair.directory, `${name}-primary`);
  const report = await readFile(join(path, 'report.txt'), 'utf8');
  assert.match(report, /Registers and devices: 0 fields with a difference/);
  assert.match(report, /Memory: 1 page with a difference/);
  assert.match(report, /page 300 \(0x8012c000\)/);
  assert.match(report, /first at 0x8012c\w{3}/);
  assert.match(report, /The last equal hash: \w{16} at position \d+/);
  const contents = await Promise.all(
    ['primary', 'backup'].map((side) => readFile(join(path, 'pages', `${PAGE}-${side}.bin`))),
  );
  assert.deepEqual(
    contents.map((page) => page[OFFSET]),
    [0, 0x5a],
  );
  assert.deepEqual(await readFile(join(`${path.slice(0, -8)}-backup`, 'pages', `${PAGE}-backup.bin`)), contents[1]);
  const log = await readFile(join(path, 'log.txt'), 'utf8');
  assert.equal(log.match(/hash/g)?.length, 2, 'the last equal hash, what came then, and the one that differs');
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  assert.equal((await stat(join(path, 'report.txt'))).mode & 0o777, 0o600);
});

test('a backup that does not reach its primary any more keeps its own half, and so does the primary', async (t) => {
  const pair = await twins(t, { isCut: true });
  await damage(pair);
  const { position } = await pair.diverged;
  await pair.backup.diagnosis.settled();
  const path = join(pair.directory, `generation-0-position-${position}-backup`);
  assert.ok((await readFile(join(path, 'backup.state'))).length > 0);
  assert.match(await readFile(join(path, 'report.txt'), 'utf8'), /Memory: not compared/);
  await pair.primary.diagnosis.settled();
  const other = join(pair.directory, `generation-0-position-${position}-primary`);
  assert.match(await readFile(join(other, 'report.txt'), 'utf8'), /look for its own directory on its host/);
});

test('states are compared field by field', () => {
  const states = [100n, 101n].map((position) => {
    const { machine } = bootProgram(scribbler);
    machine.run(position);
    return machine.saveState();
  });
  assert.deepEqual(compareStates(states[0], states[0]), []);
  const differing = compareStates(states[0], states[1]);
  const position = differing.find(({ field }) => field === 'hart.position');
  assert.deepEqual(position, { field: 'hart.position', primary: '0x64', backup: '0x65' });
  assert.ok(differing.some(({ field }) => field === 'hart.pc'));
  assert.ok(!differing.some(({ field }) => field.startsWith('plic')));
});
