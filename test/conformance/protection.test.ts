/**
 * Who may do what: page permissions with SUM and MXR, MPRV, the traps of TVM, TW and TSR, and PMP (privileged 1.12, 3.1.6,
 * 3.7 and 4.3). Each table below is one of the specification's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hart, mstatus } from '../../src/core/machine/hart.ts';
import { AD, FREE, makePte, PAGES, type Privilege, pte, RW, RWX, Stepper, tables } from './testing/stepper.ts';

const { R, X, U } = pte;
const attempts = {
  load: { text: 'ld a0, 0(s0)', page: 13n, access: 5n },
  store: { text: 'sd a0, 0(s0)', page: 15n, access: 7n },
  amo: { text: 'amoadd.d a1, a0, (s0)', page: 15n, access: 7n },
  fetch: { text: 'jr s0', page: 12n, access: 1n },
} as const;
type Attempt = keyof typeof attempts;

/** The cause of the trap that an access takes, undefined if none. `ret` stands at the address, for fetches. */
function causeOf(stepper: Stepper, attempt: Attempt, address: bigint): bigint | undefined {
  const trap = stepper.step(attempts[attempt].text, { s0: address });
  return trap?.cause ?? (attempt === 'fetch' ? stepper.go()?.cause : undefined);
}

test('page permissions: R, W, X and U, with SUM and MXR in each state, for U and S', () => {
  const stepper = new Stepper();
  stepper.fill(FREE, 0x0000_0013n);
  const pages = [R, RW, X, R | X, RWX].flatMap((bits) => [bits, bits | U]);
  for (const [i, bits] of pages.entries()) stepper.map(i, FREE, bits | AD);
  for (const flags of [0n, mstatus.SUM, mstatus.MXR, mstatus.SUM | mstatus.MXR]) {
    stepper.status(flags, (mstatus.SUM | mstatus.MXR) & ~flags);
    for (const privilege of ['U', 'S'] as const) {
      for (const [i, bits] of pages.entries()) {
        const user = (bits & U) !== 0n;
        const reachable = privilege === 'U' ? user : !user || (flags & mstatus.SUM) !== 0n;
        const readable = (bits & R) !== 0n || ((flags & mstatus.MXR) !== 0n && (bits & X) !== 0n);
        const allowed: { readonly [attempt in Attempt]: boolean } = {
          load: reachable && readable,
          store: reachable && (bits & pte.W) !== 0n,
          amo: reachable && (bits & pte.W) !== 0n,
          fetch: (privilege === 'U') === user && (bits & X) !== 0n,
        };
        for (const attempt of Object.keys(attempts) as Attempt[]) {
          stepper.as(privilege);
          const found = causeOf(stepper, attempt, PAGES + BigInt(i) * 4096n);
          const expected = allowed[attempt] ? undefined : attempts[attempt].page;
          assert.equal(found, expected, `${attempt} by ${privilege}, page ${bits.toString(2)}, status ${flags}`);
          if (attempt === 'store' || attempt === 'amo') stepper.fill(FREE, 0x0000_0013n);
        }
      }
    }
  }
});

test('MPRV: M mode loads and stores with the eyes of MPP, and fetches with its own', () => {
  const stepper = new Stepper();
  stepper.fill(FREE, 0x1234n);
  const supervisor = stepper.map(0, FREE, RW | AD);
  const user = stepper.map(1, FREE, RW | AD | U);
  const look = (mpp: bigint, address: bigint, more = 0n): bigint | undefined => {
    stepper.status(mstatus.MPRV | (mpp << 11n) | more, mstatus.MPP & ~(mpp << 11n));
    const cause = causeOf(stepper, 'load', address);
    stepper.status(0n, mstatus.MPRV | mstatus.SUM);
    return cause;
  };
  assert.equal(look(1n, supervisor), undefined);
  assert.equal(stepper.x('a0'), 0x1234n);
  assert.equal(look(1n, user), 13n);
  assert.equal(look(1n, user, mstatus.SUM), undefined);
  assert.equal(look(0n, user), undefined);
  assert.equal(look(0n, supervisor), 13n);
  assert.equal(look(3n, supervisor), 5n, 'with MPP = M there is no translation');
  assert.equal(look(3n, FREE), undefined);
  // mret to a lower privilege clears MPRV, to M it does not.
  stepper.status(mstatus.MPRV | mstatus.MPP);
  stepper.run('csrw mepc, a0', { a0: 0x8000_1000n });
  stepper.step('mret');
  assert.notEqual(stepper.get(hart.mstatus) & mstatus.MPRV, 0n);
  stepper.as('U');
  assert.equal(stepper.get(hart.mstatus) & mstatus.MPRV, 0n);
});

