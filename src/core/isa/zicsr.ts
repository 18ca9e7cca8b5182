/**
 * CSR instructions (RISC-V unprivileged specification, chapter "Zicsr"). csrrw always writes, and reads only if rd is not
 * x0 (the context sees to that). csrrs and csrrc always read, and write only if the *field* rs1 (register number or
 * immediate) is not 0: a register that merely holds 0 does write.
 */
import { i32, i64 } from '../wasm/expression.ts';
import { formats } from './formats.ts';
import { type Operation, opcode, operation, type Semantics } from './instruction.ts';

const fromRegister = (name: string, funct3: number, semantics: Semantics): Operation =>
  operation(name, { opcode: opcode.SYSTEM, funct3 }, formats.csr, ['rd', 'csr', 'rs1'], 'csr', semantics);
const fromImmediate = (name: string, funct3: number, semantics: Semantics): Operation =>
  operation(name, { opcode: opcode.SYSTEM, funct3 }, formats.csr, ['rd', 'csr', 'zimm'], 'csr', semantics);

const always = i32.const(1);

const setOrClear =
  (how: 'rs' | 'rc'): Semantics =>
  (c) =>
    c.rd(c.csr(how, c.rs1, i32.eqz(c.rs1IsX0)));
const setOrClearImmediate =
  (how: 'rs' | 'rc'): Semantics =>
  (c) =>
    c.rd(c.csr(how, c.zimm, i64.ne(c.zimm, i64.const(0))));

export const zicsr: readonly Operation[] = [
  fromRegister('csrrw', 1, (c) => c.rd(c.csr('rw', c.rs1, always))),
  fromRegister('csrrs', 2, setOrClear('rs')),
  fromRegister('csrrc', 3, setOrClear('rc')),
  fromImmediate('csrrwi', 5, (c) => c.rd(c.csr('rw', c.zimm, always))),
  fromImmediate('csrrsi', 6, setOrClearImmediate('rs')),
  fromImmediate('csrrci', 7, setOrClearImmediate('rc')),
];
