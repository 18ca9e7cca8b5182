/**
 * Translations and decoded code never show (MACHINE.md, 10 to 12): whatever changes a page table or an instruction, in
 * whatever way and without any fence, the next access sees it. Sv39 and Sv48 (privileged 1.12, 4.3 to 4.5).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hart, mstatus } from '../../src/core/machine/hart.ts';
import { bootSource, memory64, pass, runToPass } from './testing/machine.ts';
import { AD, FREE, makePte, PAGES, pte, RW, RWX, Stepper, tables, USER } from './testing/stepper.ts';

const OTHER = FREE + 0x1000n;
const NONE = { cause: 13n, value: PAGES, to: 'M' } as const;

/** Page 0 maps FREE (which holds 11), and OTHER holds 22. The hart is in S and has just read 11. */
function prepared(bits = RW | AD): Stepper {
  const stepper = new Stepper();
  stepper.fill(FREE, 11n);
  stepper.fill(OTHER, 22n);
  stepper.map(0, FREE, bits);
  stepper.as('S').run('ld a0, 0(s0)', { s0: PAGES, s1: tables.level0, s2: tables.level1, s3: tables.root });
  assert.equal(stepper.x('a0'), 11n);
  return stepper;
}

function reads(stepper: Stepper, expected: bigint): void {
  stepper.run('ld a0, 0(s0)');
  assert.equal(stepper.x('a0'), expected);
}

function faults(stepper: Stepper, text = 'ld a0, 0(s0)', expected: { cause: bigint } = NONE): void {
  assert.partialDeepStrictEqual(stepper.step(text), expected);
  stepper.as('S');
}

test('A and D are set by what the hart does, and seen at once after a plain store has cleared them', () => {
  const stepper = prepared(RWX);
  assert.equal(stepper.leaf(0) & AD, pte.A);
  stepper.run('sd a1, 8(s0)');
  assert.equal(stepper.leaf(0) & AD, AD);
  const clear = (bits: bigint): void => stepper.run('sd a1, 0(s1)', { a1: stepper.leaf(0) & ~bits });
  for (let i = 0; i < 3; i++) {
    clear(AD);
    reads(stepper, 11n);
    assert.equal(stepper.leaf(0) & AD, pte.A);
    clear(AD);
    stepper.run('sb zero, 9(s0)');
    assert.equal(stepper.leaf(0) & AD, AD);
    clear(pte.D);
    stepper.run('amoadd.w a2, zero, (s0)');
    assert.equal(stepper.leaf(0) & AD, AD);
    clear(AD);
    stepper.run('lr.d a2, (s0)');
    assert.equal(stepper.leaf(0) & AD, pte.A);
  }
  clear(AD);
  stepper.step('jr s0');
  stepper.go();
  assert.equal(stepper.leaf(0) & AD, pte.A, 'a fetch');
});

test('an access that is not allowed sets neither A nor D', () => {
  const stepper = prepared();
  for (const [bits, text] of [
    [pte.X, 'ld a0, 0(s0)'],
    [pte.R, 'sd a0, 0(s0)'],
    [RW | pte.U, 'sd a0, 0(s0)'],
    [RW, 'jr s0'],
  ] as const) {
    stepper.as('S');
    stepper.map(0, FREE, bits);
    if (stepper.step(text) === undefined) stepper.go();
    assert.equal(stepper.privilege, 'M', text);
    assert.equal(stepper.leaf(0) & AD, 0n, text);
  }
});

test('every way to write a leaf takes effect on the next access', () => {
  const next = makePte(OTHER, RW | AD | pte.V);
  const ways: { readonly [name: string]: (stepper: Stepper) => void } = {
    'a store': (s) => s.run('sd a1, 0(s1)', { a1: next }),
    'two halves': (s) => s.run('sw a1, 0(s1); srli a1, a1, 32; sw a1, 4(s1)', { a1: next }),
    'one byte': (s) => s.run('sb a1, 1(s1)', { a1: next >> 8n }),
    'a misaligned store': (s) => s.run('sh a1, 1(s1)', { a1: next >> 8n }),
    'a store across pages': (s) => s.run('sd a1, -4(s1)', { a1: next << 32n }),
    'a swap': (s) => s.run('amoswap.d zero, a1, (s1)', { a1: next }),
    'a conditional store': (s) => s.run('lr.d a2, (s1); sc.d a2, a1, (s1)', { a1: next }),
    'a floating-point store': (s) => {
      s.status(mstatus.FS);
      s.run('fmv.d.x fa0, a1; fsd fa0, 0(s1)', { a1: next });
    },
    'a device': (s) => s.map(0, OTHER, RW | AD),
    'M mode': (s) => s.as('M').run('sd a1, 0(s1)', { a1: next }),
    'another mapping': (s) => {
      const alias = s.map(9, tables.level0, RW | AD);
      s.run('sd a1, 0(a2)', { a1: next, a2: alias });
    },
  };
  for (const [name, write] of Object.entries(ways)) {
    const stepper = prepared();
    write(stepper);
    stepper.as('S').run('ld a0, 0(s0)');
    assert.equal(stepper.x('a0'), 22n, name);
    // And it goes on being watched.
    stepper.run('sd a1, 0(s1)', { a1: makePte(FREE, RW | AD | pte.V) });
    reads(stepper, 11n);
  }
});

