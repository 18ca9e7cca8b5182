/**
 * Makes a failing program small (delta debugging, Zeller and Hildebrandt 2002, on a tree): leaves parts out as long as what
 * is left still fails, in halves, quarters and so on; puts the inside of a part in its place; then tries line by line, and
 * shorter loops. A candidate that does not assemble or does not end simply does not fail.
 */
import { around, type Program } from './generate.ts';
import { linesOf, type Part } from './part.ts';

export interface Candidate {
  readonly program: Program;
  readonly rounds: number;
}

const MANY_ROUNDS = 5000;

/** Whether a program fails as the one that is being shrunk did. */
export type Fails = (candidate: Candidate) => boolean;

type Tree = (string | Tree)[];

const copy = (part: Part): string | Tree => (typeof part === 'string' ? part : part.map(copy));

export interface ShrinkOptions {
  /** Asked before each try. */
  readonly outOfTime: () => boolean;
  /** Leaves the way in and the initial memory alone: without them a program is not portable. */
  readonly bodyOnly: boolean;
}

export function shrink(from: Candidate, fails: Fails, { outOfTime, bodyOnly }: ShrinkOptions): Candidate {
  let rounds = from.rounds;
  let { program } = from;
  const tries = (changed: Program, changedRounds: number): boolean => {
    if (outOfTime() || !fails({ program: changed, rounds: changedRounds })) return false;
    program = changed;
    rounds = changedRounds;
    return true;
  };
  const fewerRounds = (): void => {
    for (const fewer of [1, 2, 3, 5, 10, 30, 100, 300, 1000]) {
      if (fewer >= rounds || tries(program, fewer)) return;
    }
  };
  const prune = (tree: Tree, rebuild: (tree: Tree) => Program, what: Removable): void =>
    pruneTree(tree, what, () => tries(rebuild(tree), rounds));

  // With many rounds code is hot without loops of its own.
  if (!bodyOnly) tries(program, MANY_ROUNDS);
  const tree = copy(program.body) as Tree;
  const withBody = (body: Tree): Program => ({ ...program, body: copy(body) });
  for (let before = -1; before !== linesOf(tree).length && !outOfTime(); ) {
    before = linesOf(tree).length;
    prune(tree, withBody, isPart);
    hoist(tree, () => tries(withBody(tree), rounds));
  }
  const lines: Tree = linesOf(tree);
  const stillFails = (): boolean => tries(withBody(lines), rounds);
  for (let before = -1; before !== lines.length && !outOfTime(); ) {
    before = lines.length;
    prune(lines, withBody, isAny);
    dropTogether(lines, stillFails);
    shorten(lines, stillFails);
  }
  fewerRounds();
  if (bodyOnly) return { program, rounds };
  const prologue: Tree = [...program.prologue];
  prune(prologue, (left) => ({ ...program, prologue: linesOf(left) }), isAny);
  const words = [...program.words];
  tries({ ...program, words: words.filter(({ isData }) => !isData) }, rounds);
  return { program, rounds };
}

type Removable = (node: string | Tree) => boolean;
const isPart: Removable = (node) => typeof node !== 'string';
/** The body's own frame stays: without it the program would be somewhere else, or not end. */
const essential = new Set<string>(around);
const isAny: Removable = (node) => typeof node !== 'string' || !essential.has(node);

/** Removes from the tree, in place, what `stillFails` can do without: first large pieces of a list, then inside of what stays. */
function pruneTree(list: Tree, removable: Removable, stillFails: () => boolean): void {
  for (let size = list.length; size >= 1; size = size >> 1) {
    for (let at = 0; at < list.length; ) {
      const piece = list.slice(at, at + size);
      const kept = piece.filter((node) => !removable(node));
      if (kept.length === piece.length) {
        at += size;
        continue;
      }
      list.splice(at, piece.length, ...kept);
      if (stillFails()) at += kept.length;
      else {
        list.splice(at, kept.length, ...piece);
        at += size;
      }
    }
  }
  for (const node of list) if (typeof node !== 'string') pruneTree(node, removable, stillFails);
}

/** Puts the parts of a part in its place, without the lines around them. */
function hoist(list: Tree, stillFails: () => boolean): void {
  for (let at = 0; at < list.length; at++) {
    const node = list[at];
    if (typeof node === 'string') continue;
    const inner = node.filter((child) => typeof child !== 'string');
    if (inner.length > 0) {
      list.splice(at, 1, ...inner);
      if (stillFails()) {
        at--;
        continue;
      }
      list.splice(at, inner.length, node);
    }
    hoist(node, stillFails);
  }
}

/** What holds together and goes at once or not at all: lines with the same label, or with the same counter of a loop. */
function dropTogether(lines: Tree, stillFails: () => boolean): void {
  const names = new Set(
    lines.flatMap((line) => (typeof line === 'string' ? (line.match(/\b(L\d+|s8|s9|s10)\b/g) ?? []) : [])),
  );
  for (const name of names) {
    const before = [...lines];
    const left = before.filter(
      (line) => !new RegExp(`\\b${name}\\b`).test(String(line)) || essential.has(String(line)),
    );
    if (left.length === before.length) continue;
    lines.splice(0, lines.length, ...left);
    if (!stillFails()) lines.splice(0, lines.length, ...before);
  }
}

/** Smaller numbers in `li`: the counts of loops. */
function shorten(lines: Tree, stillFails: () => boolean): void {
  for (const [i, line] of lines.entries()) {
    const found = typeof line === 'string' ? /^(li s(?:8|9|10), )(\d+)$/.exec(line) : null;
    if (found === null) continue;
    for (const count of [1, 2, 3, 5, 10, 30]) {
      if (count >= Number(found[2])) break;
      lines[i] = `${found[1]}${count}`;
      if (stillFails()) break;
      lines[i] = line;
    }
  }
}
