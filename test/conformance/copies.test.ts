/**
 * A copy of a machine is the machine (MACHINE.md, 13 and 20): its pages, copied while it runs and again where it wrote since,
 * and its saved state make another one that is equal at once, and takes the same steps from there on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OperatingError } from '../../src/core/base/error.ts';
import { isZero } from '../../src/core/base/zeroes.ts';
import type { Input } from '../../src/core/machine/doors.ts';
import type { Machine } from '../../src/core/vm/machine.ts';
import { virtioDevice } from '../../src/core/vm/machine-config.ts';
import { sealSection } from '../../src/core/vm/plain-codec.ts';
import { sectionOf } from '../../src/core/vm/saved-machine.ts';
import { assemble } from './testing/assembler.ts';
import { type BareMachine, type BareOptions, bootProgram, pass } from './testing/machine.ts';
import { Random } from './testing/random.ts';
import { assertSameState } from './testing/state.ts';

/** Writes all over 1 MiB, echoes what is typed, arms a timer anew at each tick, sleeps now and then. */
const busy = assemble(`
  la t0, trap; csrw mtvec, t0
  li s0, 0x10000000; li s1, 0x0c000000; li s2, 0x0c200000; li s3, 0x02004000; li s4, 0x80100000
  li t0, 1; sw t0, 40(s1)
  li t0, 0x400; li t1, 0x0c002000; sw t0, 0(t1); sw zero, 0(s2)
  li t0, 1; sb t0, 1(s0)
  li t0, 50; sd t0, 0(s3)
  li t0, 0x880; csrw mie, t0; csrsi mstatus, 8
  li s5, 0; li s8, 0x6d2b79f5
  main: li t2, 300
  1: addi s5, s5, 1; mul s6, s6, s8; add s6, s6, s5; csrr s7, time; add s6, s6, s7
  srli t4, s6, 40; slli t4, t4, 44; srli t4, t4, 44; andi t4, t4, -8; add t4, t4, s4; sd s6, 0(t4); addi t2, t2, -1; bnez t2, 1b
  andi t2, s5, 1023; bnez t2, main
  wfi
  j main
  .align 2
  trap: csrr t3, mcause; andi t3, t3, 15; li t4, 7; beq t3, t4, timer
  lw t3, 4(s2); beqz t3, out
  2: lbu t4, 5(s0); andi t4, t4, 1; beqz t4, 3f
  lbu t5, 0(s0); sb t5, 0(s0); j 2b
  3: sw t3, 4(s2)
  out: mret
  timer: csrr t5, time; addi t5, t5, 400; sd t5, 0(s3); mret
`);

const busyOptions: BareOptions = { clockByInput: true };

/** A copy in the making: the pages as they were when last read. */
class Copy {
  readonly #source: Machine;
  readonly #pages = new Map<number, Uint8Array>();

  constructor(source: Machine) {
    this.#source = source;
    source.beginCopy();
  }

  /** Copies what was written since the last round; returns how many pages that were. */
  round(): number {
    const pages = this.#source.writtenPages();
    assert.deepEqual(
      [...pages].sort((a, b) => a - b),
      [...pages],
      'pages come in ascending order',
    );
    for (const page of pages) this.#pages.set(page, this.#source.readPage(page));
    return pages.length;
  }

  /** The last round, and another machine made of it all. */
  finish(into: Machine): void {
    this.round();
    this.#source.endCopy();
    for (const [page, bytes] of this.#pages) into.writePage(page, bytes);
    into.restoreState(this.#source.saveState());
  }
}

function randomInputs(random: Random, machine: Machine): Input[] {
  const inputs: Input[] = [];
  const time = machine.time + BigInt(random.below(300));
  if (random.chance(70)) {
    inputs.push({ kind: 'clock', time: machine.nextTimer ?? time, slope: random.pick([0, 1, 2 ** 24, 2 ** 30]) });
  }
  if (random.chance(40)) {
    const data = Uint8Array.from({ length: random.between(1, 20) }, () => random.between(97, 112));
    inputs.push({ kind: 'console-in', device: 0, data });
  }
  return inputs;
}

test('a machine that is copied while it runs, in rounds, is equal to its copy at once and after any further steps', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new Random(seed);
    const source = bootProgram(busy, busyOptions);
    const go = (): void => {
      source.machine.run(source.machine.position + BigInt(random.between(1, 3000)));
      for (const input of randomInputs(random, source.machine)) source.machine.apply(input);
    };
    for (let i = 0; i < 20; i++) go();
    const copy = new Copy(source.machine);
    assert.equal(copy.round(), source.machine.ramPages, 'at first all pages count as written');
    for (let round = 0; round < 8; round++) {
      for (let i = random.below(6); i > 0; i--) go();
      // The hash has its own epochs.
      if (random.chance(50)) source.machine.hash();
      copy.round();
      if (random.chance(50)) source.machine.hash();
    }
    const twin = bootProgram(busy, busyOptions);
    copy.finish(twin.machine);
    assertSameState(twin.machine, source.machine, `seed ${seed}, at once`);
    assert.equal(twin.machine.nextTimer, source.machine.nextTimer);
    for (let i = 0; i < 20; i++) stepBoth(random, source, twin, `seed ${seed}, after ${i} rounds`);
  }
});

