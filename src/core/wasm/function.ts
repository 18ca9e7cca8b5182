/**
 * A WebAssembly function under construction: structured statements over expression trees. Labels are objects, so nobody
 * counts branch depths; locals are handed back at the end of a `scope`, so that a function of hundreds of cases keeps a
 * small frame. What cannot be reached is not kept, nor blocks that nobody leaves: whoever emits need not think of that.
 */
import { assert } from '../base/assert.ts';
import { constantOf, type Expr, type I32, i32, type Type } from './expression.ts';
import { type StoreName, stores } from './ops.ts';
import { makeStore, truth } from './simplify.ts';

export interface Label {
  readonly label: 'block' | 'loop';
  /** Branches to it, some of which may not be there any more. */
  uses: number;
  /** What the text form calls it. */
  readonly name?: string;
}

/** A function of the module under construction, imported or defined, that can be called. */
export interface Callee {
  readonly name: string;
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/** The type of the functions in a table. */
export interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

export type Statement =
  | { readonly kind: 'set-local'; readonly index: number; readonly value: Expr }
  | { readonly kind: 'set-global'; readonly index: number; readonly value: Expr }
  | {
      readonly kind: 'store';
      readonly op: StoreName;
      readonly address: I32;
      readonly offset: number;
      readonly value: Expr;
    }
  | { readonly kind: 'block' | 'loop'; readonly label: Label; readonly body: Statement[] }
  | {
      readonly kind: 'if';
      readonly condition: I32;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
      readonly likely: boolean | undefined;
    }
  | { readonly kind: 'br'; readonly label: Label }
  | {
      readonly kind: 'br-if';
      readonly label: Label;
      readonly condition: I32;
      readonly likely: boolean | undefined;
    }
  | { readonly kind: 'br-table'; readonly labels: readonly Label[]; readonly otherwise: Label; readonly index: I32 }
  | {
      readonly kind: 'call';
      readonly callee: Callee;
      readonly args: readonly Expr[];
      readonly into: number | undefined;
      /** `return_call`: the frame of the caller is gone. */
      readonly tail: boolean;
    }
  | {
      readonly kind: 'call-indirect';
      readonly signature: Signature;
      readonly index: I32;
      readonly args: readonly Expr[];
      readonly into: number | undefined;
      /** `return_call_indirect`. */
      readonly tail: boolean;
    }
  | { readonly kind: 'memory-fill'; readonly address: I32; readonly value: I32; readonly length: I32 }
  | { readonly kind: 'return'; readonly value: Expr | undefined }
  | { readonly kind: 'unreachable' }
  /** What is filled in later: as if its statements stood here. */
  | { readonly kind: 'sequence'; readonly body: readonly Statement[] }
  | { readonly kind: 'comment'; readonly text: () => string };

/** Whether what comes behind this statement could not be reached. */
function isFinal(t: Statement | undefined): boolean {
  switch (t?.kind) {
    case 'if':
      return isFinal(t.then.at(-1)) && isFinal(t.otherwise.at(-1));
    case 'loop':
      return isFinal(t.body.at(-1));
    default:
      return t !== undefined && leavesStraight(t);
  }
}

/** Whether control goes elsewhere by this very instruction: WebAssembly then takes the stack for whatever is wanted (3.4). */
export const leavesStraight = (t: Statement): boolean =>
  t.kind === 'br' ||
  t.kind === 'br-table' ||
  t.kind === 'return' ||
  t.kind === 'unreachable' ||
  ((t.kind === 'call' || t.kind === 'call-indirect') && t.tail);

export class FunctionBuilder implements Callee {
  readonly name: string;
  readonly params: readonly Type[];
  readonly results: readonly Type[];
  /** Types of all locals, parameters first. */
  readonly locals: Type[];
  /** What the text form calls locals, by index; the others have numbers. */
  readonly localNames = new Map<number, string>();
  readonly body: Statement[] = [];
  #current: Statement[] = this.body;
  readonly #free: Record<Type, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  #scoped: number[] | undefined;

  constructor(name: string, params: readonly Type[], results: readonly Type[]) {
    assert(results.length <= 1, 'at most one result');
    this.name = name;
    this.params = params;
    this.results = results;
    this.locals = [...params];
  }

