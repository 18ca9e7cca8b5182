/**
 * What stands around a random program: the way down from reset, two trap handlers that log what happened and go on
 * (behind the instruction, at a place to resume at, or again after a repair of the page tables), and the end, which leaves
 * all registers in memory.
 *
 * `ecall` with a7 = 0, 1 or 3 goes on in U, S or M; with a7 = 93 it ends the program.
 */

import type { Features } from './kinds.ts';
import { devices, jobs, layout, RAM, USER } from './layout.ts';
import { repairs, satpOf } from './page-tables.ts';

/** The rounds to go are loaded from here, so that a program need not be assembled again for another number of them. */
export const ROUNDS = layout.state + 0x80n;
export const END_CALL = 93;

const TSR = 1 << 22;
const SRET = 0x10200073;

export interface FrameOptions {
  readonly features: Features;
  /** Initial values, by register. */
  readonly registers: readonly (readonly [name: string, value: bigint])[];
  /** Bits to set in mstatus besides. */
  readonly status: bigint;
}

/** From reset to `main`. Lines. */
export function prologue({ features, registers, status }: FrameOptions): string[] {
  const { start, interrupts, inputs, paging } = features;
  const privilege = { U: 0n, S: 1n, M: 3n }[start];
  const user = start === 'U' ? USER : 0n;
  const lines = ['_start:', 'la t0, mtrap', 'csrw mtvec, t0', `la t0, ${layout.supervisor}`, 'csrw stvec, t0'];
  lines.push('li t0, 0x3fffffffffffff', 'csrw pmpaddr0, t0', 'li t0, 0x1f', 'csrw pmpcfg0, t0');
  lines.push('li t0, 7', 'csrw mcounteren, t0', 'csrw scounteren, t0');
  lines.push(`li t0, ${features.delegated}`, 'csrw medeleg, t0');
  lines.push(`li t0, ${features.delegatedInterrupts}`, 'csrw mideleg, t0');
  if (interrupts) lines.push(`li t0, ${1n << 63n}`, 'csrw menvcfg, t0', 'li t0, 0xaaa', 'csrw mie, t0');
  if (inputs) lines.push(...uartInterrupt());
  lines.push(`li t0, ${satpOf(paging, 0)}`, 'csrw satp, t0');
  lines.push(`li t0, ${0x6000n | (privilege << 11n) | status | (interrupts ? 0xaan : 0n)}`, 'csrw mstatus, t0');
  lines.push('la t6, main');
  if (start === 'U') lines.push(`li t0, ${USER}`, 'or t6, t6, t0');
  lines.push('csrw mepc, t6', `la t6, ${ROUNDS}`, `ld ${jobs.rounds}, 0(t6)`);
  lines.push(`li s0, ${layout.data + 0x1800n + user}`, `li s1, ${layout.data + 0x2ff8n + user}`);
  lines.push(`li sp, ${layout.data + 0x3f00n + user}`);
  lines.push(`li s2, ${layout.tables + 0x4400n}`, `li s5, ${layout.tables + 0x5400n}`, `li s6, ${USER}`);
  for (const [name, value] of registers) lines.push(`li ${name}, ${BigInt.asIntN(64, value)}`);
  lines.push('mret');
  return lines;
}

/** Received bytes interrupt M and S. */
function uartInterrupt(): string[] {
  return [
    ...[`li t0, ${devices.plic}`, 'li t1, 1', 'sw t1, 40(t0)', 'li t1, 0x400'],
    ...[`li t0, ${devices.plic + 0x2000n}`, 'sw t1, 0(t0)', 'sw t1, 128(t0)'],
    ...[`li t0, ${devices.contexts}`, 'sw zero, 0(t0)', 'li t1, 0x1000', 'add t0, t0, t1', 'sw zero, 0(t0)'],
    ...[`li t0, ${devices.uart}`, 'li t1, 1', 'sb t1, 1(t0)'],
  ];
}

/** Goes on at `main`, as long as there are rounds. */
export const again: readonly string[] = [
  'next:',
  ...[`addi ${jobs.rounds}, ${jobs.rounds}, -1`, `beqz ${jobs.rounds}, end`, 'la t6, main', 'jr t6'],
  ...['end:', `li a7, ${END_CALL}`, 'ecall', 'j end'],
];

// ---- handlers -----------------------------------------------------------------------------------------------------------

interface Level {
  readonly prefix: 'm' | 's';
  readonly state: bigint;
  readonly log: bigint;
  /** Bits of the status that every hart has. */
  readonly statusMask: number;
  readonly claim: bigint;
}

