/**
 * Page walks against QEMU: thousands of accesses through random page-table entries (all bits, three levels, superpages,
 * pages where there is no memory), by S and U, with SUM and MXR in all states. Causes, addresses, what was read,
 * and the accessed and dirty bits left behind must be the same. QEMU's TLB may show, so each access follows an sfence.vma.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from './testing/assembler.ts';
import { bootProgram, runToPass } from './testing/machine.ts';
import { dumpMemory, qemuMissing, runInQemu } from './testing/qemu.ts';
import { Random } from './testing/random.ts';

const ROOT = 0x8010_0000n;
const L1 = ROOT + 0x1000n;
const L0 = ROOT + 0x2000n;
/** Superpages lead to 0x80200000; every page that an access reaches is full of ecalls, which bring fetches back. */
const PAGE = 0x8020_0000n;
const PAGES = 4n;
const NOWHERE = 0x1800_0000n;
const LOG = 0x8030_0000n;
/** cause, tval, value read, and the three entries afterwards. */
const LOG_BYTES = 48;

const V = 1n;
const ALL = 0xffn;

const entry = (physical: bigint, bits: bigint): bigint => ((physical >> 12n) << 10n) | bits;

/** Mostly good for something, often nearly, sometimes not at all. */
function flags(random: Random, leaf: boolean): bigint {
  const choice = random.below(10);
  if (choice === 0) return BigInt(random.below(1024));
  if (!leaf) return choice === 1 ? V | BigInt(random.below(256)) : V | (BigInt(random.below(4)) << 8n);
  const bits = V | (BigInt(random.below(256)) & ALL);
  return random.chance(70) ? bits | 0x40n | 2n : bits;
}

function reserved(random: Random): bigint {
  return random.chance(3) ? 1n << BigInt(random.between(54, 63)) : 0n;
}

function someCase(random: Random): { readonly entries: readonly bigint[]; readonly address: bigint } {
  // The level at which a leaf is meant to be: 2 (gigapage) to 0.
  const level = random.pick([0, 0, 0, 0, 1, 1, 2]);
  const page = random.chance(15) ? NOWHERE : PAGE + BigInt(random.below(Number(PAGES))) * 4096n;
  const crooked = random.chance(10) ? 4096n * BigInt(random.between(1, 3)) : 0n;
  const leafAt = [page, 0x8020_0000n + crooked, 0x8000_0000n + (crooked === 0n ? 0n : 0x20_0000n)][level];
  const make = (at: number, next: bigint): bigint =>
    entry(level === at ? leafAt : next, flags(random, level === at)) | reserved(random);
  // A gigapage reaches the page by its offset, a superpage begins at it.
  const offset = BigInt(random.below(512)) * 8n + BigInt(random.below(Number(PAGES))) * 4096n;
  const within = level === 2 ? 0x20_0000n + offset : level === 1 ? offset : offset & 0xfffn;
  const wild = random.chance(3) ? 1n << BigInt(random.between(38, 63)) : 0n;
  return { entries: [make(2, L1), make(1, L0), make(0, PAGE)], address: (0x40_0000_0000n >> 8n) + within + wild };
}

function program(seed: number, cases: number): string {
  const random = new Random(seed);
  const lines = [
    'la t0, trap; csrw mtvec, t0',
    'li t0, 0x3fffffffffffff; csrw pmpaddr0, t0; li t0, 0x1f; csrw pmpcfg0, t0',
    `li t0, ${(8n << 60n) | (ROOT >> 12n)}; csrw satp, t0`,
    `li s1, ${LOG}; li s2, ${ROOT}; li s3, ${L1}; li s4, ${L0}`,
    `li t0, ${PAGE}; li t1, ${PAGE + PAGES * 4096n}; li s5, 0x0000007300000073`,
    '1: sd s5, 0(t0); addi t0, t0, 8; bltu t0, t1, 1b',
    'li s6, 0x20800; li s7, 0x1800',
  ];
  for (let i = 0; i < cases; i++) lines.push(...caseText(random));
  lines.push('j finish', ...trapText(), 'finish:');
  return lines.join('\n');
}

function caseText(random: Random): string[] {
  const { entries, address } = someCase(random);
  const lines: string[] = [];
  for (const [i, base] of ['s2', 's3', 's4'].entries()) {
    lines.push(`li t0, ${entries[i]}`, `sd t0, ${i === 0 ? 8 : 0}(${base})`);
  }
  const status = (random.chance(50) ? 1n << 18n : 0n) | (random.chance(50) ? 1n << 19n : 0n);
  const user = random.chance(50);
  lines.push(`li t0, ${address}`, 'li a0, 0', 'sfence.vma', 'li t1, 0xc0000; csrc mstatus, t1');
  lines.push(`li t1, ${status | (user ? 0n : 0x800n)}`, 'csrc mstatus, s7', 'csrs mstatus, t1', 'la ra, 1f');
  const access = random.pick(['load', 'store', 'fetch']);
  if (access === 'fetch') lines.push('andi t0, t0, -4', 'csrw mepc, t0', 'mret');
  else {
    lines.push('li t1, 0x20000; csrs mstatus, t1');
    lines.push(
      access === 'load' ? 'ld a0, 0(t0)' : 'sd s5, 0(t0)',
      'li t1, 0x20000; csrc mstatus, t1',
      'sd zero, 0(s1); sd zero, 8(s1)',
    );
  }
  lines.push(
    '1: sd a0, 16(s1)',
    'ld t0, 8(s2); sd t0, 24(s1); ld t0, 0(s3); sd t0, 32(s1); ld t0, 0(s4); sd t0, 40(s1)',
  );
  lines.push(`addi s1, s1, ${LOG_BYTES}`);
  return lines;
}

/** Logs, and goes on at ra in M mode without MPRV. */
function trapText(): string[] {
  return [
    '.align 2',
    'trap: csrr t1, mcause; sd t1, 0(s1); csrr t1, mtval; sd t1, 8(s1)',
    'csrw mepc, ra; li t1, 0x20000; csrc mstatus, t1; csrs mstatus, s7; mret',
  ];
}

test('page walks end as they end in QEMU', { skip: qemuMissing }, () => {
  const cases = 1500;
  const ranges = [{ start: LOG, bytes: cases * LOG_BYTES }];
  const causes = new Map<bigint, number>();
  for (let seed = 1; seed <= 6; seed++) {
    const assembled = assemble(`${program(seed, cases)}\n${dumpMemory(ranges)}`);
    const bare = bootProgram(assembled);
    runToPass(bare, 5_000_000n);
    const ours = bare.machine.ram.read(Number(LOG), cases * LOG_BYTES);
    const theirs = runInQemu(assembled);
    assert(ours !== undefined);
    assert.equal(theirs.length, ours.length);
    const [a, b] = [ours, theirs].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    for (let i = 0; i < cases; i++) {
      const words = (view: DataView): string[] =>
        Array.from({ length: LOG_BYTES / 8 }, (_, k) => view.getBigUint64(i * LOG_BYTES + k * 8, true).toString(16));
      assert.deepEqual(words(a), words(b), `case ${i} of program ${seed} (cause, tval, value, entries)`);
      const cause = a.getBigUint64(i * LOG_BYTES, true);
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
    }
  }
  // The cases are worth something: accesses that succeed (0, or an ecall that was fetched) and all kinds of faults.
  for (const cause of [0n, 1n, 5n, 7n, 8n, 9n, 12n, 13n, 15n]) {
    assert((causes.get(cause) ?? 0) > 10, `cause ${cause}: ${causes.get(cause) ?? 0} times`);
  }
});