test('upper levels, superpages and gigapages change under the feet of what they map', () => {
  const stepper = prepared();
  const second = FREE + 0x4000n;
  stepper.fill(second, makePte(OTHER, RW | AD | pte.V));
  stepper.run('sd a1, 0(s2)', { a1: makePte(second, pte.V) });
  reads(stepper, 22n);
  const third = FREE + 0x5000n;
  stepper.fill(third, makePte(tables.level0, pte.V));
  stepper.run('sd a1, 8(s3)', { a1: makePte(third, pte.V) });
  reads(stepper, 11n);
  stepper.run('amoand.d zero, zero, (a2)', { a2: third });
  faults(stepper);
  // A superpage, whose A and D are set, cleared, and set again; then another one.
  stepper.fill(third, makePte(0x8000_0000n, RW | pte.V));
  stepper.run('ld a0, 0(s0)', { s0: PAGES + (FREE & 0x1f_ffffn) });
  assert.equal(stepper.x('a0'), 11n);
  assert.equal(stepper.memory(third) & AD, pte.A);
  stepper.run('sd a0, 0(s0)');
  assert.equal(stepper.memory(third) & AD, AD);
  stepper.run('sd a1, 0(a2)', { a1: makePte(0x8000_0000n, RW | pte.V), a2: third });
  stepper.run('sd a0, 0(s0)');
  assert.equal(stepper.memory(third) & AD, AD);
  stepper.run('sd a1, 0(a2)', { a1: makePte(0x8020_0000n, RW | AD | pte.V) });
  reads(stepper, 0n);
  // A gigapage over all of it.
  stepper.run('sd a1, 8(s3)', { a1: makePte(0x8000_0000n, RW | AD | pte.V) });
  reads(stepper, 11n);
});

test('a table that is no leaf, a misaligned superpage and reserved bits are page faults', () => {
  const stepper = prepared();
  const leaf = makePte(FREE, RW | AD | pte.V);
  const bad = [
    0n,
    leaf & ~pte.V,
    (leaf & ~pte.R) | pte.W,
    makePte(FREE, pte.V),
    leaf | (1n << 54n),
    leaf | (1n << 62n),
  ];
  for (const value of [...bad, leaf | (1n << 63n)]) {
    stepper.run('sd a1, 0(s1)', { a1: value });
    faults(stepper);
    stepper.run('sd a1, 0(s1)', { a1: leaf });
    reads(stepper, 11n);
  }
  stepper.run('sd a1, 0(s2)', { a1: makePte(0x8000_1000n, RW | AD | pte.V) });
  faults(stepper);
  for (const bits of [pte.A, pte.D, pte.U]) {
    stepper.run('sd a1, 0(s2)', { a1: makePte(tables.level0, pte.V | bits) });
    faults(stepper);
  }
  // The two bits for software, and G, mean nothing here.
  stepper.run('sd a1, 0(s2)', { a1: makePte(tables.level0, pte.V | 0x320n) });
  reads(stepper, 11n);
  // A table where there is no RAM: an access fault.
  stepper.run('sd a1, 0(s2)', { a1: makePte(0x1000_0000n, pte.V) });
  faults(stepper, 'ld a0, 0(s0)', { cause: 5n });
  faults(stepper, 'sd a0, 0(s0)', { cause: 7n });
});

