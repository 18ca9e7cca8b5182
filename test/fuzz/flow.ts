/**
 * Control flow that always comes to an end: counted loops in each other, forward branches, loops with two entries, jumps
 * through tables and registers, calls in and across pages. Loops count in a register for their depth, which nothing inside
 * them touches; functions use the innermost one, and are called from further out only.
 */
import { branches } from './branches.ts';
import type { Draw } from './draw.ts';
import { jobs } from './layout.ts';
import type { Part } from './part.ts';

/** Makes parts for the inside of something, at a depth of loops. */
export type Inside = (d: Draw, depth: number, count: number) => readonly Part[];

export interface Functions {
  /** Called with ra; they may loop once and call leaves. */
  readonly functions: readonly string[];
  /** Called with t0. */
  readonly leaves: readonly string[];
}

const condition = (d: Draw, to: string): string => `${d.pick(branches).name} ${d.source()}, ${d.source()}, ${to}`;
const rarely = (d: Draw, to: string): string =>
  d.chance(30) ? `c.${d.pick(['beqz', 'bnez'])} ${d.short()}, ${to}` : condition(d, to);

/** Branches reach 4 KiB, and compressed ones 256 bytes: what is between is small enough. */
export function forward(d: Draw, depth: number, inside: Inside): Part {
  const [label, other] = [d.label(), d.label()];
  const some = (): readonly Part[] => inside(d, depth, d.between(1, 4));
  switch (d.below(6)) {
    case 0:
      return [condition(d, label), ...some(), `j ${other}`, `${label}:`, ...some(), `${other}:`];
    case 1:
      return [`jal ${d.destination()}, ${label}`, ...some(), `${label}:`];
    case 2:
      return [`la t6, ${label}`, `jalr ${d.destination()}, ${d.below(2)}(t6)`, ...some(), `${label}:`];
    case 3:
      return [
        d.chance(60) ? `c.${d.pick(['beqz', 'bnez'])} ${d.short()}, ${label}` : `c.j ${label}`,
        ...[[compactLine(d)], [compactLine(d)], `${label}:`],
      ];
    default:
      return [condition(d, label), ...some(), `${label}:`];
  }
}

const compactLine = (d: Draw): string => `c.addi ${d.short()}, ${d.between(1, 31)}`;

const step = (d: Draw, counter: string): string =>
  d.chance(30) ? `c.addi ${counter}, -1` : `addi ${counter}, ${counter}, -1`;

export function loop(d: Draw, depth: number, inside: Inside): Part {
  const counter = jobs.counters[depth];
  const [top, next, out] = [d.label(), d.label(), d.label()];
  const innermost = depth === jobs.counters.length - 1;
  const hot = innermost || d.chance(30);
  const count = hot && d.chance(30) ? d.between(20, 120) : d.between(2, 9);
  const body = inside(d, depth + 1, d.between(1, innermost ? 5 : 7));
  switch (d.below(6)) {
    case 0: {
      // Looks before it goes round, and goes round by a jump.
      const jump = d.chance(50) ? [`j ${top}`] : [`la t6, ${top}`, 'jr t6'];
      return [
        `li ${counter}, ${count}`,
        `${top}:`,
        `beqz ${counter}, ${out}`,
        ...body,
        step(d, counter),
        ...jump,
        `${out}:`,
      ];
    }
    case 1: {
      // continue and break.
      const rest = inside(d, depth + 1, d.between(1, 4));
      const leave: Part = d.chance(40) ? [rarely(d, out)] : [];
      return [
        ...[`li ${counter}, ${count}`, `${top}:`, ...body, [condition(d, next)], leave, ...rest],
        ...[`${next}:`, step(d, counter), `bnez ${counter}, ${top}`, `${out}:`],
      ];
    }
    case 2:
      return twoEntries(d, depth, count, inside);
    default:
      return [`li ${counter}, ${count}`, `${top}:`, ...body, step(d, counter), `bnez ${counter}, ${top}`];
  }
}

/** No structured loop: it is entered at either of two places, each of which jumps to the other. */
function twoEntries(d: Draw, depth: number, count: number, inside: Inside): Part {
  const counter = jobs.counters[depth];
  const [a, b, out] = [d.label(), d.label(), d.label()];
  const some = (): readonly Part[] => inside(d, depth + 1, d.between(1, 3));
  return [
    ...[`li ${counter}, ${count}`, [condition(d, b)], `${a}:`, ...some()],
    ...[step(d, counter), `beqz ${counter}, ${out}`, [condition(d, a)]],
    ...[`${b}:`, ...some(), step(d, counter), `beqz ${counter}, ${out}`, [condition(d, b)], `j ${a}`, `${out}:`],
  ];
}

/** By a table of distances, or by a computed place in a row of jumps. */
export function switchOver(d: Draw, depth: number, inside: Inside): Part {
  const [table, out] = [d.label(), d.label()];
  const cases = Array.from({ length: 4 }, () => d.label());
  const bodies = cases.flatMap((label): Part[] => [`${label}:`, ...inside(d, depth, d.between(0, 2)), `j ${out}`]);
  const select = [`andi t6, ${d.source()}, 3`, 'slli t6, t6, 2', `la t5, ${table}`, 'add t6, t6, t5'];
  if (d.chance(50)) {
    const words = cases.map((label) => `.word ${label}-${table}`);
    return [
      ...select,
      'lw t6, 0(t6)',
      'add t6, t6, t5',
      'jr t6',
      '.align 2',
      `${table}:`,
      ...words,
      ...bodies,
      `${out}:`,
    ];
  }
  return [...select, 'jr t6', `${table}:`, ...cases.map((label) => `jal zero, ${label}`), ...bodies, `${out}:`];
}

/** From loops that leave the innermost counter to the function. */
export function call(d: Draw, depth: number, { functions, leaves }: Functions): Part {
  const nested = depth >= jobs.counters.length - 1;
  const link = nested || d.chance(30) ? 't0' : 'ra';
  const target = d.pick(link === 't0' ? leaves : functions);
  if (d.chance(60)) return [`jal ${link}, ${target}`];
  return [`la t6, ${target}`, d.chance(50) && link === 'ra' ? 'c.jalr t6' : `jalr ${link}, 0(t6)`];
}

/** Callable from anywhere. `far`: it begins shortly before the end of a page of its own. */
export function functionPart(d: Draw, label: string, link: string, far: boolean, body: readonly Part[]): Part {
  const away = far ? ['.align 12', `.zero ${4096 - d.between(1, 30) * 2}`] : [];
  const back = link === 'ra' ? d.pick(['ret', 'c.jr ra', 'jalr zero, 1(ra)']) : 'jr t0';
  return [...away, `${label}:`, ...body, back];
}
