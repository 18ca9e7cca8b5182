/**
 * Everything beyond plain computing: CSRs, traps, privileges, page tables and their fences, code that changes itself,
 * timers and software interrupts. Each part does no harm at the wrong privilege: it traps, and the handler steps over it.
 */

import type { Draw } from './draw.ts';
import { encode } from './encode.ts';
import { ALIAS, devices, HIGH, jobs, layout, USER } from './layout.ts';
import { satpOf } from './page-tables.ts';
import type { Part } from './part.ts';

const SUM = 1 << 18;
const MXR = 1 << 19;
const MPRV = 1 << 17;

// ---- CSRs ---------------------------------------------------------------------------------------------------------------

/** Not stval: a breakpoint may leave its address there or not. */
const plain = ['mscratch', 'sscratch', 'sepc', 'scause', 'mepc'];
/** They read what another hart need not have. */
const own = [
  'stval',
  'mstatus',
  'sstatus',
  'mip',
  'sip',
  'mie',
  'sie',
  'mcause',
  'mtval',
  'misa',
  'mhartid',
  'mvendorid',
];
const ownMore = [
  'medeleg',
  'mideleg',
  'menvcfg',
  'mcounteren',
  'scounteren',
  'pmpcfg0',
  'pmpaddr0',
  'pmpaddr1',
  'satp',
];
const counters = ['time', 'cycle', 'instret', 'mcycle', 'minstret'];

export function csrPart(d: Draw): Part {
  const { portable, timing, paging } = d.features;
  const choice = d.below(10);
  if (choice < 4) return [floatCsr(d)];
  if (choice < 5 && timing) return counterPart(d);
  if (choice < 6 && !portable) return [`csrr ${d.destination()}, ${d.pick([...own, ...ownMore])}`];
  if (choice < 7 && paging !== 'bare') return statusPart(d);
  const csr = d.pick(plain);
  // What mcause and scause keep of a large number is their own business; a small one all keep.
  if (csr === 'scause') return [`csrrwi ${d.destination()}, scause, ${d.below(16)}`];
  const isAddress = csr.endsWith('epc');
  if (isAddress || d.chance(40)) {
    return [`${d.pick(['csrrwi', 'csrrsi', 'csrrci'])} ${d.destination()}, ${csr}, ${d.below(16) * 2}`];
  }
  return [`${d.pick(['csrrw', 'csrrs', 'csrrc'])} ${d.destination()}, ${csr}, ${d.source()}`];
}

function floatCsr(d: Draw): Part {
  switch (d.below(5)) {
    case 0:
      return [`csrrwi ${d.destination()}, frm, ${d.below(5)}`];
    case 1:
      return [`csrrs ${d.destination()}, ${d.pick(['fflags', 'fcsr', 'frm'])}, zero`];
    case 2:
      return ['csrw fflags, zero'];
    case 3:
      return [`${d.pick(['csrrwi', 'csrrsi', 'csrrci'])} ${d.destination()}, fflags, ${d.below(32)}`];
    default: {
      // A reserved rounding mode may stand for a while, but not for long.
      const name = d.pick(['csrrw', 'csrrs', 'csrrc']);
      const write = `${name} ${d.destination()}, ${d.pick(['fcsr', 'frm', 'fflags'])}, ${d.source()}`;
      return [write, [`fadd.d f1, f2, f3`], `csrwi frm, ${d.below(5)}`];
    }
  }
}

function counterPart(d: Draw): Part {
  switch (d.below(6)) {
    case 0:
      return [`${d.pick(['csrrw', 'csrrs'])} ${d.destination()}, ${d.pick(['minstret', 'mcycle'])}, ${d.source()}`];
    case 1:
      return [`csrwi mcountinhibit, ${d.pick([0, 0, 1, 4, 5])}`];
    case 2:
      return [`csrwi ${d.pick(['mcounteren', 'scounteren'])}, ${d.pick([7, 7, 5, 2, 0])}`];
    default:
      return [`csrr ${d.destination()}, ${d.pick(counters)}`];
  }
}

