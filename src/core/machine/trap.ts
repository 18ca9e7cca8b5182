/**
 * Traps, interrupts and the returns from them as generated code (privileged 1.12, 3.1.6-3.1.9, 3.3.2, 4.1).
 * A trap or an interrupt taken is one step that retires nothing.
 */

import { type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { Callee, FunctionBuilder } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { get32, get64, set } from './emit.ts';
import { EXIT_FAULT, type Field, hart, interrupt, mstatus, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from './hart.ts';

export interface Traps {
  /** () → (): takes the trap noted in trapCause and trapValue, with `pc` the trapping instruction's. */
  readonly takeTrap: Callee;
  /** () → i32: takes the most urgent enabled interrupt, if there is one; 1 if it did. */
  readonly takeInterrupt: Callee;
  readonly mret: Callee;
  readonly sret: Callee;
}

const INTERRUPT = 1n << 63n;
const c32 = i32.const;
const c64 = i64.const;

export function pendingInterrupts(): I64 {
  return i64.and(i64.or(get64(hart.mipSoftware), get64(hart.mipHardware)), get64(hart.mie));
}

function changeStatus(f: FunctionBuilder, clear: bigint, bits: I64): void {
  set(f, hart.mstatus, i64.or(i64.and(get64(hart.mstatus), c64(~clear)), bits));
}

/** The bit `from` of `status`, moved to the bit `to`. */
function moved(status: I64, from: bigint, to: bigint): I64 {
  const bit = i64.ne(i64.and(status, c64(from)), c64(0));
  return i64.select(c64(to), c64(0), bit);
}

export function emitTraps(m: ModuleBuilder, updateModes: Callee): Traps {
  const takeTrap = m.function('takeTrap', [], []);
  {
    const f = takeTrap;
    set(f, hart.event, c32(0));
    const why = f.let(get64(hart.trapCause));
    const privilege = f.let(get32(hart.privilege));
    const isInterrupt = f.let(i64.lt_s(why, c64(0)));
    const code = f.let(i64.and(why, c64(63)));
    const delegation = i64.select(get64(hart.mideleg), get64(hart.medeleg), isInterrupt);
    const delegated = i32.wrap_i64(i64.and(i64.shr_u(delegation, code), c64(1)));
    const toS = f.let(i32.and(i32.ne(privilege, c32(PRIVILEGE_M)), delegated));
    const status = f.let(get64(hart.mstatus));
    const enter = (vector: Field, epc: Field, causeField: Field, tval: Field, level: number): void => {
      set(f, epc, get64(hart.pc));
      set(f, causeField, why);
      set(f, tval, get64(hart.trapValue));
      const base = f.let(get64(vector));
      const vectored = i32.and(isInterrupt, i32.wrap_i64(i64.and(base, c64(1))));
      const offset = i64.select(i64.shl(code, c64(2)), c64(0), vectored);
      set(f, hart.pc, i64.add(i64.and(base, c64(-4)), offset));
      set(f, hart.privilege, c32(level));
    };
    f.if(
      toS,
      () => {
        const previous = i64.select(c64(mstatus.SPP), c64(0), privilege);
        const bits = f.let(i64.or(previous, moved(status, mstatus.SIE, mstatus.SPIE)));
        changeStatus(f, mstatus.SIE | mstatus.SPIE | mstatus.SPP, bits);
        enter(hart.stvec, hart.sepc, hart.scause, hart.stval, PRIVILEGE_S);
      },
      () => {
        // Under the builtin firmware nobody lives in M: the machine stops, with the state as it was.
        f.if(get32(hart.firmware), () => {
          set(f, hart.exit, c32(EXIT_FAULT));
          f.return();
        });
        const previous = i64.shl(i64.extend_i32_u(privilege), c64(11));
        const bits = f.let(i64.or(previous, moved(status, mstatus.MIE, mstatus.MPIE)));
        changeStatus(f, mstatus.MIE | mstatus.MPIE | mstatus.MPP, bits);
        enter(hart.mtvec, hart.mepc, hart.mcause, hart.mtval, PRIVILEGE_M);
      },
    );
    set(f, hart.reservationSize, c32(0));
    set(f, hart.unretired, i64.add(get64(hart.unretired), c64(1)));
    f.do(updateModes);
  }

  const takeInterrupt = m.function('takeInterrupt', [], ['i32']);
  {
    const f = takeInterrupt;
    const privilege = f.let(get32(hart.privilege));
    const pending = f.let(pendingInterrupts());
    const status = f.let(get64(hart.mstatus));
    const enabled = (level: number, bit: bigint): I32 =>
      i32.or(
        i32.lt_u(privilege, c32(level)),
        i32.and(i32.eq(privilege, c32(level)), i64.ne(i64.and(status, c64(bit)), c64(0))),
      );
    const delegated = f.let(get64(hart.mideleg));
    const forM = i64.and(pending, i64.xor(delegated, c64(-1)));
    const forS = i64.and(pending, delegated);
    const machineLevel = f.let(i64.select(forM, c64(0), enabled(PRIVILEGE_M, mstatus.MIE)));
    const supervisorLevel = i64.select(forS, c64(0), enabled(PRIVILEGE_S, mstatus.SIE));
    const urgent = f.let(i64.select(machineLevel, supervisorLevel, i64.ne(machineLevel, c64(0))));
    f.if(i64.eqz(urgent), () => f.return(c32(0)));
    const order = [interrupt.MEI, interrupt.MSI, interrupt.MTI, interrupt.SEI, interrupt.SSI, interrupt.STI];
    let code: I64 = c64(order[order.length - 1]);
    for (const number of order.slice(0, -1).reverse()) {
      code = i64.select(c64(number), code, i64.ne(i64.and(urgent, c64(1n << BigInt(number))), c64(0)));
    }
    set(f, hart.trapCause, i64.or(code, c64(INTERRUPT)));
    set(f, hart.trapValue, c64(0));
    f.do(takeTrap);
    f.return(c32(1));
  }

  const mret = m.function('mret', [], []);
  {
    const f = mret;
    const status = f.let(get64(hart.mstatus));
    const previous = f.let(i32.and(i32.wrap_i64(i64.shr_u(status, c64(11))), c32(3)));
    const bits = f.let(i64.or(moved(status, mstatus.MPIE, mstatus.MIE), c64(mstatus.MPIE)));
    changeStatus(f, mstatus.MIE | mstatus.MPIE | mstatus.MPP, bits);
    f.if(i32.ne(previous, c32(PRIVILEGE_M)), () => changeStatus(f, mstatus.MPRV, c64(0)));
    set(f, hart.privilege, previous);
    set(f, hart.pc, get64(hart.mepc));
    set(f, hart.reservationSize, c32(0));
    f.do(updateModes);
  }

  const sret = m.function('sret', [], []);
  {
    const f = sret;
    const status = f.let(get64(hart.mstatus));
    const toS = i64.ne(i64.and(status, c64(mstatus.SPP)), c64(0));
    const bits = f.let(i64.or(moved(status, mstatus.SPIE, mstatus.SIE), c64(mstatus.SPIE)));
    set(f, hart.privilege, i32.select(c32(PRIVILEGE_S), c32(PRIVILEGE_U), toS));
    changeStatus(f, mstatus.SIE | mstatus.SPIE | mstatus.SPP | mstatus.MPRV, bits);
    set(f, hart.pc, get64(hart.sepc));
    set(f, hart.reservationSize, c32(0));
    f.do(updateModes);
  }

  return { takeTrap, takeInterrupt, mret, sret };
}
