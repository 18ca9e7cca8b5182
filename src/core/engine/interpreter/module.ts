/**
 * The interpreter as a WebAssembly module, generated from the ISA table: one function with a loop and a dispatch over
 * predecoded records; machine/ supplies translation, traps and CSRs as functions of the same module.
 *
 * Positions are exact: `run(n)` takes at most n steps and says how many it took. Before each step that could see a change
 * of interrupts (after CSR writes, xRET, device accesses, at each entry) it passes through `check`.
 */
import { type Operation, operations } from '../../isa/table.ts';
import { emitCsr } from '../../machine/csr.ts';
import { get32, get64, noteTrap, set } from '../../machine/emit.ts';
import { cause, hart } from '../../machine/hart.ts';
import {
  DECODED_PROFILE,
  DECODED_TRAILER,
  ENTRY_STEPS,
  type MemoryMap,
  PROFILE_TRANSLATED,
  RECORD_BYTES,
  SLOTS,
} from '../../machine/memory-map.ts';
import { emitMmu } from '../../machine/mmu.ts';
import { emitPageHash } from '../../machine/page-hash.ts';
import { emitTraps, pendingInterrupts } from '../../machine/trap.ts';
import { type I32, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label, Signature } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { InterpreterContext, type Loop, pcNow } from './context.ts';
import { dispatch, FIRST_OPERATION, record } from './record.ts';

const c32 = i32.const;
const c64 = i64.const;

export interface InterpreterBuild {
  /** Count jumps, enter translations through the table, and call `hot` at this count; undefined: none of it. */
  readonly hotAfter: number | undefined;
}

/** The type of translations: (remaining steps, block to begin with, virtual address of the page) → remaining steps. */
export const TRANSLATION = { params: ['i32', 'i32', 'i64'], results: ['i32'] } as const;

export function buildInterpreter(
  map: MemoryMap,
  memoryPages: number,
  build: InterpreterBuild,
): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder({ initialPages: memoryPages, maximumPages: memoryPages, shared: true });
  const mmioRead = m.importFunction('mmioRead', ['i32', 'i32'], ['i32']);
  const mmioWrite = m.importFunction('mmioWrite', ['i32', 'i32'], ['i32']);
  const htifStore = m.importFunction('htifStore', ['i32', 'i32'], []);
  const softfloat = m.importFunction('softfloat', ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'], ['i64']);
  /** (record's offset, instruction bits): fills the record in. */
  const decode = m.importFunction('decode', ['i32', 'i32'], []);
  /** (decoded page, record): worth a translation. */
  const { hotAfter } = build;
  const hot =
    hotAfter === undefined ? undefined : { after: hotAfter, report: m.importFunction('hot', ['i32', 'i32'], []) };
  if (hot) m.importTable();
  const mmu = emitMmu(m, map, { mmioRead, mmioWrite, htifStore });
  const traps = emitTraps(m, mmu.updateModes);
  const csr = emitCsr(m, mmu);
  const rawBits = emitRawBits(m, map);
  const run = m.function('run', ['i32'], ['i32']);
  const translation = m.signature(TRANSLATION.params, TRANSLATION.results);
  emitRun(run, map, { mmu, traps, csr, softfloat, decode, rawBits, hot, translation });
  const hashPage = emitPageHash(m);
  const quick = hot ? [mmu.storedTables, mmu.atomicHost, csr, traps.takeTrap, traps.sret] : [];
  for (const callee of [run, mmu.flush, mmu.bumpWrite, mmu.updateModes, mmu.touchRange, hashPage, ...quick]) {
    m.export(callee);
  }
  return m.encode();
}

/** (ip, base) → the bits of the instruction there, zero-extended, for stval and mtval. */
function emitRawBits(m: ModuleBuilder, map: MemoryMap): Callee {
  const f = m.function('rawBits', ['i32', 'i32'], ['i64']);
  const ip = f.param<'i32'>(0);
  const base = f.param<'i32'>(1);
  f.if(i32.eq(base, c32(map.scratch)), () => f.return(i64.extend_i32_u(get32(hart.straddleBits))));
  const at = f.let(i32.add(i32.load(base, DECODED_TRAILER), i32.shr_u(i32.sub(ip, base), c32(3))));
  const low = f.let(i32.load16_u(at));
  f.if(i32.ne(i32.and(low, c32(3)), c32(3)), () => f.return(i64.extend_i32_u(low)));
  f.return(i64.extend_i32_u(i32.or(low, i32.shl(i32.load16_u(at, 2), c32(16)))));
  return f;
}

