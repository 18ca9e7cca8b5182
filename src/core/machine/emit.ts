/** Small words for generated code that works on the hart's state and on the rows of the memory map. */

import { type Expr, type I32, type I64, i32, i64 } from '../wasm/expression.ts';
import type { FunctionBuilder } from '../wasm/function.ts';
import { EVENT_TRAP, type Field, hart } from './hart.ts';

const zero = i32.const(0);

export const get64 = (field: Field): I64 => i64.load(zero, field.offset);
export const get32 = (field: Field): I32 => i32.load(zero, field.offset);

export function set(f: FunctionBuilder, field: Field, value: Expr): void {
  f.store(field.bytes === 8 ? 'i64.store' : 'i32.store', zero, value, field.offset);
}

/** Whether any of the bits is set. */
export const any64 = (value: I64, bits: bigint): I32 => i64.ne(i64.and(value, i64.const(bits)), i64.const(0));
export const bit64 = (value: I64, index: bigint): I64 => i64.and(i64.shr_u(value, i64.const(index)), i64.const(1));

/** Notes a trap: the instruction must look at `event` and leave. */
export function noteTrap(f: FunctionBuilder, cause: I64 | number, value: I64): void {
  set(f, hart.trapCause, typeof cause === 'number' ? i64.const(cause) : cause);
  set(f, hart.trapValue, value);
  set(f, hart.event, i32.const(EVENT_TRAP));
}

/** The steps completed so far, from the copy of the slice's remaining steps that the caller stored. */
export function positionNow(): I64 {
  return i64.add(
    get64(hart.position),
    i64.extend_i32_u(i32.sub(i32.sub(get32(hart.limit), get32(hart.remaining)), i32.const(1))),
  );
}

/** `time` at the present position: exact, without 128-bit products (MACHINE.md, 5). */
export function timeNow(f: FunctionBuilder): I64 {
  const delta = f.let(i64.sub(positionNow(), get64(hart.clockPosition)));
  const slope = f.let(get64(hart.clockSlope));
  const whole = i64.mul(i64.shr_u(delta, i64.const(32)), slope);
  const part = i64.shr_u(i64.mul(i64.and(delta, i64.const(0xffff_ffffn)), slope), i64.const(32));
  return f.let(i64.add(get64(hart.clockTime), i64.add(whole, part)));
}
