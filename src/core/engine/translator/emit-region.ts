/**
 * A region as a WebAssembly function. Blocks stand in address order inside recovered loops (structure.ts); registers are
 * locals, loaded on entry; counts are exact (a block is entered only if all its steps may be taken).
 *
 * `pend` says where control is to arrive while it cannot branch there: 0 is nowhere in particular, k + 1 is block k. It is
 * looked at where a region or a loop begins that can be entered elsewhere than at its header, and a block that it can lead
 * to sets it back to 0.
 *
 * There are two ways out. `stop` gives back to the interpreter, with all registers stored. `chain` goes straight on in the
 * translation at `target`, if the fetch TLB knows its page; who goes there has stored what it may have changed.
 */

import { disassemble } from '../../isa/disassembler.ts';
import { get32, get64, set } from '../../machine/emit.ts';
import { fetchEntryOf } from '../../machine/fetch.ts';
import { EVENT_REFETCH, EVENT_RETRY, F, hart, X } from '../../machine/hart.ts';
import { DECODED_PROFILE, ENTRY_STEPS, fetchEntry, PROFILE_TRANSLATED } from '../../machine/memory-map.ts';
import { type F64, f64, type I32, type I64, i32, i64, type Type } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label, Signature } from '../../wasm/function.ts';
import { TranslatorContext } from './context.ts';
import { type Block, directTarget, endsBlock } from './region.ts';
import { changesOf, type Registers } from './registers.ts';
import { stepsNeeded } from './steps.ts';
import { findStructure, firstOf, type Item, isLoop, type Loop } from './structure.ts';

const c32 = i32.const;
const c64 = i64.const;

/** What a module of translations imports, by name: functions of the interpreter's module, and the softfloat. */
export const translationImports = {
  storedTables: { params: [], results: [] },
  atomicHost: { params: ['i64', 'i32', 'i32'], results: ['i32'] },
  csr: { params: ['i32', 'i32', 'i64', 'i32'], results: ['i64'] },
  flush: { params: [], results: [] },
  updateModes: { params: [], results: [] },
  takeTrap: { params: [], results: [] },
  sret: { params: [], results: [] },
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
  place: RegionPlace,
): void {
  new RegionEmitter(f, blocks, imports, place).emit();
}

export class RegionEmitter {
  readonly f: FunctionBuilder;
  readonly imports: RegionImports;
  readonly remaining: I32;
  /** Virtual address of the page. */
  readonly pageVirtual: I64;
  readonly #blocks: readonly Block[];
  readonly #place: RegionPlace;
  readonly #pend: I32;
  readonly #target: I64;
  /** On the way to `stop`: the offset in the page of the next instruction, and in the upper half the steps to give back. */
  readonly #stopPlace: I32;
  /** What the fast path of an access compares with; the table's address is a copy: `reload` after a change of mode. */
  readonly tlb: { readonly table: I32; readonly readGeneration: I64; readonly writeGeneration: I64 };
  readonly #x = new Map<number, I64>();
  readonly #f = new Map<number, F64>();
  readonly #indexOf: ReadonlyMap<number, number>;
  readonly #loopsOf: readonly (readonly Loop[])[];
  readonly #items: readonly Item[];
  readonly #dirtyAt: readonly Registers[];
  readonly #written: Registers;
  readonly #stepsNeeded: readonly number[];
  readonly #pendTargets = new Set<number>();
  /** In front of a block, and of a loop by its header; the beginning of a loop's body by its header. */
  readonly #blockLabels = new Map<number, Label>();
  readonly #loopLabels = new Map<number, Label>();
  readonly #again = new Map<number, Label>();
  #indirect!: Label;
  #stop!: Label;
  #chain!: Label;
  #hasIndirect = false;