  param<T extends Type>(index: number, name?: string): Expr<T> {
    if (name !== undefined) this.localNames.set(index, name);
    return { kind: 'local', type: this.params[index] as T, index };
  }

  /** A mutable local; assign with `set`. It belongs to the scope in which it is made. */
  local<T extends Type>(type: T): Expr<T> {
    const free = this.#free[type].pop();
    const index = free ?? this.locals.push(type) - 1;
    this.#scoped?.push(index);
    return { kind: 'local', type, index };
  }

  /** A local that no scope takes back. */
  permanent<T extends Type>(type: T, name?: string): Expr<T> {
    const local: Expr<T> = { kind: 'local', type, index: this.locals.push(type) - 1 };
    if (name !== undefined) this.localNames.set(local.index, name);
    return local;
  }

  /** Names a parameter or a permanent local for the text form. */
  nameLocal(local: Expr, name: string): void {
    assert(local.kind === 'local', 'locals have names');
    this.localNames.set(local.index, name);
  }

  /** A remark for the text form, made only if somebody prints it; no code. */
  comment(text: () => string): void {
    this.#emit({ kind: 'comment', text });
  }

  get #isReached(): boolean {
    return !isFinal(this.#current.at(-1));
  }

  #emit(...statements: readonly Statement[]): void {
    for (const t of statements) if (this.#isReached) this.#current.push(t);
  }

  #emitBranch(t: Statement, ...labels: readonly Label[]): void {
    if (!this.#isReached) return;
    for (const label of labels) label.uses++;
    this.#current.push(t);
  }

  /** Reserves this place: what the returned function's argument emits comes here, when it is called. */
  reserve(): (fill: () => void) => void {
    const body: Statement[] = [];
    this.#emit({ kind: 'sequence', body });
    return (fill) => {
      const outer = this.#current;
      this.#current = body;
      fill();
      this.#current = outer;
    };
  }

