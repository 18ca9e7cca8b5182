/** Code that changes itself, data among code, and code that is two things: where one decodes decides what it is. */
import type { Draw } from './draw.ts';
import { encode } from './encode.ts';
import { ALIAS } from './layout.ts';
import type { Part } from './part.ts';

/** An immediate from a register, put into an instruction: other code each time. Gives it in t5; uses t4. */
function drawnInto(d: Draw, text: string, bits: number, shift: number, drop: number): string[] {
  const base = encode(text) >>> drop;
  const immediate = [`andi t5, ${d.source()}, ${(1 << bits) - 1}`, `slli t5, t5, ${shift - drop}`];
  return [...immediate, `li t4, ${base}`, 'add t5, t5, t4'];
}

/** A store into what comes next, through one of the page's addresses. */
export function patchPart(d: Draw): Part {
  const label = d.label();
  const alias = d.features.paging === 'bare' ? [] : d.pick([[], [`li t5, ${ALIAS}`], ['mv t5, s6']]);
  const address = [`la t6, ${label}`, ...alias, ...(alias.length > 0 ? ['xor t6, t6, t5'] : [])];
  const fence: Part[] = d.features.portable ? ['fence.i'] : d.chance(d.features.fences) ? [['fence.i']] : [];
  switch (d.below(5)) {
    case 0: {
      const value = drawnInto(d, 'addi a0, a0, 0', 10, 20, 0);
      return [...address, ...value, 'sw t5, 0(t6)', ...fence, `${label}:`, 'addi a0, a0, 5'];
    }
    case 1: {
      // Another instruction, or not.
      const [one, other] = ['xor a0, a0, a1', `addi ${d.pick(['a0', 'a1', 'a2'])}, a1, ${d.between(-2048, 2047)}`];
      const value = [
        `li t5, ${encode(other) | 0}`,
        `slti t4, ${d.source()}, ${d.between(-9, 9)}`,
        `bnez t4, ${label}x`,
      ];
      const between: Part = [d.pick(['addi a1, a1, 1', 'c.addi a1, 1'])];
      const store = [...value, `li t5, ${encode(one) | 0}`, `${label}x:`, 'sw t5, 0(t6)', ...fence];
      return [...address, ...store, between, `${label}:`, one];
    }
    case 2: {
      const value = drawnInto(d, 'c.addi a2, 0', 5, 2, 0);
      const behind: Part = [d.pick(['nop', 'c.nop'])];
      return [...address, ...value, 'sh t5, 0(t6)', ...fence, `${label}:`, 'c.addi a2, 1', behind];
    }
    case 3: {
      // The upper half of an instruction.
      const value = drawnInto(d, 'addi a3, a3, 0', 10, 20, 16);
      return [...address, ...value, 'sh t5, 2(t6)', ...fence, `${label}:`, 'addi a3, a3, 1'];
    }
    default:
      return dataInCode(d);
  }
}

/** Numbers between instructions, read and written: the page is both. */
function dataInCode(d: Draw): Part {
  const [data, over] = [d.label(), d.label()];
  const load = `${d.pick(['ld', 'lwu', 'lb'])} ${d.destination()}, ${d.below(8)}(t6)`;
  const store = `${d.pick(['sd', 'sw', 'sb'])} ${d.source()}, ${d.below(8)}(t6)`;
  return [`la t6, ${data}`, [load], [store], `j ${over}`, '.align 1', `${data}:`, '.zero 16', `${over}:`];
}

/** A branch into the middle of an instruction, whose upper half is an instruction, too. */
export function overlapping(d: Draw): Part {
  const label = d.label();
  const half = encode(`c.addi ${d.short()}, ${d.between(1, 31)}`);
  const branch = `${d.pick(['beq', 'bne', 'bltu'])} ${d.source()}, ${d.source()}, ${label}+2`;
  return [branch, `${label}:`, `lui t6, ${half << 4}`];
}
