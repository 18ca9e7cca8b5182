import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuCommand } from './cpu-link.ts';
import type { Message } from './message.ts';
import { DEFAULT_TRANSFER, PAGE_BYTES, type TransferLimits } from './transfer.ts';
import { TransferSource } from './transfer-source.ts';

const limits: TransferLimits = { ...DEFAULT_TRANSFER, pagesPerPiece: 4, copiesAtOnce: 2, cutPages: 2, maxCutPages: 20 };

/** A transfer with a copier that answers at once and a backup that takes everything in, unless told otherwise. */
class Course {
  nowMs = 0;
  readonly commands: CpuCommand[] = [];
  readonly pieces: number[] = [];
  readonly sent: Message[] = [];
  readonly failures: string[] = [];
  asked = 0;
  copies: number[] = [];
  readonly source: TransferSource;
  #bytes = 0;

  constructor(changes: Partial<TransferLimits> = {}) {
    this.source = new TransferSource(
      { number: 1, name: 'name', generation: 3 },
      { ...limits, ...changes },
      {
        command: (command) => this.commands.push(command),
        cut: (command) => this.commands.push({ ...command, logBytes: 0, outputBytes: 0 }),
        copy: (pages) => this.copies.push('content' in pages ? pages.content.length / PAGE_BYTES : pages.length),
        sendPiece: ({ bytes }) => {
          this.pieces.push(bytes.length);
          this.#bytes += bytes.length;
        },
        send: (message) => this.sent.push(message),
        nearlyDone: () => this.asked++,
        fail: (why) => this.failures.push(why),
      },
      0,
    );
    this.source.join(0);
  }

  collected(pages: number): void {
    this.nowMs += 1;
    const written = Uint32Array.from({ length: pages }, (_, page) => page);
    this.source.collected({ type: 'copy-pages', transfer: 1, pages: written }, this.nowMs);
  }

  receiving(changes: Partial<Message & { type: 'receiving' }> = {}): void {
    const installed = this.#bytes;
    const credit = installed + 1_000_000;
    const message = { type: 'receiving', generation: 3, installed, credit, recorded: false, verified: false } as const;
    this.source.receiving({ ...message, ...changes }, this.nowMs);
  }

  /** The copier does what it was asked for, a millisecond a piece, until it is asked for no more. */
  copy(): void {
    for (let pages = this.copies.shift(); pages !== undefined; pages = this.copies.shift()) {
      this.nowMs += 1;
      this.source.copied(new Uint8Array(pages * PAGE_BYTES), this.nowMs);
      this.receiving();
    }
  }

  round(pages: number): void {
    this.collected(pages);
    this.copy();
  }

  get last(): CpuCommand['type'] | undefined {
    return this.commands.at(-1)?.type;
  }
}

test('all pages are copied, then those written meanwhile, until few are left; the record is asked for once', () => {
  const course = new Course();
  assert.equal(course.last, 'copy-begin');
  course.receiving();
  course.round(100);
  assert.equal(course.pieces.length, 25);
  assert.equal(course.last, 'copy-collect');
  course.round(30);
  assert.equal(course.asked, 0);
  course.round(2);
  assert.equal(course.asked, 1);
  course.receiving({ recorded: true });
  assert.equal(course.last, 'copy-cut');
  assert.deepEqual([course.asked, course.failures], [1, []]);
});

test('the machine is cut only when the backup has taken in all that was sent', () => {
  const course = new Course();
  course.receiving({ recorded: true });
  course.round(10);
  course.collected(1);
  const installed = 10 * PAGE_BYTES;
  course.copies.length = 0;
  course.source.copied(new Uint8Array(PAGE_BYTES), course.nowMs);
  for (const behind of [installed, installed + PAGE_BYTES - 1]) {
    course.receiving({ installed: behind, recorded: true });
    course.source.tick(course.nowMs + limits.idleRoundMs);
    assert.equal(course.last, 'copy-collect', 'the one of the round');
  }
  course.receiving({ installed: installed + PAGE_BYTES });
  assert.equal(course.last, 'copy-cut');
});

test('a cut may take out as many pages as can be sent in time, and any number when they do not get fewer', () => {
  const atMost = (course: Course): number => {
    const cut = course.commands.at(-1);
    assert.equal(cut?.type, 'copy-cut');
    return (cut as CpuCommand & { type: 'copy-cut' }).maxPages;
  };
  const course = new Course({ cutTargetMs: 2 });
  course.receiving({ recorded: true });
  // A piece of four pages takes a millisecond.
  course.round(100);
  course.round(1);
  assert.ok(atMost(course) >= 7 && atMost(course) <= 8, `${atMost(course)}`);
  const busy = new Course({ cutTargetMs: 0 });
  busy.receiving({ recorded: true });
  busy.round(100);
  busy.round(1);
  assert.equal(atMost(busy), limits.cutPages);
  for (let declined = 0; declined < 6; declined++) {
    busy.round(15);
    if (busy.last === 'copy-collect') busy.round(1);
  }
  assert.equal(atMost(busy), limits.maxCutPages);
});