  /** Evaluates here, once. Constants stay constants. */
  let<T extends Type>(value: Expr<T>): Expr<T> {
    if (value.kind === 'const') return value;
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  set<T extends Type>(local: Expr<T>, value: Expr<T>): void {
    if (local.kind === 'global') this.#emit({ kind: 'set-global', index: local.index, value });
    else {
      assert(local.kind === 'local', 'only locals and globals are assigned');
      if (value.kind === 'local' && value.index === local.index) return;
      this.#emit({ kind: 'set-local', index: local.index, value });
    }
  }

  /** Locals made inside are free for others afterwards. */
  scope(body: () => void): void {
    const outer = this.#scoped;
    this.#scoped = [];
    body();
    for (const index of this.#scoped) this.#free[this.locals[index]].push(index);
    this.#scoped = outer;
  }

  store(op: StoreName, address: I32, value: Expr, offset = 0): void {
    assert(stores[op][2] === value.type, `${op} stores ${stores[op][2]}`);
    this.#emit({ kind: 'store', address, offset, ...makeStore(op, value) });
  }

  #nested(body: () => void): Statement[] {
    const outer = this.#current;
    const inner: Statement[] = [];
    this.#current = inner;
    body();
    this.#current = outer;
    return inner;
  }

  block(body: (end: Label) => void, name?: string): void {
    const label: Label = { label: 'block', uses: 0, ...(name === undefined ? {} : { name }) };
    const inner = this.#nested(() => body(label));
    dropBranchesAtEnd(inner, label);
    if (label.uses === 0) this.#emit(...inner);
    else this.#emit({ kind: 'block', label, body: inner });
  }

  /** A branch to `again` repeats; falling off the end leaves. */
  loop(body: (again: Label) => void, name?: string): void {
    const label: Label = { label: 'loop', uses: 0, ...(name === undefined ? {} : { name }) };
    const inner = this.#nested(() => body(label));
    if (label.uses === 0) this.#emit(...inner);
    else this.#emit({ kind: 'loop', label, body: inner });
  }

  /** `likely`: whether the condition mostly holds, if that is known (a hint for the engine). */
  if(condition: I32, then: () => void, otherwise: () => void = () => {}, likely?: boolean): void {
    const known = constantOf(condition);
    if (known !== undefined) {
      if (known !== 0) then();
      else otherwise();
      return;
    }
    const thenBody = this.#nested(then);
    const otherwiseBody = this.#nested(otherwise);
    const test = truth(condition);
    const [only, ...others] = thenBody.filter(({ kind }) => kind !== 'comment');
    if (only?.kind === 'br' && others.length === 0) {
      const remarks = thenBody.filter(({ kind }) => kind === 'comment');
      this.#emit(...remarks, { kind: 'br-if', label: only.label, condition: test, likely }, ...otherwiseBody);
    } else if (thenBody.length > 0) {
      this.#emit({ kind: 'if', condition: test, then: thenBody, otherwise: otherwiseBody, likely });
    } else if (otherwiseBody.length > 0) {
      const opposite = likely === undefined ? undefined : !likely;
      const not = i32.eqz(test);
      this.#emit({ kind: 'if', condition: not, then: otherwiseBody, otherwise: [], likely: opposite });
    }
  }

  br(label: Label): void {
    this.#emitBranch({ kind: 'br', label }, label);
  }

  brIf(label: Label, condition: I32, likely?: boolean): void {
    const known = constantOf(condition);
    if (known === undefined) this.#emitBranch({ kind: 'br-if', label, condition: truth(condition), likely }, label);
    else if (known !== 0) this.br(label);
  }

  brTable(labels: readonly Label[], otherwise: Label, index: I32): void {
    this.#emitBranch({ kind: 'br-table', labels, otherwise, index }, ...labels, otherwise);
  }

  /** Calls for the effect only (a result is dropped). */
  do(callee: Callee, ...args: readonly Expr[]): void {
    this.#checkCall(callee, args);
    this.#emit({ kind: 'call', callee, args, into: undefined, tail: false });
  }

  /** Calls here, once, and gives the result. */
  call<T extends Type>(callee: Callee, ...args: readonly Expr[]): Expr<T> {
    this.#checkCall(callee, args);
    const into = this.local(callee.results[0] as T);
    assert(into.kind === 'local', 'a local');
    this.#emit({ kind: 'call', callee, args, into: into.index, tail: false });
    return into;
  }

  /** Goes on in another function, in place of this one. */
  tailCall(callee: Callee, ...args: readonly Expr[]): void {
    this.#checkCall(callee, args);
    this.#emit({ kind: 'call', callee, args, into: undefined, tail: true });
  }

  /** Calls the function at `index` of the module's table. */
  callIndirect<T extends Type>(signature: Signature, index: I32, ...args: readonly Expr[]): Expr<T> {
    const into = this.local(signature.results[0] as T);
    assert(into.kind === 'local', 'a local');
    this.#emit({ kind: 'call-indirect', signature, index, args, into: into.index, tail: false });
    return into;
  }

  /** Goes on in the function at `index` of the module's table, in place of this one. */
  tailCallIndirect(signature: Signature, index: I32, ...args: readonly Expr[]): void {
    this.#emit({ kind: 'call-indirect', signature, index, args, into: undefined, tail: true });
  }

  #checkCall(callee: Callee, args: readonly Expr[]): void {
    const fits = args.length === callee.params.length && args.every((a, i) => a.type === callee.params[i]);
    assert(fits, `arguments of ${callee.name}: ${args.map((a) => a.type)} for ${callee.params}`);
  }

  memoryFill(address: I32, value: I32, length: I32): void {
    this.#emit({ kind: 'memory-fill', address, value, length });
  }

  return(value?: Expr): void {
    this.#emit({ kind: 'return', value });
  }

  unreachable(): void {
    this.#emit({ kind: 'unreachable' });
  }
}

/** To go to the end of a block from its end is to do nothing; the end of a loop is that of what it ends. */
function dropBranchesAtEnd(statements: Statement[], label: Label): void {
  for (let last = statements.at(-1); isBranchTo(label, last); last = statements.at(-1)) {
    statements.pop();
    label.uses--;
  }
  const last = statements.at(-1);
  if (last?.kind === 'loop') dropBranchesAtEnd(last.body, label);
}

const isBranchTo = (label: Label, t: Statement | undefined): boolean =>
  (t?.kind === 'br' || t?.kind === 'br-if') && t.label === label;
