/**
 * Traps, and ways from one privilege to another. At the wrong privilege a part does no harm: what it may not do traps, and
 * the handler steps over it.
 */
import type { Draw } from './draw.ts';
import { ALIAS, HIGH, jobs, layout } from './layout.ts';
import type { Part } from './part.ts';

const MPRV = 1 << 17;
const NOWHERE = 0x1800_0000n;
/** Nothing that a hart may know: they trap everywhere. */
const illegal = ['.word 0xfff00073', '.word 0xffffffff', '.word 0x0000000b', '.word 0x02000077', '.half 0'];

export function trapPart(d: Draw): Part {
  switch (d.below(8)) {
    case 0:
      return ['li a7, 7', 'ecall'];
    case 1:
      return [d.pick(['ebreak', 'c.ebreak'])];
    case 2:
      return [d.pick(illegal)];
    case 3:
      return [`li t6, ${d.pick([NOWHERE, -(2n ** 62n)])}`, `ld ${d.destination()}, ${d.between(0, 255) * 8}(t6)`];
    case 4: {
      const store = d.pick(['sw a0', 'sb a1', 'sd a2', 'fsd fa0', 'fsw fa1']);
      return [`li t6, ${NOWHERE}`, `${store}, ${d.between(0, 255) * 8}(t6)`];
    }
    case 5:
    case 6:
      return jumpToNowhere(d);
    default:
      return [`addi t6, s0, ${-d.between(1, 7)}`, `lr.d ${d.destination()}, (t6)`];
  }
}

function jumpToNowhere(d: Draw): Part {
  const paged = [NOWHERE, BigInt.asIntN(64, HIGH), -(2n ** 62n), 2n ** 38n, layout.data];
  const label = d.label();
  return [
    ...[`la ${jobs.resume}, ${label}`, `li t6, ${d.pick(d.features.paging === 'bare' ? [NOWHERE] : paged)}`],
    ...[d.chance(50) ? 'jr t6' : `jalr ${d.destination()}, 0(t6)`, `${label}:`],
  ];
}

/** To another privilege, by the handler, or by one's own return. */
export function privilegePart(d: Draw): Part {
  const to = ['li a7, '.concat(String(d.pick([0, 0, 1, 1, 3]))), 'ecall'];
  const label = d.label();
  const here = `la t6, ${label}`;
  switch (d.below(7)) {
    case 0:
      // S to U by sret; elsewhere it traps, or returns to S.
      return [here, 'or t6, t6, s6', 'li t5, 0x100', 'csrc sstatus, t5', 'csrw sepc, t6', 'sret', `${label}:`, ...to];
    case 1:
      return [here, 'li t5, 0x100', 'csrs sstatus, t5', 'csrw sepc, t6', ['sret'], `${label}:`, ...to];
    case 2: {
      const toSupervisor = ['li t5, 0x1800', 'csrc mstatus, t5', 'li t5, 0x800', 'csrs mstatus, t5', 'mret'];
      return [here, 'csrw mepc, t6', ...toSupervisor, `${label}:`, ...to];
    }
    case 3:
      return modifyPrivilege(d);
    case 4:
      return trapVirtualMemory(d);
    case 5:
      // The same code at another address.
      return ['li a7, 1', 'ecall', here, `li t5, ${d.pick([ALIAS, HIGH])}`, 'add t6, t6, t5', 'jr t6', `${label}:`];
    default:
      return to;
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
    'csrc mstatus, t6',
  ];
}

/** TVM, TW and TSR, set in M; the handler takes TSR back. */
function trapVirtualMemory(d: Draw): Part {
  const bits = d.pick([1 << 20, 1 << 21, 1 << 22, 7 << 20]);
  const read: Part = d.features.portable ? [] : [`csrr ${d.destination()}, satp`];
  return [`li t6, ${bits}`, `${d.pick(['csrs', 'csrc'])} mstatus, t6`, ['sfence.vma'], read];
}