const machine: Level = {
  prefix: 'm',
  state: layout.state,
  log: layout.log,
  statusMask: 0x7c19aa,
  claim: devices.contexts + 4n,
};
const supervisor: Level = {
  prefix: 's',
  state: layout.supervisorState,
  log: layout.supervisorLog,
  statusMask: 0xc0122,
  claim: devices.contexts + 0x1004n,
};

/* A breakpoint may have an address in tval or not; an access fault may have that of the word around it (QEMU). */

/** Both handlers' log pointers are words of their state. */
export const handlerWords: readonly (readonly [address: bigint, value: bigint])[] = [machine, supervisor].map(
  ({ state, log }) => [state + 24n, log],
);

export function handlers(features: Features): string[] {
  return [
    ...[...handler(machine, features), ...finish()],
    ...[`.org ${layout.supervisor}`, ...handler(supervisor, features)],
  ];
}

/**
 * What M steps over may be a fence that TVM forbids, so it fences.
 *
 * t3, t4 and t6 are in the state, t5 is in the scratch register. Labels begin with the level's letter.
 */
function handler(level: Level, features: Features): string[] {
  const { prefix: p, state, log, statusMask, claim } = level;
  const ret = `${p}ret`;
  const code = `
    .align 2
    ${p}trap: csrw ${p}scratch, t5
    ${p === 'm' ? 'lui t5, 0x20; csrc mstatus, t5' : ''}
    la t5, ${state}
    sd t6, 0(t5); sd t4, 8(t5); sd t3, 16(t5)
    csrr t6, ${p}cause; bltz t6, ${p}taken
    ld t4, 24(t5); sd t6, 0(t4); csrr t3, ${p}epc; sd t3, 8(t4)
    csrr t3, ${p}tval; addi t6, t6, -3; bnez t6, 1f; li t3, 0; 1: addi t6, t6, -2; andi t6, t6, -3
    bnez t6, 1f; andi t3, t3, -8; 1: sd t3, 16(t4)
    csrr t3, ${p}status; li t6, ${statusMask}; and t3, t3, t6; sd t3, 24(t4); csrr t6, ${p}cause
    addi t4, t4, 32; la t3, ${log + layout.logBytes}; bltu t4, t3, 1f; la t4, ${log}; 1: sd t4, 24(t5)
    li t3, 12; beq t6, t3, ${p}fetch; li t3, 1; beq t6, t3, ${p}fetch
    li t3, 13; beq t6, t3, ${p}fault; li t3, 15; beq t6, t3, ${p}fault
    li t3, 8; beq t6, t3, ${p}call; li t3, 9; beq t6, t3, ${p}call; li t3, 11; beq t6, t3, ${p}call
    ${p === 'm' ? sretTrapped : ''}
    ${p}skip: csrr t4, ${p}epc; ${p === 'm' ? 'sfence.vma' : ''}
    slli t4, t4, 43; srli t4, t4, 43; la t3, ${RAM}; add t4, t4, t3; lhu t4, 0(t4); andi t4, t4, 3
    csrr t3, ${p}epc; addi t3, t3, 2; addi t4, t4, -3; bnez t4, 1f; addi t3, t3, 2; 1: csrw ${p}epc, t3
    ${p}out: ld t3, 16(t5); ld t4, 8(t5); ld t6, 0(t5); csrr t5, ${p}scratch; ${ret}
    ${p}fault: ld t3, 32(t5); addi t3, t3, 1; sd t3, 32(t5); andi t3, t3, 3; bnez t3, ${p}skip
    csrr t3, ${p}epc; ld t4, 40(t5); sd t3, 40(t5); beq t3, t4, ${p}skip
    ${p}repair: sd t2, 48(t5)
    ${repair(features)}
    ld t2, 48(t5); sfence.vma; j ${p}out
    ${p}fetch:
    ${features.edits ? `csrr t3, ${p}epc; ld t4, 40(t5); sd t3, 40(t5); bne t3, t4, ${p}repair` : ''}
    sd zero, 40(t5)
    csrr t4, ${p}epc; slli t4, t4, 32; srli t4, t4, 32; or t4, t4, s6; xor t4, t4, s6; srli t4, t4, 21; li t3, ${RAM >> 21n}; csrr t6, ${p}epc
    beq t4, t3, 2f; mv t6, ${jobs.resume}
    2: mv t4, t6; slli t4, t4, 43; srli t4, t4, 43; la t3, ${RAM}; add t4, t4, t3
    csrr t3, ${p}status; li t6, ${p === 'm' ? 0x1800 : 0x100}; and t3, t3, t6; bnez t3, 1f; or t4, t4, s6
    1: csrr t3, ${p}epc; bne t3, t4, 1f; mv t4, ${jobs.resume}
    1: csrw ${p}epc, t4; j ${p}out
    ${p === 'm' ? machineCall : supervisorCall}
    ${p}taken: ld t4, 56(t5); add t4, t4, t6; csrr t3, ${p}epc; xor t4, t4, t3; sd t4, 56(t5)
    andi t6, t6, 15
    li t3, 1; beq t6, t3, ${p}ssi; li t3, 3; beq t6, t3, ${p}msi; li t3, 5; beq t6, t3, ${p}sti
    li t3, 7; beq t6, t3, ${p}mti
    li t3, ${claim}; lw t4, 0(t3); beqz t4, ${p}out; li t6, ${devices.uart}
    1: lbu t3, 5(t6); andi t3, t3, 1; beqz t3, 2f
    lbu t3, 0(t6); sb t3, 0(t6); sd t4, 72(t5); ld t4, 64(t5); slli t4, t4, 1; add t4, t4, t3; sd t4, 64(t5)
    ld t4, 72(t5); j 1b
    2: li t3, ${claim}; sw t4, 0(t3); j ${p}out
    ${p}ssi: csrci ${p}ip, 2; j ${p}out
    ${p}msi: li t3, ${devices.software}; sw zero, 0(t3); j ${p}out
    ${p}sti: li t3, -1; csrw stimecmp, t3; j ${p}out
    ${p}mti: li t3, ${devices.timer}; li t4, -1; sd t4, 0(t3); j ${p}out`;
  return code.split(/[\n;]/).map((line) => line.trim());
}