test('addresses that are no sign extension fault, and the upper half works', () => {
  const stepper = prepared();
  for (const address of [PAGES | (1n << 39n), PAGES | (1n << 63n), 1n << 38n]) {
    stepper.set({ s0: address });
    assert.partialDeepStrictEqual(stepper.step('ld a0, 0(s0)'), { cause: 13n, value: address });
    stepper.as('S');
  }
  stepper.fill(tables.root + 511n * 8n, makePte(tables.level1, pte.V));
  stepper.set({ s0: (1n << 64n) - (1n << 30n) });
  reads(stepper, 11n);
});

test('Sv48 has a level more, and modes that do not exist leave satp as it was', () => {
  const stepper = prepared();
  const root = FREE + 0x6000n;
  stepper.fill(root, makePte(tables.root, pte.V));
  stepper.fill(root + 511n * 8n, makePte(tables.root, pte.V));
  stepper.run('csrw satp, a1', { a1: (9n << 60n) | (root >> 12n) });
  reads(stepper, 11n);
  stepper.set({ s0: PAGES | (0x1ff_ffffn << 39n) });
  reads(stepper, 11n);
  stepper.set({ s0: PAGES | (1n << 47n) });
  assert.equal(stepper.step('ld a0, 0(s0)')?.cause, 13n);
  stepper.as('S').set({ s0: PAGES });
  const satp = stepper.get(hart.satp);
  for (const mode of [1n, 7n, 10n, 11n, 15n]) {
    stepper.run('csrw satp, a1', { a1: (mode << 60n) | (tables.root >> 12n) });
    assert.equal(stepper.get(hart.satp), satp);
  }
  stepper.run('csrw satp, zero');
  stepper.set({ s0: OTHER });
  reads(stepper, 22n);
});

test('thousands of address spaces leave nothing behind', () => {
  const stepper = prepared();
  const satp = stepper.get(hart.satp);
  for (let i = 0; i < 3000; i++) {
    stepper.run('csrw satp, a1', { a1: satp ^ (BigInt(1 + (i % 7)) << 44n) });
    if (i % 97 !== 0) continue;
    const [physical, value] = i % 2 === 0 ? [OTHER, 22n] : [FREE, 11n];
    stepper.run('sd a1, 0(s1)', { a1: makePte(physical, RW | AD | pte.V) });
    reads(stepper, value);
  }
});

test('what 65 address spaces ago was a page table is one again as soon as it is walked', () => {
  const stepper = prepared();
  const satp = stepper.get(hart.satp);
  const turn = (): void => {
    for (let i = 0; i < 70; i++) stepper.run('csrw satp, a1', { a1: satp ^ (BigInt(1 + (i % 2)) << 44n) });
  };
  turn();
  stepper.run('sd a1, 0(s1)', { a1: makePte(OTHER, RW | AD | pte.V) });
  reads(stepper, 22n);
  turn();
  reads(stepper, 22n);
  stepper.run('sd a1, 0(s1)', { a1: makePte(FREE, RW | AD | pte.V) });
  reads(stepper, 11n);
});

test('sfence.vma in all its forms changes nothing that can be seen', () => {
  const stepper = prepared();
  for (const text of ['sfence.vma', 'sfence.vma s0', 'sfence.vma s0, a1', 'sfence.vma zero, a1']) {
    stepper.run(text);
    reads(stepper, 11n);
  }
});

test('the page under pc can go: the next instruction faults', () => {
  const stepper = new Stepper();
  const page = stepper.map(0, FREE, RWX | AD);
  // sd zero, 0(s1): takes away the page that it stands in; then two nops.
  stepper.fill(FREE, 0x0000_0013_0004_b023n);
  stepper.fill(FREE + 8n, 0x0000_0013_0000_0013n);
  stepper.as('S').step('jr s0', { s0: page, s1: tables.level0 });
  // In one run, not step by step.
  const before = stepper.machine.position;
  stepper.machine.run(before + 2n);
  assert.equal(stepper.get(hart.mcause), 12n);
  assert.equal(stepper.get(hart.mtval), page + 4n);
  assert.equal(stepper.get(hart.mepc), page + 4n);
  // And the same by another page under the same address: the rest is executed there.
  stepper.fill(OTHER + 4n, 0x0070_0513n); // li a0, 7
  stepper.map(0, FREE, RWX | AD);
  stepper.fill(FREE, 0x0000_0013_00b4_b023n); // sd a1, 0(s1)
  stepper.as('S').step('jr s0', { s0: page, s1: tables.level0, a1: makePte(OTHER, RWX | AD | pte.V) });
  stepper.machine.run(stepper.machine.position + 2n);
  assert.equal(stepper.x('a0'), 7n);
});