interface Hot {
  readonly after: number;
  /** (decoded page, record) */
  readonly report: Callee;
}

interface Parts {
  readonly mmu: ReturnType<typeof emitMmu>;
  readonly traps: ReturnType<typeof emitTraps>;
  readonly csr: Callee;
  readonly softfloat: Callee;
  readonly decode: Callee;
  readonly rawBits: Callee;
  readonly hot: Hot | undefined;
  readonly translation: Signature;
}

function emitRun(f: FunctionBuilder, map: MemoryMap, parts: Parts): void {
  const limit = f.param<'i32'>(0);
  const remaining = f.local('i32');
  const ip = f.local('i32');
  const base = f.local('i32');
  const pageVirtual = f.local('i64');
  /** The next instruction is to be interpreted: a translation that begins there got nowhere. */
  const skip = f.local('i32');
  f.set(skip, c32(0));
  f.set(remaining, limit);
  set(f, hart.limit, limit);
  set(f, hart.exit, c32(0));
  set(f, hart.deferred, c32(0));
  set(f, hart.event, c32(0));
  set(f, hart.refetch, c32(0));
  const spend = (): void => f.set(remaining, i32.sub(remaining, c32(1)));
  f.block((out) => {
    f.loop((check) => {
      f.brIf(out, i32.eqz(remaining));
      f.if(i64.ne(pendingInterrupts(), c64(0)), () => {
        f.scope(() => {
          f.if(f.call<'i32'>(parts.traps.takeInterrupt), () => {
            spend();
            f.brIf(out, get32(hart.exit));
            f.br(check);
          });
        });
      });
      f.scope(() => f.set(ip, f.call<'i32'>(parts.mmu.fetch, get64(hart.pc))));
      const takeTrap = (): void => {
        f.do(parts.traps.takeTrap);
        f.brIf(out, get32(hart.exit));
        f.br(check);
      };
      f.if(i32.eqz(ip), () => {
        spend();
        takeTrap();
      });
      f.set(base, get32(hart.decodeBase));
      f.set(pageVirtual, get64(hart.decodePageVirtual));
      const labels = { check, out } as Mutable<Loop['labels']>;
      const loop: Loop = { f, ip, base, pageVirtual, remaining, ramOffset: map.ram, labels, ...parts };
      f.block((trap) => {
        labels.trap = trap;
        f.block((illegal) => {
          labels.illegal = illegal;
          f.loop((enter) => {
            labels.jumped = enter;
            if (parts.hot) f.scope(() => emitEnter(loop, map, parts, parts.hot!, skip));
            f.block((stop) => {
              f.loop((step) => {
                labels.step = step;
                if (!parts.hot) labels.jumped = step;
                f.brIf(stop, i32.eqz(remaining));
                spend();
                emitDispatch(loop, map, parts);
              });
            });
            set(f, hart.pc, pcNow(loop));
            f.br(out);
          });
        });
        f.scope(() => noteTrap(f, cause.illegalInstruction, f.call<'i64'>(parts.rawBits, ip, base)));
      });
      set(f, hart.pc, pcNow(loop));
      takeTrap();
    });
  });
  f.set(remaining, i32.add(remaining, get32(hart.deferred)));
  const taken = f.let(i32.sub(limit, remaining));
  set(f, hart.position, i64.add(get64(hart.position), i64.extend_i32_u(taken)));
  f.return(taken);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where jumps arrive: enters the translation that begins there, or counts. */
function emitEnter(loop: Loop, map: MemoryMap, parts: Parts, hot: Hot, skip: I32): void {
  const { f, ip, base, remaining, pageVirtual, labels } = loop;
  f.if(
    i32.or(skip, get32(hart.translateOff)),
    () => f.set(skip, c32(0)),
    () => {
      const slot = f.let(i32.add(base, i32.shr_u(i32.sub(ip, base), c32(2))));
      const word = f.let(i32.load(slot, DECODED_PROFILE));
      const enough = i32.ge_s(remaining, c32(ENTRY_STEPS));
      f.if(i32.and(enough, i32.ne(i32.and(word, c32(PROFILE_TRANSLATED)), c32(0))), () => {
        set(f, hart.event, c32(0));
        set(f, hart.refetch, c32(0));
        set(f, hart.translated, c32(1));
        const index = i32.and(word, c32(PROFILE_TRANSLATED - 1));
        const left = f.callIndirect<'i32'>(parts.translation, index, remaining, i32.shr_u(word, c32(16)), pageVirtual);
        set(f, hart.translated, c32(0));
        f.set(skip, i32.or(i32.ne(get32(hart.event), c32(0)), i32.eq(left, remaining)));
        set(f, hart.event, c32(0));
        set(f, hart.refetch, c32(0));
        const taken = i64.extend_i32_u(i32.sub(remaining, left));
        set(f, hart.translatedSteps, i64.add(get64(hart.translatedSteps), taken));
        set(f, hart.translatedEntries, i64.add(get64(hart.translatedEntries), c64(1)));
        f.set(remaining, left);
        f.brIf(labels.out, get32(hart.exit));
        f.br(labels.check);
      });
      f.if(i32.and(i32.lt_u(word, c32(hot.after)), i32.ne(base, c32(map.scratch))), () => {
        const count = f.let(i32.add(word, c32(1)));
        f.store('i32.store', slot, count, DECODED_PROFILE);
        f.if(i32.eq(count, c32(hot.after)), () => f.do(hot.report, base, ip));
      });
    },
  );
}

/** One block a case, nested, the dispatch innermost; each case leaves by a branch of its own. */
function emitDispatch(loop: Loop, map: MemoryMap, parts: Parts): void {
  const { f, ip, labels } = loop;
  const bodies: (() => void)[] = [];
  bodies[dispatch.undecoded] = () => emitUndecoded(loop, parts.decode);
  bodies[dispatch.reenter] = () => {
    set(f, hart.pc, pcNow(loop));
    f.set(loop.remaining, i32.add(loop.remaining, c32(1)));
    f.br(labels.check);
  };
  bodies[dispatch.straddle] = () => emitStraddle(loop, map, parts);
  bodies[dispatch.illegal] = () => f.br(labels.illegal);
  for (const [id, operation] of operations.entries()) {
    bodies[FIRST_OPERATION + id] = () => emitOperation(loop, operation);
  }
  const targets: Label[] = [];
  const nest = (i: number): void => {
    if (i < 0) {
      f.brTable(targets, labels.illegal, i32.load16_u(ip, record.operation));
      return;
    }
    f.block((label) => {
      targets[i] = label;
      nest(i - 1);
    });
    f.scope(bodies[i]);
  };
  nest(bodies.length - 1);
}

function emitOperation(loop: Loop, operation: Operation): void {
  const context = new InterpreterContext(loop, operation);
  operation.semantics(context);
  context.finish();
}

/** The guest's bytes behind the record at ip. */
function hostOf(loop: Loop): I32 {
  return i32.add(i32.load(loop.base, DECODED_TRAILER), i32.shr_u(i32.sub(loop.ip, loop.base), c32(3)));
}

function emitUndecoded(loop: Loop, decode: Callee): void {
  const { f, ip, base, labels, remaining } = loop;
  const host = f.let(hostOf(loop));
  const bits = f.let(i32.load16_u(host));
  // Decoding counts as use of the page: stores into it may be many, as long as there is code in between.
  f.store('i32.store', base, c32(0), DECODED_TRAILER + 4);
  f.block((decoded) => {
    f.if(i32.eq(i32.and(bits, c32(3)), c32(3)), () => {
      f.if(i32.eq(i32.and(host, c32(4095)), c32(4094)), () => {
        f.store('i32.store16', ip, c32(dispatch.straddle));
        f.br(decoded);
      });
      f.set(bits, i32.or(bits, i32.shl(i32.load16_u(host, 2), c32(16))));
    });
    f.do(decode, ip, bits);
  });
  f.set(remaining, i32.add(remaining, c32(1)));
  f.br(labels.step);
}

/**
 * An instruction whose halves lie in two pages depends on two mappings: it is put together anew each time, in a page of
 * its own whose other slots all mean "look the page up again".
 */
function emitStraddle(loop: Loop, map: MemoryMap, parts: Parts): void {
  const { f, ip, base, labels, remaining } = loop;
  const slot = map.scratch + (SLOTS - 1) * RECORD_BYTES;
  const low = f.let(i32.load16_u(hostOf(loop)));
  const second = f.call<'i32'>(parts.mmu.fetch, i64.add(pcNow(loop), c64(2)));
  f.brIf(labels.trap, i32.eqz(second));
  const high = i32.load16_u(i32.load(get32(hart.decodeBase), DECODED_TRAILER));
  const bits = f.let(i32.or(low, i32.shl(high, c32(16))));
  f.if(i32.ne(bits, get32(hart.straddleBits)), () => {
    f.do(parts.decode, c32(slot), bits);
    set(f, hart.straddleBits, bits);
  });
  f.set(base, c32(map.scratch));
  f.set(ip, c32(slot));
  f.set(remaining, i32.add(remaining, c32(1)));
  f.br(labels.step);
}
