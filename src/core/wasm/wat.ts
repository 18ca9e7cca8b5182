/**
 * A module under construction as WebAssembly text (WebAssembly core 2.0, chapter 6), made from the same statements and
 * expressions as the binary, to be read by people: expressions are folded, locals, labels and functions have the names that
 * their builder gave them, and its comments stand where they were made. An assembler makes of it the binary that `encode`
 * gives, names and empty sections aside (`wat.test.ts` has one do so).
 */
import { needsEnd } from './body.ts';
import type { Expr, Type } from './expression.ts';
import type { Callee, FunctionBuilder, Label, Signature, Statement } from './function.ts';
import type { Global, ModuleBuilder, ModuleContents } from './module.ts';
import { type Node, node, render } from './s-expression.ts';

export interface WatOptions {
  /** Leave out imports and types that no function uses. Indices are then others than those of the binary. */
  readonly usedOnly?: boolean;
  /** Which functions to show with their bodies, all by default; the others are unreachable. */
  readonly show?: (f: FunctionBuilder) => boolean;
  /** Says what lies at a constant address in memory; shown as a comment. */
  readonly nameAddress?: (address: number) => string | undefined;
}

/** The module as text, with a newline at the end. */
export function printModule(m: ModuleBuilder, options: WatOptions = {}): string {
  return new Printer(m.contents, options).print();
}

/** Ids allow more characters than these (6.3.5), but we want those that can be selected with a double click. */
const idOf = (name: string): string => `$${name.replace(/[^0-9A-Za-z_.]/g, '_')}`;

/** Ids that are used once only: a name that comes again gets a number. */
class Ids {
  readonly #used = new Set<string>();

  make(name: string): string {
    const wanted = idOf(name);
    let id = wanted;
    for (let i = 2; this.#used.has(id); i++) id = `${wanted}_${i}`;
    this.#used.add(id);
    return id;
  }
}

const list = (keyword: string, types: readonly Type[]): string[] =>
  types.length === 0 ? [] : [`(${keyword} ${types.join(' ')})`];

const typeText = ({ params, results }: Signature): string =>
  ['(func', ...list('param', params), ...list('result', results)].join(' ').concat(')');

class Printer {
  readonly #m: ModuleContents;
  readonly #options: WatOptions;
  readonly #functionIds = new Map<Callee, string>();
  readonly #globalIds: readonly string[];
  readonly #typeIds = new Map<string, string>();
  /** What the functions printed so far call. */
  readonly #called = new Set<Callee>();
  readonly #calledTypes = new Set<string>();

  constructor(m: ModuleContents, options: WatOptions) {
    this.#m = m;
    this.#options = options;
    const ids = new Ids();
    for (const f of [...m.imports, ...m.functions]) this.#functionIds.set(f, ids.make(f.name));
    const globals = new Ids();
    this.#globalIds = m.globals.map(({ name }, i) => globals.make(name ?? `global${i}`));
    // In the order in which `encode` numbers them.
    for (const signature of [...m.imports, ...m.functions, ...m.signatures]) {
      const text = typeText(signature);
      const { params, results } = signature;
      this.#typeIds.set(text, idOf([...params, 'to', ...(results.length > 0 ? results : ['nothing'])].join('_')));
    }
  }

