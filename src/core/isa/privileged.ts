/**
 * Environment calls, trap returns, wfi and sfence.vma (RISC-V privileged specification, 3.3 and 4.2.1; ecall and ebreak:
 * unprivileged specification, 2.8). Whether the mode may execute them is the machine's business, as is what they do.
 */
import type { Context } from './context.ts';
import { formats } from './formats.ts';
import { type Operation, opcode, operation } from './instruction.ts';

const plain = (name: Parameters<Context['system']>[0], funct12: number): Operation =>
  operation(name, { opcode: opcode.SYSTEM, rd: 0, funct3: 0, rs1: 0, funct12 }, formats.none, [], 'system', (c) =>
    c.system(name),
  );

export const privileged: readonly Operation[] = [
  plain('ecall', 0b0000000_00000),
  plain('ebreak', 0b0000000_00001),
  plain('sret', 0b0001000_00010),
  plain('mret', 0b0011000_00010),
  plain('wfi', 0b0001000_00101),
  operation(
    'sfence.vma',
    { opcode: opcode.SYSTEM, rd: 0, funct3: 0, funct7: 0b0001001 },
    formats.R,
    ['rs1', 'rs2'],
    'system',
    (c) => c.system('sfence.vma'),
  ),
];