test('TVM, TW and TSR make S trap where it would manage itself, and never M', () => {
  const cases = [
    { bit: mstatus.TVM, texts: ['sfence.vma', 'csrr a0, satp', 'csrw satp, a1'] },
    { bit: mstatus.TSR, texts: ['sret'] },
    { bit: mstatus.TW, texts: ['wfi'] },
  ];
  for (const { bit, texts } of cases) {
    for (const text of texts) {
      const stepper = new Stepper();
      const attempt = (privilege: Privilege): bigint | undefined => {
        // Something is pending, so that wfi does not wait; S does not take it while SIE is 0.
        const pending = privilege === 'U' ? 0 : 2;
        stepper.as('M').run('csrw mideleg, a0; csrw mie, a0; csrw mip, a0', { a0: pending });
        stepper.as(privilege).set({ a1: stepper.get(hart.satp) });
        return stepper.step(text)?.cause;
      };
      if (text !== 'sret') assert.equal(attempt('S'), undefined, `${text} in S`);
      if (!text.startsWith('csr')) assert.equal(attempt('U'), 2n, `${text} in U`);
      stepper.status(bit);
      assert.equal(attempt('S'), 2n, `${text} in S, forbidden`);
      assert.equal(attempt('M'), undefined, `${text} in M`);
    }
  }
});

test('mret and sret are illegal below their privilege, ecall and ebreak have their causes everywhere', () => {
  const stepper = new Stepper();
  for (const [privilege, text, expected] of [
    ['S', 'mret', 2n],
    ['U', 'mret', 2n],
    ['U', 'sret', 2n],
    ['U', 'sfence.vma', 2n],
    ['U', 'ecall', 8n],
    ['S', 'ecall', 9n],
    ['M', 'ecall', 11n],
    ['U', 'ebreak', 3n],
    ['S', 'c.ebreak', 3n],
    ['M', 'ebreak', 3n],
  ] as const) {
    const trap = stepper.as(privilege).step(text);
    assert.equal(trap?.cause, expected, `${text} in ${privilege}`);
    assert.equal(stepper.get(hart.mstatus) & mstatus.MPP, { U: 0n, S: 1n << 11n, M: 3n << 11n }[privilege]);
  }
});

// ---- PMP ----------------------------------------------------------------------------------------------------------------

const NAPOT = 0x18n;
const TOR = 0x08n;
const LOCK = 0x80n;
const PAGE = 0x1ffn;

/** pmpaddr of a naturally aligned range. */
const napot = (address: bigint, bytes: bigint): bigint => (address >> 2n) | (bytes / 8n - 1n);

/** Entries 0 and 1 are given, entry 2 allows all; no translation. */
function withPmp(entries: readonly (readonly [config: bigint, address: bigint])[]): Stepper {
  const stepper = new Stepper();
  stepper.fill(FREE, 0x0000_0013n);
  stepper.fill(FREE + 0x1000n, 0x0000_0013n);
  const all = [...entries, [NAPOT | 7n, (1n << 54n) - 1n] as const];
  const config = all.reduce((sum, [bits], i) => sum | (bits << BigInt(8 * i)), 0n);
  for (const [i, [, address]] of all.entries()) stepper.run(`csrw pmpaddr${i}, a0`, { a0: address });
  stepper.run('csrw pmpcfg0, a0; csrw satp, zero', { a0: config });
  return stepper;
}

test('PMP: each permission by itself, for S and U, and for M only if locked', () => {
  for (const lock of [0n, LOCK]) {
    for (const bits of [0n, 1n, 3n, 4n, 5n, 7n]) {
      const stepper = withPmp([[NAPOT | bits | lock, napot(FREE, 0x1000n)]]);
      for (const privilege of ['U', 'S', 'M'] as const) {
        const bound = privilege !== 'M' || lock !== 0n;
        const allowed = { load: 1n, store: 2n, amo: 2n, fetch: 4n } as const;
        for (const attempt of ['load', 'store', 'fetch'] as const) {
          stepper.fill(FREE, 0x0000_0013n);
          stepper.as(privilege);
          const expected = bound && (bits & allowed[attempt]) === 0n ? attempts[attempt].access : undefined;
          const what = `${attempt} by ${privilege}, pmp ${(bits | lock).toString(16)}`;
          assert.equal(causeOf(stepper, attempt, FREE), expected, what);
          stepper.as(privilege);
          assert.equal(causeOf(stepper, attempt, FREE + 0x1000n), undefined, `${what}, the page behind`);
        }
      }
    }
  }
});

test('PMP: the first entry that matches decides, ranges begin and end at pages, TOR goes from the entry before', () => {
  const stepper = withPmp([
    [0n, (FREE + 0x1000n) >> 2n],
    [TOR | 1n, (FREE + 0x3000n) >> 2n],
  ]);
  const loads = (address: bigint): bigint | undefined => causeOf(stepper.as('S'), 'load', address);
  const stores = (address: bigint): bigint | undefined => causeOf(stepper.as('S'), 'store', address);
  assert.equal(loads(FREE + 0xff8n), undefined);
  assert.equal(stores(FREE + 0xff8n), undefined);
  assert.equal(loads(FREE + 0x1000n), undefined);
  assert.equal(stores(FREE + 0x1000n), 7n);
  assert.equal(stores(FREE + 0x2ff8n), 7n);
  assert.equal(stores(FREE + 0x3000n), undefined);
  // Across the border nothing is stored.
  assert.equal(stores(FREE + 0xffcn), 7n);
  // Entry 0 as a range of its own comes first.
  stepper.as('M').run('csrw pmpaddr0, a0; csrr a1, pmpcfg0; ori a1, a1, 0x1f; csrw pmpcfg0, a1', {
    a0: napot(FREE + 0x2000n, 0x1000n),
  });
  assert.equal(stores(FREE + 0x2000n), undefined);
  assert.equal(stores(FREE + 0x1000n), undefined, 'TOR begins behind what pmpaddr0 now says');
});

