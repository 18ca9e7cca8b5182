/** Loads, stores and atomics: in clusters around a few bases, misaligned, across pages, through aliases, to nowhere. */
import { floatRegisterNames } from '../../src/core/isa/disassembler.ts';
import { type Entry, entries } from '../../src/core/isa/table.ts';
import { isFloat, kindOf } from './arithmetic.ts';
import type { Draw } from './draw.ts';
import { ALIAS, free, HIGH } from './layout.ts';
import type { Part } from './part.ts';

const memory = entries.filter((e) => e.length === 4 && (kindOf(e) === 'load' || kindOf(e) === 'store'));
const loads = memory.filter((e) => kindOf(e) === 'load');
const compressed = entries.filter((e) => e.length === 2 && (kindOf(e) === 'load' || kindOf(e) === 'store'));
const amos = entries.filter((e) => e.name.startsWith('amo'));
const shortFloats = ['fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5'];

/** The register that a load fills or a store reads. */
function transferred(d: Draw, entry: Entry): string {
  if (isFloat(entry)) return d.pick(floatRegisterNames);
  return entry.operands.includes('rd') ? d.destination() : d.source();
}

const access = (d: Draw, place: string, from: readonly Entry[] = memory): string => {
  const entry = d.pick(from);
  return `${entry.name} ${transferred(d, entry)}, ${place}`;
};

export function memoryPart(d: Draw): Part {
  switch (d.below(14)) {
    case 0:
    case 1:
      return [compressedAccess(d)];
    case 2:
      return constants(d);
    case 3:
      return computed(d);
    case 4:
    case 5:
      return cluster(d);
    case 6:
      return throughAlias(d);
    case 7:
    case 8:
    case 9:
      return atomic(d);
    default:
      return [access(d, place(d))];
  }
}

function place(d: Draw): string {
  // s1 stands 8 bytes before a page's end.
  if (d.chance(25)) return `${d.between(-8, 16)}(s1)`;
  const offset = d.chance(60) ? d.between(-32, 31) * 8 : d.between(-2048, 2047);
  const base = d.pick(['s0', 's0', 's1', 'sp']);
  return `${base === 's0' && offset > 0 ? -offset : offset}(${base})`;
}

/** From the second half of page 1, which holds numbers that are worth computing with. */
function constants(d: Draw): Part {
  return [access(d, `${d.below(256) * 8}(s0)`, loads)];
}

/** Neighbours of one address, in any widths and order: whatever forwards, merges or reorders shows. */
function cluster(d: Draw): Part {
  const base = d.pick(['s0', 's1', 'sp']);
  const centre = base === 's1' ? d.between(-8, 8) : d.between(-200, -20);
  return Array.from({ length: d.between(2, 6) }, () => [access(d, `${centre + d.between(-4, 8)}(${base})`)]);
}

function computed(d: Draw): Part {
  const bits = d.pick([51, 52, 53]);
  return [
    ...[`slli t6, ${d.pick(free)}, ${bits}`, `srli t6, t6, ${bits}`, 'add t6, t6, s1'],
    access(d, `${d.between(-16, 16)}(t6)`),
  ];
}

function throughAlias(d: Draw): Part {
  const { paging } = d.features;
  const base = d.pick(['s0', 's1']);
  const to =
    paging === 'bare'
      ? 0n
      : d.pick([ALIAS, HIGH, ALIAS, 2n ** 40n, 0x4000_0000n, 0x20_0000n, 0x80_0000n, 0x8000_0000n, 0xc000_0000n]);
  const count = d.between(1, 3);
  return [
    ...[`li t6, ${BigInt.asIntN(64, to)}`, `add t6, t6, ${base}`],
    ...Array.from({ length: count }, () => [
      access(d, `${d.between(-24, 24)}(t6)`),
      access(d, `${d.between(-8, 8)}(${base})`),
    ]),
  ];
}

function compressedAccess(d: Draw): string {
  const entry = d.pick(compressed);
  const { name, operands } = entry;
  const size = /w/.test(name) ? 4 : 8;
  const bySp = name.endsWith('sp');
  const names = isFloat(entry) ? (bySp ? floatRegisterNames : shortFloats) : undefined;
  const register = names === undefined ? (bySp ? d.pick(free) : d.short()) : d.pick(names);
  const isLoad = operands[0] === 'rd' || operands[0] === 'fd';
  const base = bySp ? 'sp' : isLoad ? d.pick(['s0', 's1']) : 's1';
  return `${name} ${register}, ${d.between(0, bySp ? 63 : 31) * size}(${base})`;
}

export function atomic(d: Draw): Part {
  const size = d.pick(['w', 'd']);
  const choice = d.below(12);
  // QEMU before 9 takes a misaligned AMO for a load.
  const odd = !d.features.portable && d.chance(4) ? d.between(1, 7) : 0;
  // In QEMU an AMO that faults may be a load's fault, and sc without a reservation does not look at the page at all. Nobody
  // takes these pages away.
  const address = `addi t6, ${d.features.portable ? 's0' : d.pick(['s0', 's1', 'sp'])}, ${d.between(-200, -1) * 8 + (size === 'w' && d.chance(50) ? 4 : 0) + odd}`;
  const order = (): string => d.pick(['', '', '.aq', '.rl', '.aqrl']);
  const lr = (): string => `lr.${size}${d.pick(['', '.aq', '.aqrl'])} ${d.destination()}, (t6)`;
  const sc = (): string => `sc.${size}${d.pick(['', '.rl', '.aqrl'])} ${d.destination()}, ${d.source()}, (t6)`;
  if (choice < 7) {
    const { name } = d.pick(amos.filter((entry) => entry.name.endsWith(size)));
    return [address, `${name}${order()} ${d.destination()}, ${d.source()}, (t6)`];
  }
  if (choice < 9) return [address, lr(), d.chance(50) ? [`add ${d.destination()}, ${d.source()}, s6`] : [], sc()];
  // Another address, and then no reservation at all: both fail.
  if (choice < 10) return [address, lr(), 'addi t6, t6, 64', sc(), sc()];
  if (choice < 11) return retried(d, size);
  if (d.features.portable) return [address, sc()];
  // Stores, traps and the other size in between: what our machine says about those is its own matter.
  return [
    ...[address, lr(), [access(d, '0(t6)')], [d.pick(['ecall', 'ebreak', 'fence.i', 'nop'])]],
    ...[sc(), lr(), `sc.${size === 'w' ? 'd' : 'w'} ${d.destination()}, ${d.source()}, (t6)`],
  ];
}

/** As compilers write it, but that it gives up: the page may be gone. */
function retried(d: Draw, size: string): Part {
  const [label, out, left] = [d.label(), d.label(), d.pick(free)];
  return [
    ...[`addi t6, s0, ${d.between(-100, -1) * 8}`, `li ${left}, 3`, `${label}:`, `lr.${size}.aqrl t5, (t6)`],
    ...[`add t5, t5, ${d.source()}`, `sc.${size}.rl t5, t5, (t6)`, `beqz t5, ${out}`],
    ...[`addi ${left}, ${left}, -1`, `bnez ${left}, ${label}`, `${out}:`],
  ];
}
