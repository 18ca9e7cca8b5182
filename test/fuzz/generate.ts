/**
 * From a seed to a program: what it may do is drawn first (kinds.ts), then its parts. The text is a tree that the shrinker
 * prunes; initial memory stands beside it.
 */
import { type Assembled, assemble } from '../conformance/testing/assembler.ts';
import { pass } from '../conformance/testing/machine.ts';
import { dumpMemory } from '../conformance/testing/qemu.ts';
import { Random } from '../conformance/testing/random.ts';
import { memoryPart } from './accesses.ts';
import { compressedLine, floatLine, integerLine, numbers } from './arithmetic.ts';
import { csrPart, floatOff } from './csrs.ts';
import { Draw } from './draw.ts';
import { call, type Functions, forward, functionPart, type Inside, loop, switchOver } from './flow.ts';
import { again, handlers, handlerWords, prologue, ROUNDS } from './frame.ts';
import { interruptPart } from './interrupts.ts';
import { drawFeatures, type Features, type KindName } from './kinds.ts';
import { free, jobs, layout, RAM, tree } from './layout.ts';
import { pageTables, type Word } from './page-tables.ts';
import { linesOf, type Part } from './part.ts';
import { overlapping, patchPart } from './patches.ts';
import { privilegePart, trapPart } from './privileges.ts';
import { superpagePart, tablePart, twins } from './tables.ts';
import { imageEnd, WIDE_RAM_BYTES, widePart, wideWords } from './wide.ts';

export interface Program {
  readonly seed: number;
  readonly features: Features;
  /** The way in; the shrinker may leave lines out. */
  readonly prologue: readonly string[];
  readonly handlers: readonly string[];
  /** What the shrinker may prune. */
  readonly body: Part;
  readonly words: readonly Word[];
}

/** What QEMU and we compare when a portable program has ended. */
export const dumped = [
  { name: 'registers', start: layout.dump, bytes: layout.dumpWords * 8 },
  { name: 'traps to M', start: layout.log, bytes: Number(layout.logBytes) },
  { name: 'traps to S', start: layout.supervisorLog, bytes: Number(layout.logBytes) },
  { name: 'data', start: layout.data, bytes: Number(layout.dataPages) * 4096 },
  { name: 'superpage', start: layout.superpage, bytes: 512 },
  // With their A and D bits; not of the page that a failing sc may look at.
  { name: 'leaves of S', start: layout.tables + tree.ramPages + 0x810n, bytes: 48 },
  { name: 'leaves of U', start: layout.tables + tree.userPages + 0x810n, bytes: 48 },
] as const;

export function generate(seed: number, only?: KindName): Program {
  const features = drawFeatures(new Random(seed), only);
  const d = new Draw(seed ^ 0x5eed, features);
  const registers = free.map((name) => [name, d.integer()] as const);
  const status = (d.chance(80) ? 1n << 18n : 0n) | (d.chance(30) ? 1n << 19n : 0n);
  return {
    seed,
    features,
    prologue: prologue({ features, registers, status }),
    handlers: handlers(features),
    body: body(d),
    words: words(d),
  };
}

const TWINS = 'twins';
const start = `.org ${layout.code}`;
const top = ['main:', `la ${jobs.resume}, next`];
/** Lines of every body. */
export const around: readonly string[] = [start, ...top, ...again];

function body(d: Draw): Part {
  const functions: Functions = { functions: labels(d, 4), leaves: labels(d, 3) };
  const size = d.pick([20, 40, 80, 120]);
  const blocks: Part[] = [];
  const inside: Inside = (draw, depth, count) =>
    Array.from({ length: count }, () => block(draw, depth, functions, inside));
  if (d.features.wide) blocks.push(widePart(d));
  while (blocks.length < size) {
    if (d.features.wide && d.chance(3)) blocks.push(widePart(d));
    if (blocks.length % 8 === 0) d.refocus();
    blocks.push(block(d, 0, functions, inside));
  }
  const depth = jobs.counters.length - 1;
  const far = (): boolean => d.chance(30);
  const bodies: Part[] = [
    ...functions.functions.map((label) => functionPart(d, label, 'ra', far(), inside(d, depth, d.between(2, 6)))),
    ...functions.leaves.map((label) => functionPart(d, label, 't0', far(), straight(d, d.between(1, 5)))),
  ];
  const before = bodies.splice(0, d.below(bodies.length));
  const last: Part = d.features.paging === 'bare' ? [] : twins(d, TWINS);
  return [start, ...before, '.align 1', ...top, ...blocks, ...again, ...bodies, last];
}