test('PMP: nothing matches, nothing is allowed below M', () => {
  const stepper = new Stepper();
  stepper.run('csrw satp, zero; csrw pmpcfg0, zero');
  assert.equal(stepper.as('M').step('ld a0, 0(s0)', { s0: FREE }), undefined);
  // The hart falls into S and cannot even fetch.
  stepper.as('S');
  assert.equal(stepper.go()?.cause, 1n);
});

test('PMP: locked entries, and the address below a locked TOR, stay as they are', () => {
  const stepper = withPmp([]);
  stepper.run('csrw pmpaddr4, a0; csrw pmpaddr5, a0; csrw pmpaddr6, a0', { a0: 0x2000_0400n });
  stepper.run('csrw pmpcfg0, a0', { a0: NAPOT | 7n | ((LOCK | TOR | 1n) << 40n) });
  for (const [i, changes] of [
    [3, true],
    [4, false],
    [5, false],
    [6, true],
  ] as const) {
    stepper.run(`csrr a1, pmpaddr${i}; csrw pmpaddr${i}, a0; csrr a2, pmpaddr${i}`, { a0: 0x3000_0800n });
    assert.equal(stepper.x('a2') !== stepper.x('a1'), changes, `pmpaddr${i}`);
  }
  stepper.run('csrw pmpcfg0, a0; csrr a1, pmpcfg0', { a0: 0x1fn });
  assert.equal(stepper.x('a1'), 0x1fn | ((LOCK | TOR | 1n) << 40n));
});

test('PMP: the grain is 4 KiB, and says so', () => {
  const stepper = withPmp([]);
  // As the specification tells software to find out: all ones with the entry off.
  stepper.run('csrw pmpcfg2, zero; csrw pmpaddr8, a0; csrr a1, pmpaddr8', { a0: -1 });
  assert.equal(stepper.x('a1'), ((1n << 54n) - 1n) & ~0x3ffn);
  stepper.run('csrw pmpcfg2, a0; csrr a1, pmpaddr8; csrr a2, pmpcfg2', { a0: NAPOT });
  assert.equal(stepper.x('a1') & 0x3ffn, 0x3ffn & (PAGE | 0x200n));
  assert.equal(stepper.x('a2'), NAPOT);
  // NA4 does not exist at this grain, and W without R is reserved.
  stepper.run('csrw pmpcfg2, a0; csrr a2, pmpcfg2', { a0: 0x10n });
  assert.notEqual(stepper.x('a2') & NAPOT, 0x10n);
  stepper.run('csrw pmpcfg2, a0; csrr a2, pmpcfg2', { a0: NAPOT | 2n });
  assert.notEqual(stepper.x('a2') & 3n, 2n);
  for (const csr of ['pmpcfg1', 'pmpcfg3'])
    assert.equal(stepper.step(`csrr a0, ${csr === 'pmpcfg1' ? 0x3a1 : 0x3a3}`)?.cause, 2n);
});

test('PMP: page tables are read as S would, and A and D are written as S would', () => {
  const stepper = new Stepper();
  stepper.map(0, FREE, RW);
  const guard = (bits: bigint): void => {
    stepper.as('M').run('csrw pmpaddr0, a0; csrw pmpaddr1, a1; csrw pmpcfg0, a2', {
      a0: napot(tables.level0, 0x1000n),
      a1: (1n << 54n) - 1n,
      a2: NAPOT | bits | ((NAPOT | 7n) << 8n),
    });
  };
  guard(0n);
  assert.equal(causeOf(stepper.as('S'), 'load', PAGES), 5n);
  assert.equal(causeOf(stepper.as('S'), 'store', PAGES), 7n);
  assert.equal(causeOf(stepper.as('S'), 'fetch', PAGES), 1n);
  guard(1n);
  assert.equal(causeOf(stepper.as('S'), 'load', PAGES), 5n, 'A cannot be set');
  stepper.fill(tables.level0, makePte(FREE, RW | pte.A | pte.V));
  assert.equal(causeOf(stepper.as('S'), 'load', PAGES), undefined);
  assert.equal(causeOf(stepper.as('S'), 'store', PAGES), 7n, 'D cannot be set');
  guard(3n);
  assert.equal(causeOf(stepper.as('S'), 'store', PAGES), undefined);
  assert.equal(stepper.leaf(0) & AD, AD);
  // Taken away again, though the translation was cached.
  guard(0n);
  assert.equal(causeOf(stepper.as('S'), 'load', PAGES), 5n);
});
