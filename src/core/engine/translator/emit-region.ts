/**
 * A region as a WebAssembly function: blocks in address order inside a loop with a dispatch, integer registers in locals
 * (loaded on entry, those written flushed on exit), exact counts (a block is entered only if all its steps may be taken),
 * and at the end a jump straight into the next region's function where the fetch TLB knows it.
 */
import { get32, get64, set } from '../../machine/emit.ts';
import { hart, X } from '../../machine/hart.ts';
import {
  DECODED_PROFILE,
  FETCH_TLB_ENTRIES,
  fetchEntry,
  PAGE_BYTES,
  PROFILE_TRANSLATED,
} from '../../machine/memory-map.ts';
import { type I32, type I64, i32, i64, type Type } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label, Signature } from '../../wasm/function.ts';
import { type RegionEmitter, TranslatorContext } from './context.ts';
import type { Block } from './region.ts';

const c32 = i32.const;
const c64 = i64.const;

/** What a module of translations imports, by name: functions of the interpreter's module, and the softfloat. */
export const translationImports = {
  loadQuick: { params: ['i64', 'i32'], results: ['i64'] },
  storeQuick: { params: ['i64', 'i32', 'i64'], results: [] },
  atomicHost: { params: ['i64', 'i32', 'i32'], results: ['i32'] },
  softfloat: { params: ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'], results: ['i64'] },
} as const satisfies Record<string, { readonly params: readonly Type[]; readonly results: readonly Type[] }>;
export type TranslationImport = keyof typeof translationImports;

export interface RegionImports extends Readonly<Record<TranslationImport, Callee>> {
  /** The type of regions, for the chaining call. */
  readonly translation: Signature;
  readonly ramOffset: number;
}

/** Where a region belongs: its decoded page, as an offset in linear memory, and its number in the table. */
export interface RegionPlace {
  readonly decoded: number;
  readonly number: number;
}

/** Fills in `f`, of type (remaining steps, block to begin with, virtual address of the page) → remaining steps. */
export function emitRegion(
  f: FunctionBuilder,
  blocks: readonly Block[],
  imports: RegionImports,
  _place: RegionPlace,
): void {
  const remaining = f.param<'i32'>(0);
  const pend = f.param<'i32'>(1);
  const pageVirtual = f.param<'i64'>(2);
  const target = f.permanent('i64');
  const dataTlb = f.permanent('i32');
  const readGeneration = f.permanent('i64');
  const writeGeneration = f.permanent('i64');
  const registers = new Map<number, I64>();
  const written = new Set<number>();
  const reload = (): void => {
    f.set(readGeneration, get64(hart.readGeneration));
    f.set(writeGeneration, get64(hart.writeGeneration));
  };
  const register = (number: number): I64 => {
    const known = registers.get(number);
    if (known) return known;
    const local = f.permanent('i64');
    registers.set(number, local);
    return local;
  };
  const assign = (number: number, value: I64): void => {
    written.add(number);
    f.set(register(number), value);
  };

  const prologue = f.reserve();
  f.block((leave) => {
    f.block((stop) => {
      f.loop((again) => {
        const indexOf = new Map(blocks.map((block, i) => [block.start, i]));
        const labels: Label[] = [];
        let current = 0;
        const region: RegionEmitter = {
          f,
          pageVirtual,
          tlb: { table: dataTlb, readGeneration, writeGeneration },
          reload,
          register,
          assign,
          ...imports,
          goto: (offset) => {
            const index = offset >= 0 && offset < PAGE_BYTES ? indexOf.get(offset) : undefined;
            if (index === undefined) {
              f.set(target, i64.add(pageVirtual, c64(offset)));
              f.br(leave);
            } else if (index > current) f.br(labels[index]);
            else {
              f.set(pend, c32(index));
              f.br(again);
            }
          },
          leave: (to) => {
            f.set(target, to);
            f.br(leave);
          },
        };
        const nest = (i: number): void => {
          if (i < 0) {
            f.brTable(labels, labels[0], pend);
            return;
          }
          f.block((label) => {
            labels[i] = label;
            nest(i - 1);
          });
          current = i;
          emitBlock(region, blocks[i], blocks[i + 1], remaining, target, stop);
        };
        nest(blocks.length - 1);
      });
    });
    flush(f, registers, written);
    set(f, hart.pc, target);
    f.return(remaining);
  });
  flush(f, registers, written);
  emitChain(f, imports, remaining, target);
  prologue(() => {
    f.set(dataTlb, get32(hart.dataTlb));
    reload();
    for (const [number, local] of registers) f.set(local, i64.load(c32(X), number * 8));
  });
}

function flush(f: FunctionBuilder, registers: ReadonlyMap<number, I64>, written: ReadonlySet<number>): void {
  for (const number of written) f.store('i64.store', c32(X), registers.get(number)!, number * 8);
}

function emitBlock(
  region: RegionEmitter,
  block: Block,
  next: Block | undefined,
  remaining: I32,
  target: I64,
  stop: Label,
): void {
  const { f, pageVirtual } = region;
  const { instructions } = block;
  const leaveAt = (offset: number): void => {
    f.set(target, i64.add(pageVirtual, c64(offset)));
    f.br(stop);
  };
  f.if(i32.lt_u(remaining, c32(instructions.length)), () => leaveAt(block.start));
  f.set(remaining, i32.sub(remaining, c32(instructions.length)));
  let ended = false;
  for (const [i, instruction] of instructions.entries()) {
    f.scope(() => {
      const context = new TranslatorContext(region, instruction, () => {
        f.set(remaining, i32.add(remaining, c32(instructions.length - i)));
        leaveAt(instruction.offset);
      });
      instruction.operation.semantics(context);
      ended = context.ended;
    });
  }
  if (!ended && next?.start !== block.end) region.goto(block.end);
}

/** Goes on in the translation at `target`, if the fetch TLB knows its page and there is one; else gives back to the interpreter. */
function emitChain(f: FunctionBuilder, imports: RegionImports, remaining: I32, target: I64): void {
  const index = i32.and(i32.wrap_i64(i64.shr_u(target, c64(12))), c32(FETCH_TLB_ENTRIES - 1));
  const entry = f.let(i32.add(get32(hart.fetchTlb), i32.shl(index, c32(4))));
  const page = f.let(i64.and(target, c64(-4096)));
  f.if(i64.eq(i64.load(entry, fetchEntry.tag), i64.or(page, get64(hart.readGeneration))), () => {
    const slot = i32.shl(i32.and(i32.wrap_i64(target), c32(4094)), c32(1));
    const word = f.let(i32.load(i32.add(i32.load(entry, fetchEntry.decode), slot), DECODED_PROFILE));
    f.if(i32.and(word, c32(PROFILE_TRANSLATED)), () => {
      const number = i32.and(word, c32(PROFILE_TRANSLATED - 1));
      f.tailCallIndirect(imports.translation, number, remaining, i32.shr_u(word, c32(16)), page);
    });
  });
  set(f, hart.pc, target);
  f.return(remaining);
}
