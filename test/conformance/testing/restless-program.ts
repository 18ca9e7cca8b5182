/**
 * Random programs that pull away the ground they stand on: S-mode code under Sv39 that edits its own page tables without a
 * fence (leaves, upper levels, a superpage; accessed, dirty, valid and permission bits), patches its own code through
 * aliases, jumps between aliases, switches satp, and lives with timer and software interrupts at any moment. A handler in
 * M mode repairs the tables and goes on.
 *
 * No other implementation agrees with ours on all of it, since caches of translations may show elsewhere. What must hold:
 * wherever the machine is stopped, and however often, it ends in the same state.
 */
import { entries, operations } from '../../../src/core/isa/table.ts';
import { pass } from './machine.ts';
import { Random } from './random.ts';

/** Physical pages. */
const CODE = 0x8001_0000n;
const CODE_PAGES = 4n;
const DATA = 0x8002_0000n;
const DATA_PAGES = 4n;
const ROOT = 0x8003_0000n;
const L1 = ROOT + 0x1000n;
const L0 = ROOT + 0x2000n;
const BACKUP = 0x8004_0000n;
const LOG = 0x8005_0000n;

/** Virtual addresses: all in a range of 2 MiB that stands twice, as two upper entries lead to one table. */
const V = 0x4000_0000n;
const V_CODE = V;
const V_CODE_ALIAS = V + 0x1_0000n;
const V_DATA = V + 0x10_0000n;
const V_TABLES = V + 0x18_0000n;
const V_UART = V + 0x1a_0000n;
const V_MSIP = V + 0x1a_1000n;
const V_MTIMECMP = V + 0x1a_2000n;
/** The second range, and the superpage that covers all RAM below 0x80200000. */
const V_TWICE = 0x20_0000n;
const V_SUPER = V + 0x40_0000n;

const R = 2n;
const W = 4n;
const X = 8n;
const leaf = (physical: bigint, bits: bigint): bigint => ((physical >> 12n) << 10n) | bits | 1n;
const table = (physical: bigint): bigint => leaf(physical, 0n);
const SATP = (8n << 60n) | (ROOT >> 12n);

const integer = entries.filter(
  (e) => e.length === 4 && operations[e.operation].kind === 'compute' && e.operands.join() === 'rd,rs1,rs2',
);
const free = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 's7', 's8', 's9'];

export interface RestlessOptions {
  readonly seed: number;
  readonly blocks: number;
  readonly rounds: number;
}

export function restlessProgram({ seed, blocks, rounds }: RestlessOptions): string {
  const random = new Random(seed);
  const body: string[] = [];
  for (let i = 0; i < blocks; i++) body.push(...block(random, i));
  return [
    setup(rounds),
    handler(),
    `.org ${CODE}`,
    ...body,
    'addi tp, tp, -1',
    'beqz tp, 1f',
    // The code is longer than a jump reaches, and `la` gives the alias that it runs in.
    'la t6, 0x80010000',
    'jr t6',
    '1: li a7, 1',
    'ecall',
    tables(),
  ].join('\n');
}

/** M mode: everything traps to M, timers and software interrupts are enabled, then down to S. */
function setup(rounds: number): string {
  return `
    la t0, handler; csrw mtvec, t0
    li t0, 0x3fffffffffffff; csrw pmpaddr0, t0; li t0, 0x1f; csrw pmpcfg0, t0
    li t0, 7; csrw mcounteren, t0
    li t0, ${1n << 63n}; csrw menvcfg, t0
    li t0, 0xaa; csrw mie, t0
    li t0, ${SATP}; csrw satp, t0
    li t0, 0x6800; csrs mstatus, t0; li t0, 0x1000; csrc mstatus, t0
    li t0, ${V_CODE}; csrw mepc, t0
    li s0, ${V_DATA + 0x1ff8n}; li s1, ${V_DATA + V_TWICE + 0x1800n}
    li s2, ${V_TABLES + 0x2400n}; li s3, ${V_TABLES + 0x1000n}; li s4, ${V_UART}
    li s5, ${V_SUPER}; li s6, 0x10000; li gp, ${LOG}; li tp, ${rounds}
    li a0, 1; li a1, 2; li a2, 3; li a3, -1
    mret`;
}

/**
 * Logs the cause; then: a page fault repairs the tables, an interrupt is taken back, an ecall arms mtimecmp or ends the
 * program, and anything else is stepped over.
 */
