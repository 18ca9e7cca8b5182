/** CSR instructions' common part as generated code: checks, read, modify, write, over the CSR table. */

import { i32, i64 } from '../wasm/expression.ts';
import type { Callee, Label } from '../wasm/function.ts';
import type { ModuleBuilder } from '../wasm/module.ts';
import { type CsrMachine, csrs } from './csr-table.ts';
import { get32, noteTrap } from './emit.ts';
import { cause, hart } from './hart.ts';

export const CSR_WRITE = 0;
export const CSR_SET = 1;
export const CSR_CLEAR = 2;

/**
 * (index into the table i32, operation i32, source i64, writes i32) → old value. On a trap `event` is set and nothing has
 * changed; the trap's value (the instruction's bits) is for the caller to fill in. `remaining` must be up to date.
 */
export function emitCsr(m: ModuleBuilder, machine: CsrMachine): Callee {
  const f = m.function('csr', ['i32', 'i32', 'i64', 'i32'], ['i64']);
  const index = f.param<'i32'>(0);
  const operation = f.param<'i32'>(1);
  const source = f.param<'i64'>(2);
  const writes = f.param<'i32'>(3);
  const old = f.local('i64');
  const modified = f.local('i64');
  const labels: Label[] = [];
  f.block((illegal) => {
    const nest = (i: number): void => {
      if (i < 0) {
        f.brTable(labels, illegal, index);
        return;
      }
      f.block((label) => {
        labels[i] = label;
        nest(i - 1);
      });
      // Here begins what label i jumps to.
      f.scope(() => {
        const csr = csrs[i];
        const level = i32.const((csr.number >> 8) & 3);
        f.brIf(illegal, i32.lt_u(get32(hart.privilege), level));
        if (csr.number >> 10 === 3) f.brIf(illegal, writes);
        if (csr.forbidden) f.brIf(illegal, csr.forbidden(f));
        f.set(old, csr.read(f));
        if (csr.write && csr.number >> 10 !== 3) {
          const write = csr.write;
          f.if(writes, () => {
            const base = csr.readToModify ? f.let(csr.readToModify(f)) : old;
            f.set(modified, source);
            f.if(i32.eq(operation, i32.const(CSR_SET)), () => f.set(modified, i64.or(base, source)));
            f.if(i32.eq(operation, i32.const(CSR_CLEAR)), () =>
              f.set(modified, i64.and(base, i64.xor(source, i64.const(-1)))),
            );
            write(f, modified, machine);
          });
        }
        f.return(old);
      });
    };
    nest(csrs.length - 1);
  });
  noteTrap(f, cause.illegalInstruction, i64.const(0));
  f.return(i64.const(0));
  return f;
}
