/**
 * A WebAssembly module under construction, and its binary form (WebAssembly core 2.0, chapter 5, with the threads
 * proposal's shared memory). Function names go into the name section, so that profiles are readable.
 */
import { assert } from '../base/assert.ts';
import type { Expr, Type } from './expression.ts';
import { type Callee, FunctionBuilder, type Label, type Signature, type Statement } from './function.ts';
import { loads, ops, stores } from './ops.ts';

const typeCode: Record<Type, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export interface MemoryLimits {
  readonly initialPages: number;
  readonly maximumPages: number;
  readonly shared: boolean;
}

/** A growing byte sink with LEB128. */
class Sink {
  bytes = new Uint8Array(1 << 14);
  length = 0;

  /** Writes what `write` writes behind its length, as LEB128 padded to 5 bytes, so that nothing is moved. */
  sized(write: () => void): void {
    const at = this.length;
    for (let i = 0; i < 5; i++) this.byte(0);
    write();
    let length = this.length - at - 5;
    for (let i = 0; i < 5; i++) {
      this.bytes[at + i] = (length & 0x7f) | (i < 4 ? 0x80 : 0);
      length >>>= 7;
    }
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = value;
  }
  raw(bytes: Iterable<number>): void {
    for (const b of bytes) this.byte(b);
  }
  u32(value: number): void {
    let v = value >>> 0;
    while (v >= 0x80) {
      this.byte((v & 0x7f) | 0x80);
      v >>>= 7;
    }
    this.byte(v);
  }
  s32(value: number): void {
    let v = value | 0;
    for (;;) {
      const b = v & 0x7f;
      v >>= 7;
      if ((v === 0 && (b & 0x40) === 0) || (v === -1 && (b & 0x40) !== 0)) return this.byte(b);
      this.byte(b | 0x80);
    }
  }
  s64(value: bigint): void {
    let v = value;
    for (;;) {
      const b = Number(v & 0x7fn);
      v >>= 7n;
      if ((v === 0n && (b & 0x40) === 0) || (v === -1n && (b & 0x40) !== 0)) return this.byte(b);
      this.byte(b | 0x80);
    }
  }
  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }
  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

interface Imported extends Callee {
  readonly module: string;
}

/** All that a module is made of, for other forms of it than the binary. Functions are numbered imports first. */
export interface ModuleContents {
  readonly memory: MemoryLimits;
  readonly table: boolean;
  readonly imports: readonly Imported[];
  readonly functions: readonly FunctionBuilder[];
  /** The types of functions called through the table, in addition to those of imports and functions. */
  readonly signatures: readonly Signature[];
  readonly globals: readonly Global[];
  readonly exports: readonly { readonly name: string; readonly callee: Callee }[];
}

export interface Global {
  readonly type: Type;
  readonly initial: number | bigint;
  readonly name: string | undefined;
}

export class ModuleBuilder {
  readonly #imports: Imported[] = [];
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: { name: string; callee: Callee }[] = [];
  readonly #globals: Global[] = [];
  readonly #indexOf = new Map<Callee, number>();
  readonly #memory: MemoryLimits;
  readonly #signatures: Signature[] = [];
  #typeOf = new Map<Signature, number>();
  #table = false;

  /** The memory is imported as `env.memory`. */
  constructor(memory: MemoryLimits) {
    this.#memory = memory;
  }