function stepBoth(random: Random, a: BareMachine, b: BareMachine, where: string): void {
  const until = a.machine.position + BigInt(random.between(1, 3000));
  assert.equal(b.machine.run(until), a.machine.run(until), where);
  for (const input of randomInputs(random, a.machine)) {
    a.machine.apply(input);
    b.machine.apply(input);
  }
  assertSameState(b.machine, a.machine, where);
}

test('without a store no page counts as written, and one store is one page', () => {
  const { machine } = bootProgram(
    assemble('li s4, 0x80100000; 1: addi t0, t0, 1; li t1, 1000; bne t0, t1, 1b; sd t0, 8(s4); j .'),
  );
  machine.beginCopy();
  machine.writtenPages();
  machine.run(100n);
  assert.deepEqual([...machine.writtenPages()], []);
  machine.hash();
  machine.run(100_000n);
  assert.deepEqual([...machine.writtenPages()], [0x100]);
  machine.hash();
  assert.deepEqual([...machine.writtenPages()], []);
});

test('for a copy that is laid over zeroes, pages that were never written are not named', () => {
  const { machine } = bootProgram(assemble('li s4, 0x80100000; sd s4, 8(s4); j .'));
  machine.run(100n);
  machine.beginCopy('zeroes');
  const pages = machine.writtenPages();
  assert.ok(pages.includes(0x100) && pages.length < machine.ramPages / 2, `${pages.length} pages`);
  for (let page = 0; page < machine.ramPages; page++) {
    if (!pages.includes(page)) assert.ok(isZero(machine.readPage(page)), `page ${page}`);
  }
});

// ---- devices with requests in flight --------------------------------------------------------------------------------------

const QUEUE = { descriptors: 0x8020_0000, driver: 0x8020_1000, device: 0x8020_2000 };
const BUFFERS = 0x8021_0000;

/** Starts a disk, asks for a write and a read, prints half a line, and waits until both are done. */
const diskUser = assemble(`
  li s0, 0x10001000; li s1, 0x10000000
  li t0, 3; sw t0, 0x70(s0)
  li t0, 1; sw t0, 0x24(s0); sw t0, 0x20(s0)
  li t0, 0xb; sw t0, 0x70(s0)
  sw zero, 0x30(s0); li t0, 8; sw t0, 0x38(s0)
  li t0, ${QUEUE.descriptors}; sw t0, 0x80(s0); sw zero, 0x84(s0)
  li t0, ${QUEUE.driver}; sw t0, 0x90(s0); sw zero, 0x94(s0)
  li t0, ${QUEUE.device}; sw t0, 0xa0(s0); sw zero, 0xa4(s0)
  li t0, 1; sw t0, 0x44(s0)
  li t0, 0xf; sw t0, 0x70(s0)
  sw zero, 0x50(s0)
  li t0, 104; sb t0, 0(s1); li t0, 105; sb t0, 0(s1)
  li s2, ${QUEUE.device}
  1: lhu t0, 2(s2); li t1, 2; bne t0, t1, 1b
  ${pass}
`);

const diskOptions: BareOptions = {
  clockByInput: true,
  virtio: [
    { kind: 'block', capacityBytes: 1024 * 1024, readOnly: false, serial: 'test' },
    { kind: 'net', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) },
    { kind: 'console' },
    { kind: 'entropy' },
  ],
};

function bootDiskUser(): BareMachine {
  return bootProgram(diskUser, diskOptions);
}

/** What the driver would have laid into memory: a write of sector 3 and a read of sector 5. */
function layRequests({ ram }: Machine): void {
  const descriptor = (index: number, address: number, length: number, flags: number): void => {
    const at = QUEUE.descriptors + index * 16;
    ram.write64(at, BigInt(address));
    ram.write32(at + 8, length);
    ram.write16(at + 12, flags);
    ram.write16(at + 14, index + 1);
  };
  const header = (at: number, type: number, sector: bigint): void => {
    ram.write32(at, type);
    ram.write64(at + 8, sector);
  };
  header(BUFFERS, 1, 3n);
  header(BUFFERS + 16, 0, 5n);
  ram.write(
    BUFFERS + 0x1000,
    Uint8Array.from({ length: 512 }, (_, i) => i),
  );
  descriptor(0, BUFFERS, 16, 1);
  descriptor(1, BUFFERS + 0x1000, 512, 1);
  descriptor(2, BUFFERS + 0x100, 1, 2);
  descriptor(3, BUFFERS + 16, 16, 1);
  descriptor(4, BUFFERS + 0x2000, 512, 3);
  descriptor(5, BUFFERS + 0x101, 1, 2);
  ram.write16(QUEUE.driver + 4, 0);
  ram.write16(QUEUE.driver + 6, 3);
  ram.write16(QUEUE.driver + 2, 2);
}

