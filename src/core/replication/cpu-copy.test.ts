import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, NET, OP_PUT, SimMachine } from '../../../sim/machine.ts';
import { gatherPages, sealPiece } from '../vm/page-pieces.ts';
import type { CpuCommand, CpuReport } from './cpu-link.ts';
import { pieceInstaller } from './cpu-pieces.ts';
import { CpuSide } from './cpu-side.ts';

const installPiece = pieceInstaller((bytes) => bytes);

/** A machine that remembers what it was asked to hash. */
class Witness extends SimMachine {
  readonly asked: ('all' | number)[] = [];

  override hash(): bigint {
    this.asked.push('all');
    return super.hash();
  }

  override hashAhead(pages: number): boolean {
    this.asked.push(pages);
    return super.hashAhead(pages);
  }
}

function side(): { machine: Witness; cpu: CpuSide; reports: CpuReport[] } {
  const machine = new Witness();
  const reports: CpuReport[] = [];
  return {
    machine,
    cpu: new CpuSide({}, { machine, report: (report) => reports.push(report), installPiece }),
    reports,
  };
}

function run(cpu: CpuSide, machine: SimMachine, steps: number): void {
  const end = machine.position + BigInt(steps);
  while (machine.position < end) {
    // Only an input wakes it.
    if (cpu.slice(end) === 'idle') cpu.apply({ kind: 'clock', time: machine.time, slope: 2 ** 31 });
  }
}

function put(request: number): CpuCommand {
  const frame = encodeFrame({ operation: OP_PUT, client: 1, key: request % 40, request, value: request });
  return { type: 'input', input: { kind: 'net-rx', device: NET, frame } };
}

type CutReport = CpuReport & { type: 'copy-cut' };

/** A machine that has run a while, and the cut that was made of it. */
function cutOut(maxPages = 1000): { giver: ReturnType<typeof side>; cut: CutReport | undefined } {
  const giver = side();
  giver.cpu.handle({ type: 'record', logging: false });
  for (let request = 1; request < 20; request++) {
    giver.cpu.handle(put(request));
    run(giver.cpu, giver.machine, 300);
  }
  giver.cpu.handle({ type: 'copy-begin', transfer: 1 });
  const command = { transfer: 1, maxPages, pagesPerPiece: 4, logBytes: 1e6, outputBytes: 1e6 };
  run(giver.cpu, giver.machine, 500);
  giver.cpu.handle({ type: 'copy-collect', transfer: 1 });
  run(giver.cpu, giver.machine, 500);
  giver.cpu.handle({ type: 'copy-cut', ...command });
  return { giver, cut: giver.reports.find((report) => report.type === 'copy-cut') };
}

/** What the taker says to these pages, whose pieces come in this order, and to the cut. */
function take(
  giver: SimMachine,
  cut: CutReport,
  change = (bytes: Uint8Array<ArrayBuffer>) => bytes,
  earlier: readonly Uint8Array<ArrayBuffer>[] = [],
): typeof taker {
  const taker = side();
  taker.cpu.handle({ type: 'install-begin', transfer: 1 });
  for (const bytes of [...earlier, change(allPages(giver)), ...cut.rest.map((pages) => sealPiece(pages))]) {
    taker.cpu.handle({ type: 'install', kind: 'pages', bytes });
  }
  for (const bytes of cut.state) taker.cpu.handle({ type: 'install', kind: 'state', bytes });
  taker.cpu.handle({ type: 'install-end', cut: cut.cut });
  return taker;
}

function allPages(machine: SimMachine): Uint8Array<ArrayBuffer> {
  const pages = Uint32Array.from({ length: machine.ramPages }, (_, page) => page);
  return sealPiece(gatherPages(pages, 0, (page) => machine.readPage(page)).gathered);
}

const kinds = (reports: readonly CpuReport[]): string[] => reports.map(({ type }) => type);

test('a machine that was put together from pieces is the one that was cut, and follows its log from there', () => {
  const { giver, cut } = cutOut();
  const taker = take(giver.machine, cut!);
  assert.ok(kinds(taker.reports).includes('install-verified'));
  assert.equal(taker.machine.position, cut!.cut.position);
  giver.reports.length = 0;
  giver.cpu.handle(put(99));
  run(giver.cpu, giver.machine, 2000);
  giver.cpu.handle({ type: 'checkpoint' });
  giver.cpu.flush();
  for (const report of giver.reports) {
    if (report.type !== 'produced') continue;
    const { base, bytes, position } = report;
    taker.cpu.handle({ type: 'feed', base, bytes, position, arrivedMs: 0 });
  }
  while (taker.cpu.slice(giver.machine.position) === 'again');
  assert.ok(!kinds(taker.reports).includes('diverged'));
  assert.equal(taker.machine.hash(), giver.machine.hash());
});

test('what was said before the cut is reported without a log, and what is said after it with one', () => {
  const { giver } = cutOut();
  const at = kinds(giver.reports).indexOf('copy-cut');
  run(giver.cpu, giver.machine, 3000);
  const logs = (reports: readonly CpuReport[]): number[] =>
    reports.flatMap((report) => (report.type === 'produced' ? [report.bytes.length] : []));
  assert.ok(logs(giver.reports.slice(0, at)).every((length) => length === 0));
  assert.ok(logs(giver.reports.slice(at)).every((length) => length > 0));
});