  print(): string {
    const { functions, imports, memory, table, globals, exports } = this.#m;
    const { usedOnly = false, show = () => true } = this.#options;
    const bodies = functions.map((f) => this.#function(f, show(f)));
    const all: Node[] = [];
    for (const [text, id] of this.#typeIds) {
      if (!usedOnly || this.#calledTypes.has(id)) all.push(`(type ${id} ${text})`);
    }
    const { initialPages, maximumPages, shared } = memory;
    all.push(`(import "env" "memory" (memory ${initialPages} ${maximumPages}${shared ? ' shared' : ''}))`);
    if (table) all.push('(import "env" "table" (table 0 funcref))');
    for (const f of imports) {
      if (usedOnly && !this.#called.has(f)) continue;
      const type = ['(func', this.#functionId(f), ...list('param', f.params), ...list('result', f.results)].join(' ');
      all.push(`(import "${f.module}" "${f.name}" ${type}))`);
    }
    for (const [i, global] of globals.entries()) all.push(this.#global(global, i));
    for (const e of exports) all.push(`(export "${e.name}" (func ${this.#functionId(e.callee)}))`);
    all.push(...bodies);
    return `${render(node('module', all, { children: 'lines', end: '' }))}\n`;
  }

  #functionId(callee: Callee): string {
    return this.#functionIds.get(callee)!;
  }

  #global(global: Global, index: number): Node {
    return `(global ${this.#globalIds[index]} (mut ${global.type}) (${global.type}.const ${global.initial}))`;
  }

  #function(f: FunctionBuilder, shown: boolean): Node {
    const print = new FunctionPrinter(f, {
      nameAddress: this.#options.nameAddress ?? (() => undefined),
      functionId: (callee) => {
        this.#called.add(callee);
        return this.#functionId(callee);
      },
      globalId: (index) => this.#globalIds[index],
      typeId: (signature) => {
        const id = this.#typeIds.get(typeText(signature))!;
        this.#calledTypes.add(id);
        return id;
      },
    });
    return print.print(this.#functionId(f), shown);
  }
}

/** What a function's text knows of its module. */
interface Surroundings {
  readonly nameAddress: (address: number) => string | undefined;
  readonly functionId: (callee: Callee) => string;
  readonly globalId: (index: number) => string;
  readonly typeId: (signature: Signature) => string;
}

class FunctionPrinter {
  readonly #f: FunctionBuilder;
  readonly #module: Surroundings;
  readonly #locals: readonly string[];
  readonly #labelIds = new Map<Label, string>();
  readonly #labels = new Ids();

  constructor(f: FunctionBuilder, module: Surroundings) {
    this.#f = f;
    this.#module = module;
    const ids = new Ids();
    this.#locals = f.locals.map((_type, i) => {
      return ids.make(f.localNames.get(i) ?? (i < f.params.length ? `param${i}` : `local${i}`));
    });
  }

  print(id: string, shown: boolean): Node {
    const { params, results, locals, body } = this.#f;
    const declare = (keyword: string, from: number, to: number): string[] =>
      locals.slice(from, to).map((type, i) => `(${keyword} ${this.#locals[from + i]} ${type})`);
    const head = ['func', id, ...declare('param', 0, params.length), ...list('result', results)].join(' ');
    if (!shown) return node(head, ['(unreachable)'], { children: 'lines', end: '' });
    const statements = this.#statements(body);
    if (needsEnd(this.#f)) statements.push('(unreachable)');
    const all = [...fill(declare('local', params.length, locals.length)), ...statements];
    return node(head, all, { children: 'lines', end: '' });
  }

  #local(index: number): string {
    return this.#locals[index];
  }

  #label(label: Label): string {
    const known = this.#labelIds.get(label);
    if (known !== undefined) return known;
    const id = this.#labels.make(label.name ?? label.label);
    this.#labelIds.set(label, id);
    return id;
  }

  #statements(statements: readonly Statement[]): Node[] {
    return statements.flatMap((t) => (t.kind === 'sequence' ? this.#statements(t.body) : [this.#statement(t)]));
  }

  /** The end of a block is where branches to it go, so it says which one it is. */
  #labelled(kind: 'block' | 'loop', label: Label, body: readonly Statement[]): Node {
    const nests = { ...lines, nests: true, end: '' };
    const id = this.#label(label);
    return node(`${kind} ${id}`, this.#statements(body), kind === 'block' ? { ...nests, end: id } : nests);
  }

  #into(local: number | undefined, call: Node): Node {
    return local === undefined ? call : node(`local.set ${this.#local(local)}`, [call]);
  }

  #statement(t: Exclude<Statement, { kind: 'sequence' }>): Node {
    switch (t.kind) {
      case 'set-local':
        return node(`local.set ${this.#local(t.index)}`, [this.#expr(t.value)]);
      case 'set-global':
        return node(`global.set ${this.#module.globalId(t.index)}`, [this.#expr(t.value)]);
      case 'store':
        return node(access(t.op, t.offset), [this.#address(t.address, t.offset), this.#expr(t.value)]);
      case 'block':
      case 'loop':
        return this.#labelled(t.kind, t.label, t.body);
      case 'if': {
        const arms = [node('then', this.#statements(t.then), lines)];
        if (t.otherwise.length > 0) arms.push(node('else', this.#statements(t.otherwise), lines));
        return node(`if${hint(t.likely)}`, [this.#expr(t.condition), ...arms], { children: 'lines', inline: 1 });
      }
      case 'br':
        return node(`br ${this.#label(t.label)}`, []);
      case 'br-if':
        return node(`br_if${hint(t.likely)} ${this.#label(t.label)}`, [this.#expr(t.condition)]);
      case 'br-table': {
        const labels = [...t.labels, t.otherwise].map((label) => this.#label(label));
        return node('br_table', [...fill(labels), this.#expr(t.index)]);
      }
      case 'call': {
        const call = node(
          `${t.tail ? 'return_call' : 'call'} ${this.#module.functionId(t.callee)}`,
          this.#exprs(t.args),
        );
        if (t.tail) return call;
        if (t.into === undefined && t.callee.results.length > 0) return node('drop', [call]);
        return this.#into(t.into, call);
      }
      case 'call-indirect': {
        const head = `${t.tail ? 'return_call_indirect' : 'call_indirect'} (type ${this.#module.typeId(t.signature)})`;
        return this.#into(t.into, node(head, this.#exprs([...t.args, t.index])));
      }
      case 'memory-fill':
        return node('memory.fill', this.#exprs([t.address, t.value, t.length]));
      case 'return':
        return node('return', t.value ? [this.#expr(t.value)] : []);
      case 'unreachable':
        return node('unreachable', []);
      case 'comment':
        return `;; ${t.text().replace(/\s+/g, ' ')}`;
    }
  }

  #exprs(all: readonly Expr[]): Node[] {
    return all.map((e) => this.#expr(e));
  }

  #expr(e: Expr): Node {
    switch (e.kind) {
      case 'const':
        return constant(e.type, e.value);
      case 'local':
        return `(local.get ${this.#local(e.index)})`;
      case 'global':
        return `(global.get ${this.#module.globalId(e.index)})`;
      case 'op':
        return node(e.op, this.#exprs(e.args));
      case 'load':
        return node(access(e.op, e.offset), [this.#address(e.address, e.offset)]);
      case 'atomic-load':
        return node(access('i32.atomic.load', e.offset), [this.#address(e.address, e.offset)]);
      case 'select':
        return node('select', this.#exprs(e.args));
    }
  }

  #address(e: Expr, offset: number): Node {
    const name = e.kind === 'const' ? this.#module.nameAddress(Number(e.value) + offset) : undefined;
    return name === undefined ? this.#expr(e) : `(i32.const ${(e as { value: number }).value} (;${name};))`;
  }
}

const lines = { children: 'lines' } as const;

const hint = (likely: boolean | undefined): string =>
  likely === undefined ? '' : likely ? ' (;likely;)' : ' (;unlikely;)';

const access = (op: string, offset: number): string => (offset === 0 ? op : `${op} offset=${offset}`);

/** Short words together on lines that are not too long. */
function fill(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 90) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function constant(type: Type, value: number | bigint): string {
  if (type === 'i32' || type === 'i64') return `(${type}.const ${integer(type, BigInt(value))})`;
  return `(${type}.const ${float(type === 'f32' ? Math.fround(Number(value)) : Number(value))})`;
}

/** Small numbers in decimal, masks and addresses in hexadecimal. */
function integer(type: 'i32' | 'i64', value: bigint): string {
  if (value > -0x10000n && value < 0x10000n) return `${value}`;
  return `0x${BigInt.asUintN(type === 'i32' ? 32 : 64, value).toString(16)}`;
}

function float(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : `${value}`;
}