/** SUM and MXR, for what comes next. */
function statusPart(d: Draw): Part {
  const bits = d.pick([SUM, SUM, SUM, MXR, SUM | MXR]);
  const csr = d.pick(['sstatus', 'sstatus', 'mstatus']);
  const toggle = [`li t6, ${bits}`, `${d.pick(['csrs', 'csrc'])} ${csr}, t6`];
  const look: Part = ['xor t6, s0, s6', `ld ${d.destination()}, ${d.between(-64, -1) * 8}(t6)`];
  if (d.chance(50)) return [...toggle, look];
  // What of the status all harts have.
  return [
    ...toggle,
    look,
    `csrr ${d.pick(['a0', 'a3'])}, zero`.replace('csrr', 'mv'),
    'csrr t6, sstatus',
    'li t5, 0xc0122',
    'and t6, t6, t5',
    `add ${d.pick(['a0', 'a3'])}, a0, t6`,
  ];
}

/** Floating point off for a while: everything of it traps. */
export function floatOff(d: Draw, body: readonly Part[]): Part {
  const csr = d.pick(['sstatus', 'mstatus']);
  return [
    ...['li t6, 0x6000', [`csrc ${csr}, t6`], ...body, 'li t6, 0x6000', `csrs sstatus, t6`],
    ...['csrs mstatus, t6'],
  ];
}

// ---- traps and privileges -------------------------------------------------------------------------------------------------

const NOWHERE = 0x1800_0000n;
/** Nothing that a hart may know: they trap everywhere. */
const illegal = ['.word 0xfff00073', '.word 0xffffffff', '.word 0x0000000b', '.word 0x02000077', '.half 0'];

export function trapPart(d: Draw): Part {
  const nowhere = d.features.paging === 'bare' ? [NOWHERE] : [NOWHERE, HIGH, -(2n ** 62n), 2n ** 38n, layout.data];
  switch (d.below(8)) {
    case 0:
      return ['li a7, 7', 'ecall'];
    case 1:
      return [d.pick(['ebreak', 'c.ebreak'])];
    case 2:
      return [d.pick(illegal)];
    case 3:
      return [`li t6, ${d.pick([NOWHERE, -(2n ** 62n)])}`, `ld ${d.destination()}, ${d.between(0, 255) * 8}(t6)`];
    case 4:
      return [
        `li t6, ${NOWHERE}`,
        `${d.pick(['sw', 'sb', 'sd', 'fsd'])} ${'x'}, ${d.between(0, 255) * 8}(t6)`.replace('x,', 'a0,'),
      ].map(fixFloatStore);
    case 5:
    case 6: {
      const label = d.label();
      const to = [`la ${jobs.resume}, ${label}`, `li t6, ${BigInt.asIntN(64, d.pick(nowhere))}`];
      return [...to, d.chance(50) ? 'jr t6' : `jalr ${d.destination()}, 0(t6)`, `${label}:`];
    }
    default:
      return [`addi t6, s0, ${-d.between(1, 7)}`, `lr.d ${d.destination()}, (t6)`];
  }
}

const fixFloatStore = (line: string): string => line.replace(/^fsd a0/, 'fsd fa0');

/** To another privilege, by the handler, or by one's own return. */
export function privilegePart(d: Draw): Part {
  const to = d.pick([0, 0, 1, 1, 3]);
  switch (d.below(6)) {
    case 0: {
      // S to U or S by sret; elsewhere it traps, or returns to S.
      const label = d.label();
      return [
        ...[
          `la t6, ${label}`,
          'or t6, t6, s6',
          'li t5, 0x100',
          'csrc sstatus, t5',
          'csrw sepc, t6',
          'sret',
          `${label}:`,
        ],
        ...[`li a7, ${to}`, 'ecall'],
      ];
    }
    case 1: {
      const label = d.label();
      return [
        ...[
          `la t6, ${label}`,
          'li t5, 0x100',
          'csrs sstatus, t5',
          'csrw sepc, t6',
          [d.pick(['sret', 'nop'])],
          `${label}:`,
        ],
        ...[`li a7, ${to}`, 'ecall'],
      ];
    }
    case 2: {
      const label = d.label();
      return [
        ...[`la t6, ${label}`, 'csrw mepc, t6', 'li t5, 0x1800', 'csrc mstatus, t5', 'li t5, 0x800'],
        ...['csrs mstatus, t5', 'mret', `${label}:`, `li a7, ${to}`, 'ecall'],
      ];
    }
    case 3:
      return modifyPrivilege(d);
    case 4:
      return trapVirtualMemory(d);
    default:
      return [`li a7, ${to}`, 'ecall'];
  }
}

