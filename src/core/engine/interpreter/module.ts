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
import { DECODED_TRAILER, type MemoryMap, RECORD_BYTES, SLOTS } from '../../machine/memory-map.ts';
import { emitMmu } from '../../machine/mmu.ts';
import { emitPageHash } from '../../machine/page-hash.ts';
import { emitTraps, pendingInterrupts } from '../../machine/trap.ts';
import { type I32, i32, i64 } from '../../wasm/expression.ts';
import type { Callee, FunctionBuilder, Label } from '../../wasm/function.ts';
import { ModuleBuilder } from '../../wasm/module.ts';
import { InterpreterContext, type Loop, pcNow } from './context.ts';
import { dispatch, FIRST_OPERATION, record } from './record.ts';

const c32 = i32.const;
const c64 = i64.const;

export function buildInterpreter(map: MemoryMap, memoryPages: number): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder({ initialPages: memoryPages, maximumPages: memoryPages, shared: true });
  const mmioRead = m.importFunction('mmioRead', ['i32', 'i32'], ['i32']);
  const mmioWrite = m.importFunction('mmioWrite', ['i32', 'i32'], ['i32']);
  const htifStore = m.importFunction('htifStore', ['i32', 'i32'], []);
  const softfloat = m.importFunction('softfloat', ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'], ['i64']);
  /** (record's offset, instruction bits): fills the record in. */
  const decode = m.importFunction('decode', ['i32', 'i32'], []);
  const mmu = emitMmu(m, map, { mmioRead, mmioWrite, htifStore });
  const traps = emitTraps(m, mmu.updateModes);
  const csr = emitCsr(m, mmu);
  const rawBits = emitRawBits(m, map);
  const run = m.function('run', ['i32'], ['i32']);
  emitRun(run, map, { mmu, traps, csr, softfloat, decode, rawBits });
  const hashPage = emitPageHash(m);
  for (const callee of [run, mmu.flush, mmu.bumpWrite, mmu.updateModes, mmu.touchRange, hashPage]) {
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

interface Parts {
  readonly mmu: ReturnType<typeof emitMmu>;
  readonly traps: ReturnType<typeof emitTraps>;
  readonly csr: Callee;
  readonly softfloat: Callee;
  readonly decode: Callee;
  readonly rawBits: Callee;
}

function emitRun(f: FunctionBuilder, map: MemoryMap, parts: Parts): void {
  const limit = f.param<'i32'>(0);
  const remaining = f.local('i32');
  const ip = f.local('i32');
  const base = f.local('i32');
  const pageVirtual = f.local('i64');
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
      const labels = { check, out } as { check: Label; out: Label; trap: Label; illegal: Label; step: Label };
      const loop: Loop = { f, ip, base, pageVirtual, remaining, ramOffset: map.ram, labels, ...parts };
      f.block((trap) => {
        labels.trap = trap;
        f.block((illegal) => {
          labels.illegal = illegal;
          f.block((stop) => {
            f.loop((step) => {
              labels.step = step;
              f.brIf(stop, i32.eqz(remaining));
              spend();
              emitDispatch(loop, map, parts);
            });
          });
          set(f, hart.pc, pcNow(loop));
          f.br(out);
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
