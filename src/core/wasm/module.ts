/**
 * A WebAssembly module under construction, and its binary form (WebAssembly core 2.0, chapter 5, with the threads
 * proposal's shared memory, and branch hints, which are in 3.0). Function names go into the name section, so that profiles
 * are readable.
 */
import { assert } from '../base/assert.ts';
import { type BranchHint, typeCode, writeBody } from './body.ts';
import type { Expr, Type } from './expression.ts';
import { type Callee, FunctionBuilder, type Signature } from './function.ts';
import { Sink } from './sink.ts';

export interface MemoryLimits {
  readonly initialPages: number;
  readonly maximumPages: number;
  readonly shared: boolean;
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
    const code = new Sink();
    const hints = this.#writeCode(code);
    if (hints.length > 0) section(0, (s) => writeHints(s, hints));
    section(10, (s) => s.bulk(code.done()));
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

  #writeCode(s: Sink): FunctionHints[] {
    const hints: FunctionHints[] = [];
    const indices = {
      functionIndex: (callee: Callee) => this.#index(callee),
      typeIndex: (signature: Signature) => {
        const type = this.#typeOf.get(signature);
        assert(type !== undefined, 'the signature is of this module');
        return type;
      },
    };
    s.u32(this.#functions.length);
    for (const f of this.#functions) {
      s.sized(() => {
        const branches = writeBody(s, f, indices);
        if (branches.length > 0) hints.push({ index: this.#index(f), branches });
      });
    }
    return hints;
  }
}

interface FunctionHints {
  readonly index: number;
  readonly branches: readonly BranchHint[];
}

/** Comes before the code section (branch hinting proposal, "Binary format"). */
function writeHints(s: Sink, hints: readonly FunctionHints[]): void {
  s.name('metadata.code.branch_hint');
  s.u32(hints.length);
  for (const { index, branches } of hints) {
    s.u32(index);
    s.u32(branches.length);
    for (const { offset, likely } of branches) {
      s.u32(offset);
      s.u32(1);
      s.byte(likely ? 1 : 0);
    }
  }
}