test('U and S see their own pages at one address, whatever was cached for the other', () => {
  const stepper = prepared();
  const user = stepper.map(1, FREE, RW | AD | pte.U);
  for (let i = 0; i < 3; i++) {
    stepper.as('U').set({ s0: PAGES });
    assert.equal(stepper.step('ld a0, 0(s0)')?.cause, 13n);
    stepper.as('U').set({ s0: user });
    reads(stepper, 11n);
    stepper.as('S');
    assert.equal(stepper.step('ld a0, 0(s0)')?.cause, 13n);
    stepper.status(mstatus.SUM);
    stepper.as('S').set({ s0: user });
    reads(stepper, 11n);
    stepper.status(0n, mstatus.SUM);
  }
  assert(stepper.as('U').step('nop') === undefined && stepper.get(hart.pc) > USER);
});

/** Code that writes code, all in one run. */
test('instructions are seen as they are written: behind the store, in other pages, through aliases, without fence.i', () => {
  const program = bootSource(`
    j main
    .org 0x80000ff0
    same: li t0, 0x00150513              # addi a0, a0, 1
    la t1, 1f; sw t0, 0(t1)
    1: .word 0                           # in the same page, right behind the store
    ret
    .org 0x80002ffe
    split: .word 0x00050513              # addi a0, a0, 0 across two pages
    ret
    .org 0x80004000
    main: li a0, 0; li s0, 10
    2: call same
    # Both halves of an instruction across pages, one at a time: adds 2, then 18.
    la t1, split; li t0, 0x0513; sh t0, 0(t1); li t0, 0x0025; sh t0, 2(t1); call split
    li t0, 0x0125; sh t0, 2(t1); call split
    # Data becomes code: c.addi a0, 4; c.jr ra
    la t1, data; li t0, 0x80820511; sw t0, 0(t1); call data
    la t1, data; li t0, 0x05; sb t0, 0(t1); li t0, 0x05; sb t0, 1(t1); call data
    # The page of 'same' is data again.
    la t1, same; sd zero, -16(t1)
    addi s0, s0, -1; bnez s0, 2b
    ${pass}
    .org 0x80006000
    data: .dword 0
  `);
  runToPass(program);
  // c.addi a0, 4 and c.addi a0, 1 (0x0505).
  assert.equal(program.machine.hart.x(10), 10n * (1n + 2n + 18n + 4n + 1n));
});

test('an instruction written through one virtual alias is executed through another', () => {
  const stepper = new Stepper();
  const first = stepper.map(0, FREE, RWX | AD);
  const second = stepper.map(1, FREE, RWX | AD);
  stepper.as('S');
  for (let i = 1n; i < 40n; i++) {
    // li a0, i; jr ra
    stepper.run('sw a1, 0(s0); sw a2, 4(s0)', {
      a1: (i << 20n) | 0x513n,
      a2: 0x8067,
      s0: i % 2n === 0n ? first : second,
    });
    stepper.step('jalr ra, 0(s1)', { s1: i % 3n === 0n ? first : second });
    stepper.machine.run(stepper.machine.position + 2n);
    assert.equal(stepper.x('a0'), i);
  }
});

test('an instruction across two pages follows when its second page is mapped elsewhere', () => {
  const stepper = new Stepper();
  stepper.map(0, FREE, RWX | AD);
  const [one, two] = [FREE + 0x1000n, FREE + 0x2000n];
  stepper.fill(FREE + 0xff8n, 0x0513n << 48n);
  stepper.fill(one, 0x0010n); // li a0, 1
  stepper.fill(two, 0x0020n);
  for (let i = 0; i < 4; i++) {
    stepper.map(1, i % 2 === 0 ? one : two, RWX | AD);
    stepper.as('S').step('jr s0', { s0: PAGES + 0xffen });
    stepper.go();
    assert.equal(stepper.x('a0'), i % 2 === 0 ? 1n : 2n);
  }
});

test('a page that is patched a thousand times between two looks keeps its meaning', () => {
  const program = bootSource(`
    li a0, 0; li s0, 700; li s1, 40
    la t1, 2f
    1: slli t0, s1, 20; li t2, 0x513; or t0, t0, t2; sw t0, 0(t1)   # li a0, s1
    addi s0, s0, -1; bnez s0, 1b
    2: .word 0
    add s2, s2, a0
    li s0, 700; addi s1, s1, -1; bnez s1, 1b
    ${pass}
  `);
  runToPass(program, 10_000_000n);
  assert.equal(program.machine.hart.x(18), (40n * 41n) / 2n);
});