/** With TSR, sret in S traps: the bit is taken back, and it is tried again. */
const sretTrapped = `
    li t3, 2; bne t6, t3, mskip; csrr t3, mtval; li t4, ${SRET}; bne t3, t4, mskip
    csrr t3, mstatus; li t4, ${TSR}; and t3, t3, t4; beqz t3, mskip; csrc mstatus, t4; j mout`;

/** To the privilege in a7, in the alias that it sees, with the bases of its data. */
const machineCall = `
    mcall: li t3, ${END_CALL}; beq a7, t3, done; li t3, 3; bgtu a7, t3, mskip; li t3, 2; beq a7, t3, mskip
    csrr t4, mepc; addi t4, t4, 4; slli t4, t4, 43; srli t4, t4, 43; la t3, ${RAM}; add t4, t4, t3
    or s0, s0, s6; or s1, s1, s6; or sp, sp, s6
    bnez a7, 1f; or t4, t4, s6; j 2f
    1: xor s0, s0, s6; xor s1, s1, s6; xor sp, sp, s6
    2: csrw mepc, t4; li t3, 0x1800; csrc mstatus, t3; slli t3, a7, 11; csrs mstatus, t3; j mout`;

/** From U only. What S cannot do it lets S itself ask for, at the same place. */
const supervisorCall = `
    scall: csrr t4, sepc; or s0, s0, s6; or s1, s1, s6; or sp, sp, s6
    beqz a7, 1f; li t3, 2; beq a7, t3, 1f
    or t4, t4, s6; xor t4, t4, s6; xor s0, s0, s6; xor s1, s1, s6; xor sp, sp, s6
    li t3, 0x100; csrs sstatus, t3; li t3, 1; bne a7, t3, 2f
    1: addi t4, t4, 4
    2: csrw sepc, t4; j sout`;

function repair(features: Features): string {
  if (features.paging === 'bare') return '';
  const copies = repairs(features.wildEdits).map(
    ([from, to]) =>
      `la t3, ${layout.tables + from}; la t4, ${layout.backup + from}; la t6, ${layout.tables + to}; ` +
      '1: ld t2, 0(t4); sd t2, 0(t3); addi t3, t3, 8; addi t4, t4, 8; bltu t3, t6, 1b',
  );
  return copies.join('\n');
}

/** All registers go to memory; then to what the caller puts at `finish`. */
function finish(): string[] {
  const lines = ['done: ld t3, 16(t5)', 'ld t4, 8(t5)', 'ld t6, 0(t5)', 'csrr t5, mscratch', 'csrw mscratch, t6'];
  lines.push(`la t6, ${layout.dump}`);
  for (let i = 1; i < 31; i++) lines.push(`sd x${i}, ${(i - 1) * 8}(t6)`);
  lines.push('csrr t5, mscratch', 'sd t5, 240(t6)', 'li t5, 0x6000', 'csrs mstatus, t5');
  for (let i = 0; i < 32; i++) lines.push(`fsd f${i}, ${(31 + i) * 8}(t6)`);
  for (const [i, csr] of ['fcsr', 'sscratch', 'sepc', 'scause', 'satp'].entries()) {
    lines.push(`csrr t5, ${csr}`, `sd t5, ${(63 + i) * 8}(t6)`);
  }
  lines.push('csrw satp, zero', 'j finish');
  return lines;
}