  constructor(f: FunctionBuilder, blocks: readonly Block[], imports: RegionImports, place: RegionPlace) {
    this.f = f;
    this.imports = imports;
    this.remaining = f.param<'i32'>(0, 'remaining');
    this.pageVirtual = f.param<'i64'>(2, 'page');
    this.#blocks = blocks;
    this.#place = place;
    this.#pend = f.permanent('i32', 'pend');
    this.#target = f.permanent('i64', 'target');
    this.#stopPlace = f.permanent('i32', 'stop_place');
    this.tlb = {
      table: f.permanent('i32', 'tlb'),
      readGeneration: get64(hart.readGeneration),
      writeGeneration: get64(hart.writeGeneration),
    };
    this.#indexOf = new Map(blocks.map((block, i) => [block.start, i]));
    const successors = blocks.map((block) => this.#successorsOf(block));
    const { items, loopsOf } = findStructure(successors);
    this.#items = items;
    this.#loopsOf = loopsOf;
    const { dirtyAt, written } = changesOf(blocks, successors);
    this.#dirtyAt = dirtyAt;
    this.#written = written;
    this.#stepsNeeded = stepsNeeded(blocks, successors);
    this.#findPendTargets(successors);
  }

  emit(): void {
    const { f } = this;
    const prologue = f.reserve();
    f.block((chain) => {
      this.#chain = chain;
      f.block((stop) => {
        this.#stop = stop;
        f.loop((dispatch) => {
          f.block((indirect) => {
            this.#indirect = indirect;
            this.#emitLevel(this.#items, 0, this.#blocks.length - 1);
          }, 'indirect');
          if (this.#hasIndirect) this.#emitIndirect(dispatch);
        }, 'dispatch');
      }, 'stop');
      this.#emitStop();
    }, 'chain');
    this.#emitChain();
    prologue(() => {
      f.set(this.#pend, i32.add(f.param<'i32'>(1, 'entry'), c32(1)));
      this.reload();
      set(f, hart.decodeBase, c32(this.#place.decoded));
      set(f, hart.decodePageVirtual, this.pageVirtual);
      for (const [number, local] of this.#x) f.set(local, i64.load(c32(X), number * 8));
      for (const [number, local] of this.#f) f.set(local, f64.load(c32(F), number * 8));
    });
  }

  // ---- flow -----------------------------------------------------------------------------------------------------------
  #blockAt(offset: number | undefined): number | undefined {
    return offset === undefined ? undefined : this.#indexOf.get(offset);
  }

  #successorsOf({ instructions, end }: Block): number[] {
    const last = instructions[instructions.length - 1];
    const after = last.operation.kind === 'branch' || !endsBlock(last.operation) ? end : undefined;
    const targets = [this.#blockAt(directTarget(last)), this.#blockAt(after)];
    return targets.filter((target) => target !== undefined);
  }

  /** The loop that control enters from block `from` on its way forward to block `to`; undefined: it is in no further one. */
  #entered(from: number, to: number): Loop | undefined {
    const here = this.#loopsOf[from];
    return this.#loopsOf[to].find((loop, depth) => here[depth] !== loop);
  }

  #findPendTargets(successors: readonly (readonly number[])[]): void {
    for (const [i, block] of this.#blocks.entries()) if (block.enterable) this.#pendTargets.add(i);
    for (const [from, targets] of successors.entries()) {
      for (const to of targets) {
        if (to <= from) continue;
        const loop = this.#entered(from, to);
        if (loop !== undefined && loop.header !== to) this.#pendTargets.add(to);
      }
    }
  }

  /** Goes from block `from` to the block at that offset of the page, or leaves the region for it. */
  goto(from: number, offset: number, dirty: Registers): void {
    const { f } = this;
    const to = this.#blockAt(offset);
    if (to === undefined) {
      this.leave(i64.add(this.pageVirtual, c64(offset)), dirty);
      return;
    }
    if (to <= from) {
      f.br(this.#again.get(to)!);
      return;
    }
    const loop = this.#entered(from, to);
    if (loop === undefined) f.br(this.#blockLabels.get(to)!);
    else {
      if (loop.header !== to) f.set(this.#pend, c32(to + 1));
      f.br(this.#loopLabels.get(loop.header)!);
    }
  }

  /** Leaves the region for a virtual address. */
  leave(target: I64, dirty: Registers): void {
    this.f.set(this.#target, target);
    this.flush(dirty);
    this.f.br(this.#chain);
  }

  /** An indirect jump: within the page by the region's dispatch, else out of it. */
  jumpTo(target: I64, dirty: Registers): void {
    const { f } = this;
    this.#hasIndirect = true;
    f.set(this.#target, target);
    f.brIf(this.#indirect, i64.lt_u(i64.xor(this.#target, this.pageVirtual), c64(4096)));
    this.flush(dirty);
    f.br(this.#chain);
  }

  /** To `target`, which is in this page: the region's own profile word says so, and which block it is. */
  #emitIndirect(dispatch: Label): void {
    const { f } = this;
    const { decoded, number } = this.#place;
    f.set(this.#pend, i32.wrap_i64(i64.sub(this.#target, this.pageVirtual)));
    const slot = i32.shl(i32.and(this.#pend, c32(4094)), c32(1));
    const word = f.let(i32.load(slot, decoded + DECODED_PROFILE));
    f.if(
      i32.eq(i32.and(word, c32(0xffff)), c32(PROFILE_TRANSLATED | number)),
      () => {
        f.if(
          i32.lt_s(this.remaining, c32(ENTRY_STEPS)),
          () => {
            f.set(this.#stopPlace, this.#pend);
            f.br(this.#stop);
          },
          undefined,
          false,
        );
        f.set(this.#pend, i32.add(i32.shr_u(word, c32(16)), c32(1)));
        f.br(dispatch);
      },
      undefined,
      true,
    );
    this.flush(this.#written);
    f.br(this.#chain);
  }

  /** Gives back to the interpreter before the instruction at that offset, with that many steps of its block not taken. */
  stopAt(offset: number, steps: number): void {
    this.f.set(this.#stopPlace, c32(offset | (steps << 16)));
    this.f.br(this.#stop);
  }

  /** After an atomic: `event` says whether it has been done (EVENT_REFETCH) or is still to be. */
  stopAround(before: number, after: number, behind: number): void {
    const done = i32.eq(get32(hart.event), c32(EVENT_REFETCH));
    const places = i32.select(c32(after | (behind << 16)), c32(before | ((behind + 1) << 16)), done);
    this.f.set(this.#stopPlace, places);
    this.f.br(this.#stop);
  }

  #emitStop(): void {
    const { f } = this;
    this.flush(this.#written);
    const offset = i64.extend_i32_u(i32.and(this.#stopPlace, c32(0xffff)));
    set(f, hart.pc, i64.add(this.pageVirtual, offset));
    // The interpreter does not come back at once.
    set(f, hart.event, c32(EVENT_RETRY));
    f.return(i32.add(this.remaining, i32.shr_u(this.#stopPlace, c32(16))));
  }

  /** hart.pc says where it goes on: straight, unless the machine has to look around before the next step. */
  leaveAround(mustStop: I32, dirty: Registers): void {
    const { f } = this;
    f.set(this.#target, get64(hart.pc));
    this.flush(dirty);
    f.if(mustStop, () => f.return(this.remaining));
    f.br(this.#chain);
  }

  // ---- registers ------------------------------------------------------------------------------------------------------
  x(number: number): I64 {
    return local(this.f, this.#x, 'i64', 'x', number);
  }
  float(number: number): F64 {
    return local(this.f, this.#f, 'f64', 'f', number);
  }

  flush({ x, f: floats }: Registers): void {
    for (let i = 1; i < 32; i++) {
      if ((x >>> i) & 1) this.f.store('i64.store', c32(X), this.x(i), i * 8);
    }
    for (let i = 0; i < 32; i++) {
      if ((floats >>> i) & 1) this.f.store('f64.store', c32(F), this.float(i), i * 8);
    }
  }

  reload(): void {
    this.f.set(this.tlb.table, get32(hart.dataTlb));
  }

  // ---- structure ------------------------------------------------------------------------------------------------------
  /** The items of a loop, or of the region, whose blocks have the indices `first` to `last`. */
  #emitLevel(items: readonly Item[], first: number, last: number): void {
    const { f } = this;
    const guarded = (index: number): boolean => index > first && this.#pendTargets.has(index);
    let needsDispatch = false;
    for (let i = first + 1; i <= last; i++) needsDispatch ||= guarded(i);
    const labels: Label[] = [];
    const nest = (i: number): void => {
      if (i < 0) {
        if (needsDispatch) this.#emitDispatch(items, labels, first);
        return;
      }
      f.block(
        (label) => {
          labels[i] = label;
          const item = items[i];
          (isLoop(item) ? this.#loopLabels : this.#blockLabels).set(firstOf(item), label);
          nest(i - 1);
        },
        this.#nameOf('to', items[i]),
      );
      this.#emitItem(items[i]);
    };
    nest(items.length - 1);
  }

  #nameOf(what: string, item: Item): string {
    return `${what}_${address(this.#blocks[firstOf(item)].start)}`;
  }

  #emitDispatch(items: readonly Item[], labels: readonly Label[], first: number): void {
    const { f } = this;
    const table: Label[] = [];
    for (const [i, item] of items.entries()) {
      const end = isLoop(item) ? item.last : item.block;
      for (let index = firstOf(item); index <= end; index++) table.push(labels[i]);
    }
    f.brIf(labels[0], i32.eqz(this.#pend));
    f.brTable(table, labels[0], i32.sub(this.#pend, c32(first + 1)));
  }

  #emitItem(item: Item): void {
    if (!isLoop(item)) {
      this.#emitBlock(item.block);
      return;
    }
    this.f.loop(
      (again) => {
        this.#again.set(item.header, again);
        this.#emitLevel(item.items, item.header, item.last);
      },
      this.#nameOf('loop', item),
    );
  }

  #emitBlock(index: number): void {
    const { f } = this;
    const block = this.#blocks[index];
    const { instructions } = block;
    if (this.#pendTargets.has(index)) f.set(this.#pend, c32(0));
    const needed = this.#stepsNeeded[index];
    if (needed > 0) f.if(i32.lt_s(this.remaining, c32(needed)), () => this.stopAt(block.start, 0), undefined, false);
    f.set(this.remaining, i32.sub(this.remaining, c32(instructions.length)));
    let ended = false;
    let dirty = this.#dirtyAt[index];
    const known = { floatReady: false };
    for (const [i, instruction] of instructions.entries()) {
      f.comment(() => `${address(instruction.offset)}: ${disassemble(instruction.bits, BigInt(instruction.offset))}`);
      f.scope(() => {
        const context = new TranslatorContext({
          region: this,
          block: index,
          instruction,
          behind: instructions.length - i - 1,
          dirty,
          known,
        });
        instruction.operation.semantics(context);
        context.finish();
        ended = context.ended;
        dirty = context.dirty;
      });
    }
    if (!ended) this.goto(index, block.end, dirty);
  }

  // ---- out ------------------------------------------------------------------------------------------------------------
  /** Goes on in the translation at `target`, if the fetch TLB knows its page and there is one; else to the interpreter. */
  #emitChain(): void {
    const { f } = this;
    const target = this.#target;
    const entry = f.let(fetchEntryOf(target));
    const page = f.let(i64.and(target, c64(-4096)));
    f.if(
      i64.eq(i64.load(entry, fetchEntry.tag), i64.or(page, get64(hart.readGeneration))),
      () => {
        const slot = i32.shl(i32.and(i32.wrap_i64(target), c32(4094)), c32(1));
        const word = f.let(i32.load(i32.add(i32.load(entry, fetchEntry.decode), slot), DECODED_PROFILE));
        const enough = i32.ge_s(this.remaining, c32(ENTRY_STEPS));
        f.if(
          i32.and(enough, i32.ne(i32.and(word, c32(PROFILE_TRANSLATED)), c32(0))),
          () => {
            const number = i32.and(word, c32(PROFILE_TRANSLATED - 1));
            const entryBlock = i32.shr_u(word, c32(16));
            f.tailCallIndirect(this.imports.translation, number, this.remaining, entryBlock, page);
          },
          undefined,
          true,
        );
      },
      undefined,
      true,
    );
    set(f, hart.pc, target);
    f.return(this.remaining);
  }
}

const address = (offset: number): string => offset.toString(16).padStart(3, '0');

function local<T extends 'i64' | 'f64'>(
  f: FunctionBuilder,
  known: Map<number, ReturnType<typeof f.permanent<T>>>,
  type: T,
  letter: string,
  number: number,
): ReturnType<typeof f.permanent<T>> {
  let found = known.get(number);
  if (found === undefined) {
    found = f.permanent(type, `${letter}${number}`);
    known.set(number, found);
  }
  return found;
}