  importFunction(name: string, params: readonly Type[], results: readonly Type[]): Callee {
    assert(this.#functions.length === 0, 'imports come before functions');
    const imported = { module: 'env', name, params, results };
    this.#indexOf.set(imported, this.#imports.length);
    this.#imports.push(imported);
    return imported;
  }

  /** The function table is imported as `env.table`. */
  importTable(): void {
    this.#table = true;
  }

  /** The type of functions that are called through the table. */
  signature(params: readonly Type[], results: readonly Type[]): Signature {
    const signature = { params, results };
    this.#signatures.push(signature);
    return signature;
  }

  /** Declares a function; its body may be filled in later, so that functions can call each other. */
  function(name: string, params: readonly Type[], results: readonly Type[]): FunctionBuilder {
    const fn = new FunctionBuilder(name, params, results);
    this.#indexOf.set(fn, this.#imports.length + this.#functions.length);
    this.#functions.push(fn);
    return fn;
  }

  /** A mutable global, private to the instance. */
  global<T extends Type>(type: T, initial: number | bigint, name?: string): Expr<T> {
    this.#globals.push({ type, initial, name });
    return { kind: 'global', type, index: this.#globals.length - 1 };
  }

  export(callee: Callee): void {
    this.#exports.push({ name: callee.name, callee });
  }

  get contents(): ModuleContents {
    return {
      memory: this.#memory,
      table: this.#table,
      imports: this.#imports,
      functions: this.#functions,
      signatures: this.#signatures,
      globals: this.#globals,
      exports: this.#exports,
    };
  }

  encode(): Uint8Array<ArrayBuffer> {
    const types: string[] = [];
    const typeIndex = (c: Signature): number => {
      const key = `${c.params.join()}>${c.results.join()}`;
      const known = types.indexOf(key);
      return known >= 0 ? known : types.push(key) - 1;
    };
    const importTypes = this.#imports.map(typeIndex);
    const functionTypes = this.#functions.map(typeIndex);
    this.#typeOf = new Map(this.#signatures.map((signature) => [signature, typeIndex(signature)]));
    const out = new Sink();
    out.raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const section = (id: number, write: (s: Sink) => void): void => {
      out.byte(id);
      out.sized(() => write(out));
    };
    section(1, (s) => {
      s.u32(types.length);
      for (const key of types) {
        const [params, results] = key.split('>').map((part) => (part === '' ? [] : (part.split(',') as Type[])));
        s.byte(0x60);
        for (const list of [params, results]) {
          s.u32(list.length);
          for (const t of list) s.byte(typeCode[t]);
        }
      }
    });
    section(2, (s) => {
      s.u32(this.#imports.length + (this.#table ? 2 : 1));
      s.name('env');
      s.name('memory');
      s.byte(0x02);
      s.byte(this.#memory.shared ? 0x03 : 0x01);
      s.u32(this.#memory.initialPages);
      s.u32(this.#memory.maximumPages);
      if (this.#table) {
        s.name('env');
        s.name('table');
        s.raw([0x01, 0x70, 0x00, 0x00]);
      }
      for (const [i, f] of this.#imports.entries()) {
        s.name(f.module);
        s.name(f.name);
        s.byte(0x00);
        s.u32(importTypes[i]);
      }
    });
    section(3, (s) => {
      s.u32(functionTypes.length);
      for (const t of functionTypes) s.u32(t);
    });
    section(6, (s) => {
      s.u32(this.#globals.length);
      for (const g of this.#globals) {
        s.byte(typeCode[g.type]);
        s.byte(0x01);
        if (g.type === 'i32') {
          s.byte(0x41);
          s.s32(Number(g.initial));
        } else {
          assert(g.type === 'i64', 'globals are integers');
          s.byte(0x42);
          s.s64(BigInt(g.initial));
        }
        s.byte(0x0b);
      }
    });
    section(7, (s) => {
      s.u32(this.#exports.length);
      for (const e of this.#exports) {
        s.name(e.name);
        s.byte(0x00);
        s.u32(this.#index(e.callee));
      }
    });
    section(10, (s) => {
      s.u32(this.#functions.length);
      for (const f of this.#functions) {
        s.sized(() => this.#writeBody(s, f));
      }
    });
    section(0, (s) => {
      s.name('name');
      s.byte(0x01);
      s.sized(() => {
        const all = [...this.#imports, ...this.#functions];
        s.u32(all.length);
        for (const [i, f] of all.entries()) {
          s.u32(i);
          s.name(f.name);
        }
      });
    });
    return out.done() as Uint8Array<ArrayBuffer>;
  }

  #index(callee: Callee): number {
    const index = this.#indexOf.get(callee);
    assert(index !== undefined, `${callee.name} belongs to this module`);
    return index;
  }

  #writeBody(s: Sink, f: FunctionBuilder): void {
    const own = f.locals.slice(f.params.length);
    const runs: { type: Type; count: number }[] = [];
    for (const type of own) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    s.u32(runs.length);
    for (const run of runs) {
      s.u32(run.count);
      s.byte(typeCode[run.type]);
    }
    this.#writeStatements(s, f.body, []);
    if (f.results.length > 0) s.byte(0x00);
    s.byte(0x0b);
  }

  #writeStatements(s: Sink, statements: readonly Statement[], labels: readonly (Label | undefined)[]): void {
    for (const statement of statements) this.#writeStatement(s, statement, labels);
  }

  #writeStatement(s: Sink, t: Statement, labels: readonly (Label | undefined)[]): void {
    const depth = (label: Label): number => {
      const at = labels.lastIndexOf(label);
      assert(at >= 0, 'a branch goes to an enclosing label');
      return labels.length - 1 - at;
    };
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
        this.#writeStatements(s, t.body, [...labels, t.label]);
        return s.byte(0x0b);
      case 'if':
        writeExpr(s, t.condition);
        s.byte(0x04);
        s.byte(0x40);
        this.#writeStatements(s, t.then, [...labels, undefined]);
        if (t.otherwise.length > 0) {
          s.byte(0x05);
          this.#writeStatements(s, t.otherwise, [...labels, undefined]);
        }
        return s.byte(0x0b);
      case 'br':
        s.byte(0x0c);
        return s.u32(depth(t.label));
      case 'br-if':
        writeExpr(s, t.condition);
        s.byte(0x0d);
        return s.u32(depth(t.label));
      case 'br-table':
        writeExpr(s, t.index);
        s.byte(0x0e);
        s.u32(t.labels.length);
        for (const label of t.labels) s.u32(depth(label));
        return s.u32(depth(t.otherwise));
      case 'call':
        for (const a of t.args) writeExpr(s, a);
        s.byte(0x10);
        s.u32(this.#index(t.callee));
        if (t.into !== undefined) {
          s.byte(0x21);
          s.u32(t.into);
        } else if (t.callee.results.length > 0) s.byte(0x1a);
        return;
      case 'call-indirect': {
        for (const a of t.args) writeExpr(s, a);
        writeExpr(s, t.index);
        s.byte(t.tail ? 0x13 : 0x11);
        const type = this.#typeOf.get(t.signature);
        assert(type !== undefined, 'the signature is of this module');
        s.u32(type);
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