function handler(): string {
  const repairs = usedEntries()
    .flatMap(([from, to]) => [
      `li t5, ${ROOT + from}; li t6, ${BACKUP + from}; li s2, ${ROOT + to}`,
      '1: ld a7, 0(t6); sd a7, 0(t5); addi t5, t5, 8; addi t6, t6, 8; bltu t5, s2, 1b',
    ])
    .join('\n');
  return `
    .align 2
    handler:
    csrrw t5, mscratch, t5
    sd t6, 0(gp); csrr t6, mcause; sd t6, 8(gp); csrr t5, mepc; sd t5, 16(gp)
    ld t5, 24(gp); addi t5, t5, 1; sd t5, 24(gp); add t5, t5, t6; sd t5, 32(gp)
    bltz t6, taken
    li t5, 12; beq t6, t5, repair; li t5, 13; beq t6, t5, repair; li t5, 15; beq t6, t5, repair
    li t5, 9; beq t6, t5, call
    skip: csrr t5, mepc; addi t5, t5, 4; csrw mepc, t5
    out: ld t6, 0(gp); csrrw t5, mscratch, t5; mret
    taken:
    li t5, -1; csrw stimecmp, t5
    li t6, 0x2004000; sd t5, 0(t6)
    li t6, 0x2000000; sw zero, 0(t6)
    csrci mip, 2
    j out
    repair:
    csrw mcause, s2
    ${repairs}
    csrr s2, mcause
    # The same place again: it is no fault that a repair cures.
    ld t6, 40(gp); csrr t5, mepc; sd t5, 40(gp); beq t5, t6, skip
    j out
    call:
    li t6, 1; beq a7, t6, done
    li t6, 0x200bff8; ld t5, 0(t6); andi t6, a0, 15; add t5, t5, t6
    li t6, 0x2004000; sd t5, 0(t6)
    li t6, 2; bne a7, t6, 1f; wfi
    # A look at S's memory with S's eyes; it may trap, and changes nothing then.
    1: sd s2, 48(gp); csrr s2, mepc; la t6, 1f; csrw mtvec, t6
    li t6, 0x20000; csrs mstatus, t6; li t5, ${V_DATA}; ld t5, 0(t5)
    .align 2
    1: li t6, 0x20000; csrc mstatus, t6; li t6, 0x1800; csrc mstatus, t6; li t6, 0x800; csrs mstatus, t6
    csrw mepc, s2; ld s2, 48(gp); la t6, handler; csrw mtvec, t6
    j skip
    done: ${pass}`;
}

/** Ranges of bytes behind ROOT that hold entries. */
function usedEntries(): readonly (readonly [from: bigint, to: bigint])[] {
  const leaves = (virtual: bigint, pages: bigint): readonly [bigint, bigint] => {
    const from = 0x2000n + ((virtual - V) >> 12n) * 8n;
    return [from, from + pages * 8n];
  };
  return [
    [8n, 16n],
    [0x1000n, 0x1018n],
    leaves(V_CODE, CODE_PAGES),
    leaves(V_CODE_ALIAS, CODE_PAGES),
    leaves(V_DATA, DATA_PAGES),
    leaves(V_TABLES, 3n),
    leaves(V_UART, 3n),
  ];
}

function tables(): string {
  const lines = [`.org ${LOG}`, '.zero 64'];
  const put = (at: bigint, value: bigint): void => {
    lines.push(`.org ${at}`, `.dword ${value}`);
  };
  for (const base of [ROOT, BACKUP]) {
    put(base + 8n, table(L1));
    const l1 = base + 0x1000n;
    put(l1, table(L0));
    put(l1 + 8n, table(L0));
    put(l1 + 16n, leaf(0x8000_0000n, R | W | X));
    const l0 = (virtual: bigint, physical: bigint, bits: bigint): void =>
      put(base + 0x2000n + ((virtual - V) >> 12n) * 8n, leaf(physical, bits));
    for (let i = 0n; i < CODE_PAGES; i++) {
      l0(V_CODE + (i << 12n), CODE + (i << 12n), R | X);
      l0(V_CODE_ALIAS + (i << 12n), CODE + (i << 12n), R | W | X);
    }
    for (let i = 0n; i < DATA_PAGES; i++) l0(V_DATA + (i << 12n), DATA + (i << 12n), R | W);
    for (let i = 0n; i < 3n; i++) l0(V_TABLES + (i << 12n), ROOT + (i << 12n), R | W);
    l0(V_UART, 0x1000_0000n, R | W);
    l0(V_MSIP, 0x0200_0000n, R | W);
    l0(V_MTIMECMP, 0x0200_4000n, R | W);
  }
  return lines.join('\n');
}

/** Byte offset from s2 of a leaf of code, code alias or data. */
function leafOffset(random: Random): number {
  const page = random.pick([0, 1, 2, 3, 16, 17, 18, 19, 256, 257, 258, 259]);
  return page * 8 - 0x400;
}