function withRequestsInFlight(): BareMachine {
  const source = bootDiskUser();
  layRequests(source.machine);
  source.machine.run(1000n);
  source.machine.apply({ kind: 'net-rx', device: virtioDevice(1), frame: new Uint8Array(60).fill(7) });
  return source;
}

test('disk requests in flight, their data, and half a printed line go with the copy, and are finished there', () => {
  const source = withRequestsInFlight();
  const requests = source.machine.inFlightBlockRequests();
  assert.deepEqual(
    requests.map(({ request }) => request.type),
    ['write', 'read'],
  );
  const twin = bootDiskUser();
  new Copy(source.machine).finish(twin.machine);
  assert.deepEqual(twin.machine.inFlightBlockRequests(), requests);
  for (const bare of [source, twin]) {
    for (const { device, request } of requests) {
      const data = request.type === 'read' ? { data: new Uint8Array(512).fill(9) } : {};
      bare.machine.apply({ kind: 'block-done', device, id: request.id, ok: true, ...data });
    }
    assert.equal(bare.machine.run(bare.machine.position + 10_000n), 'stopped');
    assert.equal(bare.status(), 0n);
    assert.equal(bare.console(), 'hi');
  }
  assertSameState(twin.machine, source.machine, 'at the end');
});

test('a state that an earlier version saved is still the same machine', () => {
  // Of `withRequestsInFlight`; if a device's state changes, its version does, and this file stays and must still be read.
  const saved = readFileSync(new URL('fixtures/saved-state-1.bin', import.meta.url));
  const { machine } = bootDiskUser();
  machine.restoreState(saved);
  assert.deepEqual(machine.saveState(), new Uint8Array(saved));
  assert.equal(machine.inFlightBlockRequests().length, 2);
});

test('a machine that has stopped is one that has stopped as a copy, too', () => {
  const source = withRequestsInFlight();
  source.machine.apply({ kind: 'power', action: 'reset' });
  const twin = bootDiskUser();
  new Copy(source.machine).finish(twin.machine);
  assert.deepEqual(twin.machine.stopped, { reason: 'power', action: 'reset' });
});

test('a saved state with any byte changed, cut short, or of another machine is refused with one clear error', () => {
  const state = withRequestsInFlight().machine.saveState();
  const twin = bootDiskUser().machine;
  const before = twin.hash();
  for (let at = 0; at < state.length; at++) {
    const damaged = state.slice();
    damaged[at]! ^= 1 << (at % 8);
    assert.throws(() => twin.restoreState(damaged), OperatingError, `byte ${at}`);
  }
  for (const length of [0, 1, 10, 11, state.length - 1]) {
    assert.throws(() => twin.restoreState(state.slice(0, length)), OperatingError);
  }
  assert.equal(twin.hash(), before, 'nothing was touched before the checksum was right');
  assert.throws(() => bootProgram(busy, busyOptions).machine.restoreState(state), OperatingError);
});

test('a state that is damaged under a right checksum is an error or a state, never a crash', () => {
  const state = withRequestsInFlight().machine.saveState();
  const random = new Random(5);
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const damaged = sealSection('UMST', 1, damage(random, sectionOf('UMST', 1, state)));
    try {
      bootDiskUser().machine.restoreState(damaged);
    } catch (error) {
      assert.ok(error instanceof OperatingError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 40, `${refused} of 60 were refused`);
});

type Value = Parameters<typeof sealSection>[2];

/** Another value in one place. */
function damage(random: Random, value: Value): Value {
  const other: Value[] = [null, true, 0, 1, 2 ** 40, -1, 0.5, 0n, 2n ** 64n - 1n, 'x', new Uint8Array(3), [], {}];
  if (Array.isArray(value) && value.length > 0 && random.chance(95)) {
    const list = [...(value as readonly Value[])];
    const at = random.below(list.length);
    list[at] = damage(random, list[at]!);
    return list;
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && random.chance(95)) {
    const entries = Object.entries(value);
    if (entries.length > 0) {
      const [key, inner] = random.pick(entries);
      return { ...value, [key]: damage(random, inner as Value) };
    }
  }
  return random.pick(other);
}