const labels = (d: Draw, count: number): string[] => Array.from({ length: count }, () => d.label());

const straight = (d: Draw, count: number): Part[] => Array.from({ length: count }, () => plain(d));

/** Without labels of others, calls or loops. */
function plain(d: Draw): Part {
  const choice = d.below(100);
  if (choice < 34) return [integerLine(d)];
  if (choice < 50) return [compressedLine(d)];
  if (choice < 70) return [floatLine(d)];
  if (choice < 75) return numbers(d);
  return memoryPart(d);
}

function block(d: Draw, depth: number, functions: Functions, inside: Inside): Part {
  const { features } = d;
  const choice = d.below(100);
  if (choice < 62) return plain(d);
  if (choice < 72) return depth < jobs.counters.length ? loop(d, depth, inside) : plain(d);
  if (choice < 80) return forward(d, depth, inside);
  if (choice < 82) return switchOver(d, depth, inside);
  if (choice < 86) return call(d, depth, functions);
  if (choice < 91) return csrPart(d);
  // A trap is many steps of a handler, which are always the same.
  if (d.chance(features.kind === 'compute' ? 85 : features.interrupts ? 10 : 40)) return plain(d);
  const special: Part[] = [];
  const offer = (wanted: boolean, make: () => Part): void => {
    if (wanted) special.push(make());
  };
  offer(true, () => trapPart(d));
  offer(true, () => overlapping(d));
  offer(d.chance(20), () => floatOff(d, straight(d, 2)));
  offer(features.switches, () => privilegePart(d));
  offer(features.edits, () => tablePart(d));
  offer(features.edits, () => tablePart(d));
  offer(features.paging !== 'bare', () => superpagePart(d));
  if (features.paging !== 'bare') offer(d.chance(40), () => [`la t6, ${TWINS}`, 'jalr t0, 0(t6)']);
  offer(features.patches, () => patchPart(d));
  offer(features.patches, () => patchPart(d));
  for (let i = 0; i < 4; i++) offer(features.interrupts, () => interruptPart(d));
  offer(d.chance(30), () => [d.pick(['fence.i', 'fence', 'fence.tso', 'pause'])]);
  return d.pick(special);
}

/** Page tables, data, and the handlers' pointers. */
function words(d: Draw): Word[] {
  const list: Word[] = handlerWords.map(([address, value]) => ({ address, value }));
  if (d.features.wide) list.push(...wideWords());
  if (d.features.paging !== 'bare') list.push(...pageTables(d.features.patches));
  for (let i = 0n; i < layout.dataPages * 512n; i++) {
    const address = layout.data + i * 8n;
    const isConstant = address >= layout.constants && address < layout.constants + BigInt(layout.constantWords) * 8n;
    if (isConstant || d.chance(20)) list.push({ address, value: d.chance(60) ? d.float() : d.integer(), isData: true });
  }
  return list;
}

/** `oracle`: at the end everything goes out through the UART, and QEMU ends. */
export function build(program: Program, rounds: number, oracle = false): Assembled {
  const ending = oracle ? dumpMemory(dumped) : pass;
  const source = sourceOf(program, ending);
  const { origin, bytes, symbols } = assemble(source, RAM);
  const end = imageEnd(program.features.wide);
  const image = new Uint8Array(Number(end - origin));
  image.set(bytes);
  const view = new DataView(image.buffer);
  for (const { address, value } of program.words) {
    view.setBigUint64(Number(address - origin), BigInt.asUintN(64, value), true);
  }
  view.setBigUint64(Number(ROUNDS - origin), BigInt(rounds), true);
  return { origin, bytes: image, symbols };
}

/** `ending` stands at `finish`, in front of the handler of S. */
export const ramBytesOf = ({ features }: Program): number => (features.wide ? WIDE_RAM_BYTES : 4 * 1024 * 1024);

export function sourceOf({ prologue, handlers, body }: Program, ending: string): string {
  const at = handlers.findIndex((line) => line.startsWith('.org'));
  const text = [...prologue, ...handlers.slice(0, at), 'finish:', ending, ...handlers.slice(at), ...linesOf(body)];
  return text.join('\n');
}