/** M loads and stores with the eyes of MPP. */
function modifyPrivilege(d: Draw): Part {
  const user = d.chance(50);
  return [
    ...['li t6, 0x1800', 'csrc mstatus, t6', ...(user ? [] : ['li t6, 0x800', 'csrs mstatus, t6'])],
    ...[`li t6, ${MPRV}`, `${d.chance(60) ? 'or' : 'xor'} t5, s0, ${user ? 's6' : 'zero'}`, 'csrs mstatus, t6'],
    [`ld ${d.destination()}, ${d.between(-64, -1) * 8}(t5)`],
    [`sw ${d.source()}, ${d.between(-64, -1) * 8}(t5)`],
    ...['csrc mstatus, t6'],
  ];
}

/** TVM, TW and TSR, set in M; the handler takes TSR back. */
function trapVirtualMemory(d: Draw): Part {
  const bits = d.pick([1 << 20, 1 << 21, 1 << 22, 7 << 20]);
  return [
    `li t6, ${bits}`,
    `${d.pick(['csrs', 'csrc'])} mstatus, t6`,
    ['sfence.vma'],
    [`csrr ${d.destination()}, satp`].slice(d.features.portable ? 1 : 0),
  ];
}

// ---- page tables ----------------------------------------------------------------------------------------------------------

const fence = (d: Draw): Part => {
  if (!d.chance(d.features.fences)) return [];
  const forms = ['sfence.vma', 'sfence.vma', 'sfence.vma s0, zero', 'sfence.vma zero, a0'];
  // Only the first is a fence for everything.
  return [d.features.portable ? 'sfence.vma' : d.pick(forms)];
};
/** Where a fence belongs to the program, it goes only together with what it fences. */
const withFence = (d: Draw, lines: readonly string[]): Part => {
  const fenced = fence(d);
  return d.features.portable ? [...lines, ...(fenced as readonly string[])] : [...lines, fenced];
};

export function tablePart(d: Draw): Part {
  const { wildEdits } = d.features;
  const base = d.pick(jobs.leaves);
  // What lr and sc use stays where it is in portable programs.
  const dataLeaf = (): number => (d.features.portable ? d.between(2, 7) : d.below(8)) * 8 + 0x400;
  switch (d.below(wildEdits ? 10 : 6)) {
    case 0:
      return swapTrees(d);
    case 1: {
      // Two user pages change places.
      const [a, b] = [dataLeaf(), dataLeaf()];
      return withFence(d, [`ld t5, ${a}(s5)`, `ld t6, ${b}(s5)`, `sd t6, ${a}(s5)`, `sd t5, ${b}(s5)`]);
    }
    case 6: {
      const offset = (16 + d.below(6)) * 8 - 0x400;
      const bit = d.pick([0x40, 0x40, 0x80, 2, 4, 8, 0x10, 1]);
      return withFence(d, [`ld t5, ${offset}(${base})`, `xori t5, t5, ${bit}`, `sd t5, ${offset}(${base})`]);
    }
    case 7:
      return upperEdit(d);
    case 8: {
      // A write that changes nothing.
      const offset = dataLeaf();
      return [`lw t5, ${offset}(${base})`, `sw t5, ${offset}(${base})`];
    }
    case 9: {
      const offset = dataLeaf();
      return withFence(d, [
        `addi t6, ${base}, ${offset}`,
        `li t5, ${d.pick([1, 2, 4, 0x40, 0x80])}`,
        'amoxor.d t5, t5, (t6)',
      ]);
    }
    default: {
      const offset = dataLeaf();
      const bit = d.pick([0x40, 0x40, 0x80, 0x80, 1, 4, 6, 0x10]);
      return withFence(d, [`ld t5, ${offset}(${base})`, `xori t5, t5, ${bit}`, `sd t5, ${offset}(${base})`]);
    }
  }
}

/** The other tree; the same code is there, with the data elsewhere. */
function swapTrees(d: Draw): Part {
  const { paging } = d.features;
  const delta = satpOf(paging, 0) ^ satpOf(paging, 1);
  return withFence(d, ['csrr t5, satp', `li t6, ${delta}`, 'xor t5, t5, t6', 'csrw satp, t5']);
}

/** A bit of an upper entry, or of a superpage. */
function upperEdit(d: Draw): Part {
  const table = layout.tables + d.pick([0x2000n, 0x3000n]);
  const [index, bit] = d.pick([
    [1, 0x40],
    [1, 0x80],
    [1, 4],
    [2, 1],
    [3, 0x80],
    [3, 1],
  ] as const);
  return withFence(d, [`li t6, ${table + BigInt(index) * 8n}`, `li t5, ${bit}`, 'amoxor.d t5, t5, (t6)']);
}

