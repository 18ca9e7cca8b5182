/** CSR accesses of many kinds: floating-point state, counters, the status, and registers that just hold something. */
import { floatLine } from './arithmetic.ts';
import type { Draw } from './draw.ts';
import type { Part } from './part.ts';

const SUM = 1 << 18;
const MXR = 1 << 19;
/** sstatus bits that all harts have: SIE, SPIE, SPP, SUM, MXR. */
const COMMON_STATUS = 0xc0122;

/** Not stval: a breakpoint may leave its address there or not. */
const plain = ['mscratch', 'sscratch', 'sepc', 'scause', 'mepc'];
/** They read what another hart need not have. */
const own = [
  ...['stval', 'mstatus', 'sstatus', 'mip', 'sip', 'mie', 'sie', 'mcause', 'mtval', 'misa', 'mhartid', 'mvendorid'],
  ...['medeleg', 'mideleg', 'menvcfg', 'mcounteren', 'scounteren', 'pmpcfg0', 'pmpaddr0', 'pmpaddr1', 'satp'],
];
const counters = ['time', 'cycle', 'instret', 'mcycle', 'minstret'];

export function csrPart(d: Draw): Part {
  const { portable, timing, paging } = d.features;
  const choice = d.below(10);
  if (choice < 4) return floatCsr(d);
  if (choice < 5 && timing) return counterPart(d);
  if (choice < 6 && !portable) return [`csrr ${d.destination()}, ${d.pick(own)}`];
  if (choice < 7 && paging !== 'bare') return statusPart(d);
  const csr = d.pick(plain);
  // A small cause fits into every hart's register, and epc has no odd values.
  if (csr === 'scause') return [`csrrwi ${d.destination()}, scause, ${d.below(16)}`];
  if (csr.endsWith('epc') || d.chance(40)) {
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
      return [write, ['fadd.d f1, f2, f3'], `csrwi frm, ${d.below(5)}`];
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
      // Without time there are no timers.
      return [
        `csrwi ${d.pick(['mcounteren', 'scounteren'])}, ${d.pick(d.features.interrupts ? [7, 2, 3, 6] : [7, 5, 2, 0])}`,
      ];
    default:
      return [`csrr ${d.destination()}, ${d.pick(counters)}`];
  }
}

/** SUM and MXR, for what comes next. */
function statusPart(d: Draw): Part {
  if (d.chance(40)) return userAccess(d);
  const bits = d.pick([SUM, SUM, SUM, MXR, SUM | MXR]);
  const toggle = [`li t6, ${bits}`, `${d.pick(['csrs', 'csrc'])} ${d.pick(['sstatus', 'sstatus', 'mstatus'])}, t6`];
  // At a page of the other privilege, or at one that can only be executed.
  const away = d.chance(60) ? ['xor t6, s0, s6'] : ['li t6, 0x5c00', 'add t6, t6, s0'];
  const look: Part = [...away, `ld ${d.destination()}, ${d.between(-64, -1) * 8}(t6)`];
  if (d.chance(50)) return [...toggle, look];
  const sum = d.pick(['a0', 'a3']);
  const read: Part = ['csrr t6, sstatus', `li t5, ${COMMON_STATUS}`, 'and t6, t6, t5', `add ${sum}, ${sum}, t6`];
  return [...toggle, look, read];
}

/** As kernels look at user memory. What comes behind must not go well any more. */
function userAccess(d: Draw): Part {
  const at = (): string => `${d.between(-64, -1) * 8}(t6)`;
  const behind: Part = d.chance(50) ? [`${d.pick(['ld', 'sd'])} a4, ${at()}`] : [];
  return [
    ...[`li t5, ${SUM}`, 'xor t6, s0, s6', 'csrs sstatus, t5', [`ld ${d.destination()}, ${at()}`]],
    ...[[`sd ${d.source()}, ${at()}`], 'csrc sstatus, t5', behind],
  ];
}

/** Floating point off for a while: everything of it traps. */
export function floatOff(d: Draw, body: readonly Part[]): Part {
  const off: Part = [`csrc ${d.pick(['sstatus', 'mstatus'])}, t6`];
  const some = (): Part => [floatLine(d)];
  const on = ['li t6, 0x6000', 'csrs sstatus, t6', 'csrs mstatus, t6'];
  return [some(), 'li t6, 0x6000', off, some(), ...body, ...on, some()];
}