function block(random: Random, i: number): string[] {
  const reg = (): string => random.pick(free);
  const near = (): string => `${random.between(-12, 12)}(s0)`;
  switch (random.below(24)) {
    case 0:
    case 1: {
      const bit = random.pick([1, 0x40, 0x40, 0x40, 0x80, 0x80, 2, 4, 8, 0x10]);
      const offset = leafOffset(random);
      return [`ld t5, ${offset}(s2)`, `xori t5, t5, ${bit}`, `sd t5, ${offset}(s2)`];
    }
    case 2: {
      const [a, b] = [random.between(256, 259), random.between(256, 259)].map((page) => page * 8 - 0x400);
      return [`ld t5, ${a}(s2)`, `ld t6, ${b}(s2)`, `sd t6, ${a}(s2)`, `sd t5, ${b}(s2)`];
    }
    case 3: {
      // Level 1: valid or not, and the superpage's A and D.
      const [offset, bit] = random.pick([
        [0, 1],
        [8, 1],
        [16, 0x40],
        [16, 0x80],
        [16, 4],
      ]);
      return random.chance(50) ? [`li t5, ${bit}`, `addi t6, s3, ${offset}`, `amoxor.d t5, t5, (t6)`] : [];
    }
    case 4: {
      // Patches the instruction behind the store, through one of three aliases; the one without W faults.
      const patched = ((random.between(0, 2047) << 20) | (10 << 7) | (10 << 15) | 0x13) >>> 0;
      const alias = random.pick([
        'xor t6, t6, s6',
        `li t5, ${V_TWICE}; or t6, t6, t5`,
        'xor t6, t6, s6; xor t6, t6, s6',
      ]);
      return ['la t6, 1f', alias, `li t5, ${patched}`, 'sw t5, 0(t6)', 'addi a1, a1, 1', '1: addi a0, a0, 5'];
    }
    case 5:
      return ['la t6, 1f', random.chance(50) ? 'xor t6, t6, s6' : `li t5, ${V_TWICE}; xor t6, t6, t5`, 'jr t6', '1:'];
    case 6:
      return ['csrr t6, time', `addi t6, t6, ${random.between(0, 6)}`, 'csrw stimecmp, t6'];
    case 7:
      return ['csrw sscratch, a0'];
    case 8:
      return [`addi a0, a0, ${random.below(9)}`, `li a7, ${random.pick([0, 2])}`, 'ecall'];
    case 9:
      return random.chance(50) ? ['sfence.vma'] : ['fence.i'];
    case 10:
      return [`li t5, ${random.between(65, 90)}`, 'sb t5, 0(s4)', `lbu ${reg()}, 5(s4)`];
    case 11: {
      // One's own software interrupt, by sip or by ACLINT, or mtimecmp.
      const how = random.below(3);
      if (how === 0) return [`li t6, ${V_MSIP}`, 'li t5, 1', 'sw t5, 0(t6)'];
      if (how === 1) return [`li t6, ${V_MTIMECMP}`, 'csrr t5, time', 'addi t5, t5, 3', 'sd t5, 0(t6)'];
      return ['csrr a6, instret', 'csrr a5, cycle'];
    }
    case 12:
      return [`ld ${reg()}, ${random.between(0, 255) * 8}(s5)`];
    case 13:
    case 14:
      // The superpage reaches the data too.
      return ['li t6, 0x21000', 'add t6, t6, s5', `sd ${reg()}, ${random.between(-8, 8)}(t6)`];
    case 15:
      return [`lr.d ${reg()}, (s1)`, `sc.d ${reg()}, ${reg()}, (s1)`, `amoadd.d ${reg()}, ${reg()}, (s1)`];
    case 16:
      return ['csrr t6, sstatus', `li t5, ${1 << 18}`, 'xor t6, t6, t5', 'csrw sstatus, t6'];
    case 17:
      return [`c.addi ${reg()}, ${random.between(1, 30)}`];
    case 18: {
      // A write that changes nothing, into a table page.
      const offset = leafOffset(random);
      return [`ld t5, ${offset}(s2)`, `sw t5, ${offset}(s2)`];
    }
    case 19: {
      const label = `b${i}`;
      return [
        `li t4, ${random.between(2, 9)}`,
        `${label}:`,
        `sd ${reg()}, ${near()}`,
        'addi t4, t4, -1',
        `bnez t4, ${label}`,
      ];
    }
    case 20:
      // Another address space identifier.
      return ['csrr t5, satp', `li t6, ${1n << 44n}`, 'xor t5, t5, t6', 'csrw satp, t5'];
    default: {
      const { name } = random.pick(integer);
      const load = random.pick(['ld', 'lw', 'lh', 'lbu']);
      const store = random.pick(['sd', 'sw', 'sh', 'sb']);
      return [`${name} ${reg()}, ${reg()}, ${reg()}`, `${load} ${reg()}, ${near()}`, `${store} ${reg()}, ${near()}`];
    }
  }
}