/** What the superpages map. */
export function superpagePart(d: Draw): Part {
  const base = layout.superpage + d.pick([0n, USER, ALIAS, USER + ALIAS]) + BigInt(d.below(4)) * 0x1_0000n;
  return [
    `li t6, ${base}`,
    [`sd ${d.source()}, ${d.between(0, 200)}(t6)`],
    [`ld ${d.destination()}, ${d.between(0, 200)}(t6)`],
  ];
}

// ---- code that changes itself -----------------------------------------------------------------------------------------------

export function patchPart(d: Draw): Part {
  const label = d.label();
  const alias = d.features.paging === 'bare' ? '' : d.pick(['', `li t5, ${ALIAS}`, 'mv t5, s6']);
  const address: string[] = [`la t6, ${label}`, ...(alias === '' ? [] : [alias, 'xor t6, t6, t5'])];
  const fenced: Part = d.chance(d.features.fences) ? ['fence.i'] : [];
  const fences = d.features.portable ? ['fence.i'] : [fenced];
  switch (d.below(4)) {
    case 0: {
      // The immediate comes from a register: other code each time.
      const value = [`andi t5, ${d.source()}, 0x7f`, 'slli t5, t5, 20'];
      const base = encode('addi a0, a0, 0');
      return [
        ...address,
        ...value,
        `addi t5, t5, ${base & 0x7ff}`,
        ...orHigh(base),
        'sw t5, 0(t6)',
        ...fences,
        `${label}:`,
        `addi a0, a0, 5`,
      ];
    }
    case 1: {
      const word = encode(`addi ${d.pick(['a0', 'a1', 'a2'])}, a1, ${d.between(-2048, 2047)}`);
      return [
        ...address,
        `li t5, ${word | 0}`,
        'sw t5, 0(t6)',
        ...fences,
        [d.chance(50) ? 'addi a1, a1, 1' : 'c.addi a1, 1'],
        `${label}:`,
        'xor a0, a0, a1',
      ];
    }
    case 2: {
      const half = encode(`c.addi a2, ${d.between(1, 31)}`);
      return [
        ...address,
        `li t5, ${half}`,
        'sh t5, 0(t6)',
        ...fences,
        `${label}:`,
        'c.addi a2, 1',
        [d.pick(['nop', 'c.nop'])],
      ];
    }
    default: {
      // Half an instruction.
      const word = encode(`addi a3, a3, ${d.between(-2048, 2047)}`);
      return [...address, `li t5, ${word >>> 16}`, 'sh t5, 2(t6)', ...fences, `${label}:`, 'addi a3, a3, 1'];
    }
  }
}

/** t5 already holds the low eleven bits of the instruction and its immediate. */
function orHigh(base: number): string[] {
  return [`li t4, ${(base & ~0x7ff) | 0}`, 'add t5, t5, t4'];
}

// ---- interrupts -------------------------------------------------------------------------------------------------------------

export function interruptPart(d: Draw): Part {
  const soon = d.chance(70) ? d.between(0, 8) : d.between(0, 200);
  const arm = [`csrr t6, time`, `addi t6, t6, ${soon}`, 'csrw stimecmp, t6'];
  switch (d.below(9)) {
    case 0:
    case 1:
      return arm;
    case 2:
      return [
        `li t6, ${devices.time}`,
        'ld t6, 0(t6)',
        `addi t6, t6, ${soon}`,
        `li t5, ${devices.timer}`,
        'sd t6, 0(t5)',
      ];
    case 3:
      return [`li t6, ${devices.software}`, 'li t5, 1', 'sw t5, 0(t6)'];
    case 4:
      return [`csrs ${d.pick(['sip', 'mip'])}, 2`.replace('csrs', 'csrsi')];
    case 5:
      return [`${d.pick(['csrsi', 'csrci'])} ${d.pick(['sstatus', 'mstatus'])}, ${d.pick([2, 8, 10])}`];
    case 6:
      return [
        `li t6, ${d.pick([0xaaa, 0x222, 0x88, 0x20, 0xa0])}`,
        `${d.pick(['csrs', 'csrc', 'csrs'])} ${d.pick(['mie', 'sie'])}, t6`,
      ];
    case 7:
      return [
        `li t6, ${devices.uart}`,
        `li t5, ${d.between(32, 126)}`,
        'sb t5, 0(t6)',
        `lbu ${d.destination()}, 5(t6)`,
      ];
    default:
      // Armed, so that it ends.
      return [...arm, 'li t5, 0x20', 'csrs sie, t5', 'csrs mie, t5', 'wfi'];
  }
}
