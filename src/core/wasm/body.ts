/**
 * The body of a function in the binary format (WebAssembly core 2.0, 5.4 and 5.5.13), and the hints about its branches that
 * stand elsewhere.
 */
import { assert } from '../base/assert.ts';
import type { Expr, Type } from './expression.ts';
import {
  type Callee,
  type FunctionBuilder,
  type Label,
  leavesStraight,
  type Signature,
  type Statement,
} from './function.ts';
import { loads, ops, stores } from './ops.ts';
import type { Sink } from './sink.ts';

export const typeCode: Record<Type, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** What a body refers to by number. */
export interface ModuleIndices {
  readonly functionIndex: (callee: Callee) => number;
  readonly typeIndex: (signature: Signature) => number;
}

/** A branch's place, in bytes from the beginning of its function's body, and whether it is mostly taken. */
export interface BranchHint {
  readonly offset: number;
  readonly likely: boolean;
}

/** Writes a function's body, and gives its hints in their order. */
export function writeBody(s: Sink, f: FunctionBuilder, indices: ModuleIndices): readonly BranchHint[] {
  return new BodyWriter(s, indices).write(f);
}

/** Whether it must be said that the end of a function is not reached, for want of a result there. */
export function needsEnd({ results, body }: FunctionBuilder): boolean {
  const last = body.at(-1);
  return results.length > 0 && (last === undefined || !leavesStraight(last));
}

class BodyWriter {
  readonly #s: Sink;
  readonly #module: ModuleIndices;
  readonly #start: number;
  /** Around the statement at hand, the innermost last; undefined for an `if`. */
  readonly #labels: (Label | undefined)[] = [];
  readonly #hints: BranchHint[] = [];

  constructor(s: Sink, module: ModuleIndices) {
    this.#s = s;
    this.#module = module;
    this.#start = s.length;
  }

  write(f: FunctionBuilder): readonly BranchHint[] {
    const s = this.#s;
    const runs: { type: Type; count: number }[] = [];
    for (const type of f.locals.slice(f.params.length)) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    s.u32(runs.length);
    for (const run of runs) {
      s.u32(run.count);
      s.byte(typeCode[run.type]);
    }
    for (const statement of f.body) this.#statement(statement);
    if (needsEnd(f)) s.byte(0x00);
    s.byte(0x0b);
    return this.#hints;
  }

  #nested(statements: readonly Statement[], label: Label | undefined): void {
    this.#labels.push(label);
    for (const statement of statements) this.#statement(statement);
    this.#labels.pop();
  }

  #depth(label: Label): number {
    const at = this.#labels.lastIndexOf(label);
    assert(at >= 0, 'a branch goes to an enclosing label');
    return this.#labels.length - 1 - at;
  }

  /** About the branch that is written next. */
  #hint(likely: boolean | undefined): void {
    if (likely !== undefined) this.#hints.push({ offset: this.#s.length - this.#start, likely });
  }

  #statement(t: Statement): void {
    const s = this.#s;
    switch (t.kind) {
      case 'set-local':
        writeExpr(s, t.value);
        s.byte(0x21);
        return s.u32(t.index);
      case 'set-global':
        writeExpr(s, t.value);
        s.byte(0x24);
        return s.u32(t.index);
      case 'store': {
        const [code, align] = stores[t.op];
        writeExpr(s, t.address);
        writeExpr(s, t.value);
        s.byte(code);
        s.u32(align);
        return s.u32(t.offset);
      }
      case 'block':
      case 'loop':
        s.byte(t.kind === 'block' ? 0x02 : 0x03);
        s.byte(0x40);
        this.#nested(t.body, t.label);
        return s.byte(0x0b);
      case 'if':
        writeExpr(s, t.condition);
        this.#hint(t.likely);
        s.byte(0x04);
        s.byte(0x40);
        this.#nested(t.then, undefined);
        if (t.otherwise.length > 0) {
          s.byte(0x05);
          this.#nested(t.otherwise, undefined);
        }
        return s.byte(0x0b);
      case 'br':
        s.byte(0x0c);
        return s.u32(this.#depth(t.label));
      case 'br-if':
        writeExpr(s, t.condition);
        this.#hint(t.likely);
        s.byte(0x0d);
        return s.u32(this.#depth(t.label));
      case 'br-table':
        writeExpr(s, t.index);
        s.byte(0x0e);
        s.u32(t.labels.length);
        for (const label of t.labels) s.u32(this.#depth(label));
        return s.u32(this.#depth(t.otherwise));
      case 'call':
        for (const a of t.args) writeExpr(s, a);
        s.byte(t.tail ? 0x12 : 0x10);
        s.u32(this.#module.functionIndex(t.callee));
        if (t.tail) return;
        if (t.into !== undefined) {
          s.byte(0x21);
          s.u32(t.into);
        } else if (t.callee.results.length > 0) s.byte(0x1a);
        return;
      case 'call-indirect': {
        for (const a of t.args) writeExpr(s, a);
        writeExpr(s, t.index);
        s.byte(t.tail ? 0x13 : 0x11);
        s.u32(this.#module.typeIndex(t.signature));
        s.byte(0x00);
        if (t.into !== undefined) {
          s.byte(0x21);
          s.u32(t.into);
        }
        return;
      }
      case 'memory-fill':
        writeExpr(s, t.address);
        writeExpr(s, t.value);
        writeExpr(s, t.length);
        return s.raw([0xfc, 0x0b, 0x00]);
      case 'return':
        if (t.value) writeExpr(s, t.value);
        return s.byte(0x0f);
      case 'unreachable':
        return s.byte(0x00);
      case 'sequence':
        for (const statement of t.body) this.#statement(statement);
        return;
      case 'comment':
        return;
    }
  }
}

function writeExpr(s: Sink, e: Expr): void {
  switch (e.kind) {
    case 'const':
      return writeConst(s, e.type, e.value);
    case 'local':
      s.byte(0x20);
      return s.u32(e.index);
    case 'global':
      s.byte(0x23);
      return s.u32(e.index);
    case 'op':
      for (const a of e.args) writeExpr(s, a);
      return writeOpcode(s, ops[e.op].code);
    case 'load': {
      const [code, align] = loads[e.op];
      writeExpr(s, e.address);
      s.byte(code);
      s.u32(align);
      return s.u32(e.offset);
    }
    case 'atomic-load':
      writeExpr(s, e.address);
      s.raw([0xfe, 0x10, 0x02]);
      return s.u32(e.offset);
    case 'select':
      for (const a of e.args) writeExpr(s, a);
      return s.byte(0x1b);
  }
}

function writeOpcode(s: Sink, code: number): void {
  if (code > 0xffff) s.byte(code >>> 16);
  if (code > 0xff) s.byte((code >>> 8) & 0xff);
  s.byte(code & 0xff);
}

function writeConst(s: Sink, type: Type, value: number | bigint): void {
  if (type === 'i32') {
    s.byte(0x41);
    return s.s32(Number(value));
  }
  if (type === 'i64') {
    s.byte(0x42);
    return s.s64(BigInt(value));
  }
  const bytes = new Uint8Array(type === 'f32' ? 4 : 8);
  const view = new DataView(bytes.buffer);
  if (type === 'f32') view.setFloat32(0, Number(value), true);
  else view.setFloat64(0, Number(value), true);
  s.byte(type === 'f32' ? 0x43 : 0x44);
  s.raw(bytes);
}