test('a cut of more pages than may be taken out is an ordinary collection, and the machine runs on without a log', () => {
  const { giver, cut } = cutOut(0);
  assert.equal(cut, undefined);
  assert.equal(kinds(giver.reports).filter((kind) => kind === 'copy-pages').length, 3);
  giver.machine.asked.length = 0;
  run(giver.cpu, giver.machine, 500);
  assert.deepEqual(giver.machine.asked, [2048], 'and what was written is hashed ahead');
});

test('the giving machine is never hashed as a whole but in the cut: before it, a little at a time between its slices', () => {
  const { giver } = cutOut();
  const { asked } = giver.machine;
  assert.deepEqual([asked[0], asked.at(-2)], [2048, 'all'], 'and what hashing the whole asks for');
  assert.equal(asked.filter((what) => what === 'all').length, 1);
});

test('the giving machine hashes what was written until the last look, and then rests', () => {
  const giver = side();
  giver.cpu.handle({ type: 'record', logging: false });
  for (const command of ['copy-begin', 'copy-collect'] as const) {
    giver.machine.asked.length = 0;
    giver.cpu.handle({ type: command, transfer: 1 });
    run(giver.cpu, giver.machine, 2000);
    assert.deepEqual(giver.machine.asked, [2048], command);
  }
  giver.cpu.handle({ type: 'copy-end' });
  giver.machine.asked.length = 0;
  run(giver.cpu, giver.machine, 2000);
  assert.deepEqual(giver.machine.asked, []);
});

test('pages are hashed as they come in: when all pieces are there, no page is left to hash', () => {
  const { giver } = cutOut();
  const taker = side();
  taker.cpu.handle({ type: 'install-begin', transfer: 1 });
  taker.cpu.handle({ type: 'install', kind: 'pages', bytes: allPages(giver.machine) });
  assert.deepEqual(taker.machine.asked, [taker.machine.ramPages]);
  assert.equal(taker.machine.hashAhead(0), false);
});

test('a page that comes again takes the place of what was hashed of it', () => {
  const { giver, cut } = cutOut();
  const stale = allPages(side().machine);
  const taker = take(giver.machine, cut!, undefined, [allPages(giver.machine), stale]);
  assert.ok(kinds(taker.reports).includes('install-verified'));
  assert.equal(taker.machine.hash(), cut!.cut.hash);
});

test('a page that is another than the machine had is found, although its piece is whole', () => {
  const { giver, cut } = cutOut();
  giver.machine.writePage(7, new Uint8Array(4096).fill(1));
  const taker = take(giver.machine, cut!);
  assert.equal(kinds(taker.reports).at(-1), 'install-failed');
});

test('pages that were never written are not sent, and are zeroes in the copy whatever was there', () => {
  const giver = side();
  giver.cpu.handle({ type: 'record', logging: false });
  run(giver.cpu, giver.machine, 300);
  giver.cpu.handle({ type: 'copy-begin', transfer: 1 });
  const named = giver.reports.flatMap((report) => (report.type === 'copy-pages' ? [...report.pages] : []));
  const never = Array.from({ length: giver.machine.ramPages }, (_, page) => page).filter(
    (page) => !named.includes(page),
  );
  assert.ok(named.length > 0 && never.length > 0);
  const command = { transfer: 1, maxPages: 0, pagesPerPiece: 4, logBytes: 1e6, outputBytes: 1e6 };
  giver.cpu.handle({ type: 'copy-cut', ...command });
  const cut = giver.reports.find((report) => report.type === 'copy-cut');
  const taker = side();
  for (const page of never) taker.machine.writePage(page, new Uint8Array(4096).fill(page + 1));
  taker.cpu.handle({ type: 'install-begin', transfer: 1 });
  const { gathered } = gatherPages(Uint32Array.from(named), 0, (page) => giver.machine.readPage(page));
  taker.cpu.handle({ type: 'install', kind: 'pages', bytes: sealPiece(gathered) });
  for (const bytes of cut!.state) taker.cpu.handle({ type: 'install', kind: 'state', bytes });
  taker.cpu.handle({ type: 'install-end', cut: cut!.cut });
  assert.ok(kinds(taker.reports).includes('install-verified'), kinds(taker.reports).join());
});

test('a copy that differs in one bit is found before it can be used', () => {
  const { giver, cut } = cutOut();
  giver.machine.corrupt();
  const wrong = { ...cut!, cut: { ...cut!.cut, hash: giver.machine.hash() } };
  const taker = take(giver.machine, wrong);
  assert.deepEqual(kinds(taker.reports).slice(-1), ['install-failed']);
  assert.ok(!kinds(taker.reports).includes('install-verified'));
});

test('a piece that makes no sense ends the copy, and nothing after it counts', () => {
  const { giver, cut } = cutOut();
  const damaged = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
    bytes.map((byte, at) => byte ^ +(at === 9));
  const taker = take(giver.machine, cut!, damaged);
  assert.deepEqual(kinds(taker.reports), ['install-failed']);
});

test('a machine that has taken a step takes in no other', () => {
  const { giver } = cutOut();
  giver.reports.length = 0;
  giver.cpu.handle({ type: 'install-begin', transfer: 2 });
  assert.deepEqual(kinds(giver.reports), ['install-failed']);
});
