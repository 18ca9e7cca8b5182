/** CSRs: what can be written (WARL), the counters with their writes and permissions, and what reads 0 (privileged 1.12, ch. 2 to 4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hart, mstatus } from '../../src/core/machine/hart.ts';
import { type Privilege, Stepper } from './testing/stepper.ts';

const ONES = (1n << 64n) - 1n;

/** What is read after `value` was written. */
function written(stepper: Stepper, csr: string, value: bigint): bigint {
  stepper.run(`csrw ${csr}, a0; csrr a1, ${csr}`, { a0: value });
  return stepper.x('a1');
}

test('every register keeps the bits that exist and no others', () => {
  const stepper = new Stepper();
  const table: readonly (readonly [csr: string, ones: bigint, zeros?: bigint])[] = [
    ['misa', (2n << 62n) | 0x14112dn, (2n << 62n) | 0x14112dn],
    ['medeleg', 0xb3ffn],
    ['mideleg', 0x222n],
    ['mie', 0xaaan],
    ['mip', 0x222n],
    ['mtvec', ONES & ~2n],
    ['stvec', ONES & ~2n],
    ['mepc', ONES & ~1n],
    ['sepc', ONES & ~1n],
    ['mscratch', ONES],
    ['sscratch', ONES],
    ['mtval', ONES],
    ['stval', ONES],
    ['mcause', ONES],
    ['scause', ONES],
    ['mcounteren', 0xffff_ffffn],
    ['scounteren', 0xffff_ffffn],
    ['menvcfg', (1n << 63n) | 1n],
    ['senvcfg', 1n],
    ['mcountinhibit', 5n],
    ['fcsr', 0xffn],
    ['tselect', 0n],
    ['tdata1', 0n],
    ['tdata2', 0n],
    ['tdata3', 0n],
    ['mhpmcounter3', 0n],
    ['mhpmevent31', 0n],
    ['pmpaddr63', 0n],
  ];
  stepper.status(mstatus.FS);
  for (const [csr, ones, zeros = 0n] of table) {
    assert.equal(written(stepper, csr, ONES), ones, `${csr}, all ones`);
    assert.equal(written(stepper, csr, 0n), zeros, `${csr}, zero`);
  }
});

test('mstatus: writable bits, a mode that does not exist, SD, and sstatus as a view of it', () => {
  const stepper = new Stepper();
  const fixed = mstatus.UXL | mstatus.SXL;
  const seen = 0xc_0122n | mstatus.FS;
  assert.equal(written(stepper, 'mstatus', ONES), mstatus.SD | fixed | 0x7e_79aan);
  assert.equal(written(stepper, 'mstatus', 0n), fixed);
  for (const mpp of [3n, 0n, 1n]) {
    written(stepper, 'mstatus', mpp << 11n);
    assert.equal(written(stepper, 'mstatus', 2n << 11n) & mstatus.MPP, mpp << 11n, 'MPP = 2 leaves it');
  }
  written(stepper, 'mstatus', ONES);
  stepper.run('csrr a0, sstatus; csrw sstatus, zero; csrr a1, mstatus; csrr a2, sstatus');
  assert.equal(stepper.x('a0'), mstatus.SD | mstatus.UXL | seen);
  assert.equal(stepper.x('a1'), fixed | (0x7e_79aan & ~seen));
  assert.equal(stepper.x('a2'), mstatus.UXL);
});

test('FS: off, initial, clean, dirty; what writes floating-point state makes it dirty', () => {
  const stepper = new Stepper();
  const fs = (): bigint => (stepper.get(hart.mstatus) >> 13n) & 3n;
  const dirties = [
    'fadd.d fa0, fa1, fa2',
    'fld fa0, 0(s0)',
    'fmv.d.x fa0, zero',
    'csrwi fflags, 0',
    'csrrsi a0, frm, 1',
  ];
  for (const state of [1n, 2n]) {
    for (const text of dirties) {
      stepper.status(state << 13n, mstatus.FS & ~(state << 13n));
      stepper.run('csrr a0, fcsr; fsd fa0, 0(s0); fmv.x.d a1, fa0', { s0: 0x8010_0000n });
      assert.equal(fs(), state, 'reading leaves it');
      stepper.run(text);
      assert.equal(fs(), 3n, text);
      stepper.run('csrr a1, sstatus');
      assert.equal(stepper.x('a1') >> 63n, 1n);
    }
  }
});