test('nothing is copied beyond what the backup has room for', () => {
  const course = new Course();
  course.receiving({ credit: 0 });
  course.collected(100);
  assert.deepEqual(course.copies, []);
  course.receiving({ credit: 5 * PAGE_BYTES + 8192 });
  assert.deepEqual(course.copies, [4], 'room for one piece of four pages');
});

test('a guest that writes as fast as pages are copied is slowed in steps, and stopped for the rest in the end', () => {
  const course = new Course({ maxRounds: 12, cutTargetMs: 0 });
  course.receiving();
  course.round(100);
  for (let round = 0; round < 14 && course.asked === 0; round++) course.round(15);
  const speeds = course.commands.flatMap((command) => (command.type === 'speed' ? [command.fraction] : []));
  assert.ok(speeds.length > 4 && speeds.every((speed, index) => index === 0 || speed < speeds[index - 1]!));
  assert.equal(speeds.at(-1), limits.slowest);
  assert.equal(course.asked, 1);
  assert.deepEqual(course.failures, []);
});

test('a rest that is too much even for that ends the transfer', () => {
  const course = new Course({ maxRounds: 3, cutTargetMs: 0 });
  course.receiving();
  for (let round = 0; round < 6 && course.failures.length === 0; round++) course.round(100);
  assert.match(course.failures[0]!, /writes too much/);
});

test('a cut that the CPU thread declines is another round', () => {
  const course = new Course();
  course.receiving({ recorded: true });
  course.round(10);
  course.round(1);
  assert.equal(course.last, 'copy-cut');
  course.round(30);
  assert.equal(course.last, 'copy-collect');
});

test('final may be sent only when the rest is gone and the backup has verified it', () => {
  const course = new Course();
  course.receiving({ recorded: true });
  course.round(10);
  course.round(1);
  const cut = { position: 5n, time: 6n, outputs: 7, hash: 8n, entropyRequests: [] };
  const rest = [{ runs: [{ first: 0, count: 1, zero: false }], content: new Uint8Array(PAGE_BYTES) }];
  const state = [new Uint8Array(2_000_000)];
  const before = course.pieces.length;
  course.source.cut({ type: 'copy-cut', transfer: 1, cut, rest, state }, course.nowMs);
  assert.equal(course.source.isCut, true);
  assert.deepEqual(course.sent, [{ type: 'cut', generation: 3, ...cut, pieces: before + 2 }]);
  course.receiving({ verified: true });
  assert.equal(course.source.verified, false, 'nobody can have verified what was not sent');
  course.receiving({ credit: 10_000_000 });
  assert.equal(course.pieces.length, before + 1);
  course.receiving({ verified: true });
  assert.equal(course.source.verified, false, 'the copier has a piece in hand');
  course.copy();
  assert.equal(course.pieces.length, before + 2);
  course.receiving({ verified: true });
  assert.equal(course.source.verified, true);
});

test('a transfer that does not move ends; one that waits for the arbiter does not, and looks for written pages again', () => {
  const stalled = new Course();
  stalled.receiving({ credit: 0 });
  stalled.collected(10);
  stalled.source.tick(limits.stallMs - 10);
  assert.deepEqual(stalled.failures, []);
  stalled.source.tick(limits.stallMs + 10);
  assert.equal(stalled.failures.length, 1);
  const waiting = new Course();
  waiting.receiving();
  waiting.round(10);
  waiting.round(1);
  const looks = waiting.commands.length;
  waiting.nowMs += 10 * limits.stallMs;
  waiting.source.tick(waiting.nowMs);
  assert.deepEqual([waiting.failures, waiting.commands.length, waiting.last], [[], looks + 1, 'copy-collect']);
});

test('a backup that does not verify in time is given up', () => {
  const course = new Course();
  course.receiving({ recorded: true });
  course.round(10);
  course.round(1);
  const cut = { position: 5n, time: 6n, outputs: 7, hash: 8n, entropyRequests: [] };
  course.source.cut({ type: 'copy-cut', transfer: 1, cut, rest: [], state: [] }, course.nowMs);
  course.source.tick(course.nowMs + limits.cutOverMs);
  assert.match(course.failures[0]!, /verified/);
});