test('more pages of code than can be kept decoded run as well as a few', () => {
  const program = bootSource(
    `
    li s0, 0x80500000; li s1, 2300; li s3, 0x1000; li s4, 2
    li t0, 0x80820505                     # c.addi a0, 1; c.jr ra
    round: mv t1, s0; mv t2, s1
    1: sw t0, 0(t1); add t1, t1, s3; addi t2, t2, -1; bnez t2, 1b
    li s5, 2
    again: mv t1, s0; mv t2, s1
    2: jalr ra, 0(t1); add t1, t1, s3; addi t2, t2, -1; bnez t2, 2b
    addi s5, s5, -1; bnez s5, again
    li t0, 0x80820509                     # then: c.addi a0, 2
    addi s4, s4, -1; bnez s4, round
    ${pass}`,
    { ramBytes: 16 * 1024 * 1024 },
  );
  runToPass(program);
  assert.equal(program.machine.hart.x(10), 2n * 2300n * (1n + 2n));
  assert.equal(memory64(program, 0x8050_0000n), 0x8082_0509n);
});

test('3 GiB of RAM are there to the last byte, for code, data, atomics, page tables and devices', () => {
  const bytes = 3 * 1024 ** 3;
  const end = 0x8000_0000n + BigInt(bytes);
  const [root, level1, level0] = [end - 0x4000n, end - 0x5000n, end - 0x6000n];
  const virtual = 0x4000_0000n;
  const bare = bootSource(
    `
    li s0, ${end - 8n}; li s1, ${end - 0x2000n}
    li t0, 0x1122334455667788; sd t0, 0(s0); ld s2, 0(s0); lbu s3, 7(s0)
    amoadd.d s4, t0, (s0); lr.w s5, (s0); sc.w s5, t0, (s0); fence.i
    li t1, -4; add t1, s1, t1; sd t0, 0(t1); ld s6, 0(t1)            # across pages
    li t0, 0x80820505; sw t0, 0(s1); li a0, 4; jalr ra, 0(s1)         # c.addi a0, 1; c.jr ra
    jalr ra, 0(s1)
    li t0, 0x3fffffffffffff; csrw pmpaddr0, t0; li t0, 0x1f; csrw pmpcfg0, t0
    li t0, ${root}; li t1, ${makePte(level1, pte.V)}; sd t1, 8(t0)
    li t0, ${level1}; li t1, ${makePte(level0, pte.V)}; sd t1, 0(t0)
    li t0, ${level0}; li t1, ${makePte(end - 0x1000n, RW | pte.V)}; sd t1, 0(t0)
    li t0, ${(8n << 60n) | (root >> 12n)}; csrw satp, t0
    li t0, 0x1800; csrc mstatus, t0; li t0, 0x20800; csrs mstatus, t0
    li t0, ${virtual + 0xff8n}; ld s7, 0(t0); li t1, 77; sd t1, 0(t0); ld s8, 0(t0)
    li t0, 0x20000; csrc mstatus, t0
    ${pass}`,
    { ramBytes: bytes },
  );
  runToPass(bare);
  const { hart: h, ram } = bare.machine;
  const sum = 0x1122_3344_5566_7788n * 2n;
  const stored = (sum & ~0xffff_ffffn) | 0x5566_7788n;
  assert.equal(h.x(18), 0x1122_3344_5566_7788n);
  assert.equal(h.x(19), 0x11n);
  assert.equal(h.x(20), 0x1122_3344_5566_7788n);
  assert.equal(h.x(22), 0x1122_3344_5566_7788n);
  assert.equal(h.x(10), 6n);
  assert.equal(h.x(23), stored);
  assert.equal(h.x(24), 77n);
  assert.equal(ram.read64(Number(end) - 8), 77n);
  assert.equal(ram.read64(Number(level0)), makePte(end - 0x1000n, RW | AD | pte.V));
  const before = bare.machine.hash();
  assert(ram.write64(Number(end) - 8, 78n));
  assert.notEqual(bare.machine.hash(), before);
  assert(ram.write64(Number(end) - 8, 77n));
  assert.equal(bare.machine.hash(), before);
});
