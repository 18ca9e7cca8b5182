/** Timers, software interrupts, what enables them, and waiting for them. */
import type { Draw } from './draw.ts';
import { devices } from './layout.ts';
import type { Part } from './part.ts';

export function interruptPart(d: Draw): Part {
  const soon = d.chance(70) ? d.between(0, 8) : d.between(0, 200);
  const arm = (ticks: number): string[] => ['csrr t6, time', `addi t6, t6, ${ticks}`, 'csrw stimecmp, t6'];
  switch (d.below(9)) {
    case 0:
    case 1:
      return arm(soon);
    case 2: {
      const read = [`li t6, ${devices.time}`, 'ld t6, 0(t6)', `addi t6, t6, ${soon}`];
      return [...read, `li t5, ${devices.timer}`, 'sd t6, 0(t5)'];
    }
    case 3:
      return [`li t6, ${devices.software}`, 'li t5, 1', 'sw t5, 0(t6)'];
    case 4:
      return [`csrsi ${d.pick(['sip', 'mip'])}, 2`];
    case 5:
      return [`${d.pick(['csrsi', 'csrci'])} ${d.pick(['sstatus', 'mstatus'])}, ${d.pick([2, 8, 10])}`];
    case 6: {
      const bits = `li t6, ${d.pick([0xaaa, 0x222, 0x88, 0x20, 0xa0])}`;
      // What M enables stays, so that the timer always wakes somebody.
      return [bits, d.pick(['csrs sie, t6', 'csrc sie, t6', 'csrs mie, t6'])];
    }
    case 7: {
      const write = [`li t6, ${devices.uart}`, `li t5, ${d.between(32, 126)}`, 'sb t5, 0(t6)'];
      return [...write, `lbu ${d.destination()}, 5(t6)`];
    }
    default:
      // Armed in S, and not so soon that the interrupt comes before.
      return ['li a7, 1', 'ecall', 'li t5, 0x20', 'csrs sie, t5', ...arm(d.between(20, 90)), 'wfi'];
  }
}