test('minstret and mcycle count retired instructions, and a write suppresses its own increment', () => {
  const stepper = new Stepper();
  for (const csr of ['minstret', 'mcycle']) {
    assert.equal(written(stepper, csr, 1000n), 1000n);
    stepper.run(`nop; nop; csrr a1, ${csr}`);
    // csrr, nop, nop since.
    assert.equal(stepper.x('a1'), 1003n);
    stepper.step('ecall');
    stepper.run(`csrr a1, ${csr}`);
    assert.equal(stepper.x('a1'), 1004n, 'a trap does not retire');
    stepper.run(`csrrw a1, ${csr}, a0; csrr a2, ${csr}`, { a0: ONES });
    assert.equal(stepper.x('a1'), 1005n);
    assert.equal(stepper.x('a2'), ONES);
    stepper.run(`csrr a2, ${csr}`);
    assert.equal(stepper.x('a2'), 0n, 'it wraps');
  }
  stepper.run('csrw minstret, a0; csrr a1, instret; csrr a2, minstret', { a0: 50 });
  assert.equal(stepper.x('a1'), 50n);
  assert.equal(stepper.x('a2'), 51n);
});

test('mcountinhibit stops one counter and leaves the other, and both go on from where they were', () => {
  const stepper = new Stepper();
  stepper.run('csrw minstret, a0; csrw mcycle, a0; csrwi mcountinhibit, 4; nop; csrr a1, minstret; csrr a2, mcycle', {
    a0: 100,
  });
  const stopped = stepper.x('a1');
  const cycles = stepper.x('a2');
  stepper.run('nop; nop; csrr a1, minstret; csrr a2, mcycle');
  assert.equal(stepper.x('a1'), stopped);
  assert.equal(stepper.x('a2'), cycles + 4n);
  stepper.run('csrw minstret, a0; csrr a1, minstret', { a0: 7 });
  assert.equal(stepper.x('a1'), 7n);
  stepper.run('csrwi mcountinhibit, 0; csrr a1, minstret; csrr a2, minstret');
  assert.equal(stepper.x('a2'), stepper.x('a1') + 1n);
  assert(stepper.x('a1') === 7n || stepper.x('a1') === 8n);
});

test('counters below M: mcounteren opens them to S, and scounteren besides to U', () => {
  const stepper = new Stepper();
  for (const [i, csr] of ['cycle', 'time', 'instret', 'hpmcounter3'].entries()) {
    for (const [m, s] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      stepper.as('M').run('csrw mcounteren, a0; csrw scounteren, a1', { a0: m << i, a1: s << i });
      const cause = (privilege: Privilege): bigint | undefined => stepper.as(privilege).step(`csrr a0, ${csr}`)?.cause;
      assert.equal(cause('M'), undefined);
      assert.equal(cause('S'), m === 1 ? undefined : 2n, `${csr} in S, ${m} ${s}`);
      assert.equal(cause('U'), m === 1 && s === 1 ? undefined : 2n, `${csr} in U, ${m} ${s}`);
    }
  }
});

test('time follows the position, and never runs backwards', () => {
  const stepper = new Stepper({ stepsPerTick: 10 });
  let last = 0n;
  for (let i = 0; i < 100; i++) {
    stepper.run('csrr a0, time');
    const position = stepper.machine.position - 1n;
    const time = stepper.x('a0');
    assert(time >= last);
    // A slope that is rounded down is late by less than a tick.
    assert(time === position / 10n || time === (position - 1n) / 10n, `${time} at ${position}`);
    last = time;
  }
});

test('the identity of the hart', () => {
  const stepper = new Stepper();
  for (const csr of ['mvendorid', 'marchid', 'mimpid', 'mhartid', 'mconfigptr']) {
    stepper.run(`csrr a0, ${csr}`, { a0: 1 });
    assert.equal(stepper.x('a0'), 0n, csr);
  }
});
