/**
 * Interrupts: which is taken, when, by whom, and where it leads; wfi; the timers of M and S (privileged 1.12, 3.1.7 to
 * 3.1.9 and 4.1.3; Sstc).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hart, mstatus } from '../../src/core/machine/hart.ts';
import { bootSource, pass, RAM, runToPass } from './testing/machine.ts';
import { type Privilege, Stepper, type Trap } from './testing/stepper.ts';

const INTERRUPT = 1n << 63n;
const SSI = 1n;
const MSI = 3n;
const STI = 5n;
const MTI = 7n;
const SEI = 9n;
const MEI = 11n;
const bit = (code: bigint): bigint => 1n << code;
const MVEC = RAM + 0x800n;
const SVEC = RAM + 0x900n;

const MSIP = 0x0200_0000n;
const MTIMECMP = 0x0200_4000n;
const NEVER = (1n << 64n) - 1n;

/** Raises lines: software's own bits by mip, MSI and MTI by the ACLINT. In M with MIE = 0, so nothing is taken yet. */
function raise(stepper: Stepper, codes: readonly bigint[]): void {
  const software = codes.reduce((sum, code) => sum | bit(code), 0n);
  stepper.run('csrw mip, a0; sw a1, 0(s0); sd a2, 0(s1)', {
    a0: software,
    a1: codes.includes(MSI) ? 1 : 0,
    a2: codes.includes(MTI) ? 0n : NEVER,
    s0: MSIP,
    s1: MTIMECMP,
  });
}

function prepared(mideleg = 0n): Stepper {
  const stepper = new Stepper();
  stepper.run('csrw mideleg, a0; csrw mie, a1; csrw stvec, a2; csrw menvcfg, zero', {
    a0: mideleg,
    a1: 0xaaa,
    a2: SVEC,
  });
  return stepper;
}

/** The step that comes next in that privilege, with its interrupt enable on or off. */
function next(stepper: Stepper, privilege: Privilege, enabled: boolean): Trap | undefined {
  if (privilege !== 'M') stepper.as(privilege);
  return stepper.step(enabled ? `csrsi ${privilege === 'M' ? 'mstatus, 8' : 'sstatus, 2'}` : 'nop') ?? stepper.go();
}

test('the most urgent comes first: MEI, MSI, MTI, SEI, SSI, STI', () => {
  const order = [MSI, MTI, SEI, SSI, STI];
  for (let first = 0; first < order.length; first++) {
    for (let second = first; second < order.length; second++) {
      const stepper = prepared();
      raise(stepper, [order[first], order[second], STI]);
      const trap = next(stepper, 'M', true);
      assert.equal(trap?.cause, INTERRUPT | order[first], `${order[first]} with ${order[second]}`);
      assert.equal(trap?.value, 0n);
      assert.equal(stepper.get(hart.mtval), 0n);
    }
  }
});

test('an interrupt is taken if its privilege is above, or the same and enabled; M before S, whatever its number', () => {
  for (const delegated of [false, true]) {
    for (const privilege of ['U', 'S', 'M'] as const) {
      for (const enabled of [false, true]) {
        if (privilege === 'U' && enabled) continue;
        const stepper = prepared(delegated ? bit(SSI) : 0n);
        raise(stepper, [SSI]);
        // as() steps an mret in M with MIE = 0; what happens at its end is what is tested.
        stepper.machine.hart.set64(hart.mepc, RAM + 0x1000n);
        const level = { U: 0n, S: 1n, M: 3n }[privilege] << 11n;
        const status = level | (enabled ? (privilege === 'M' ? mstatus.MPIE : mstatus.SIE) : 0n);
        stepper.status(status, mstatus.MPP & ~level);
        assert.equal(stepper.step('mret'), undefined);
        stepper.fill(RAM + 0x1000n, 0x13n); // nop
        const trap = stepper.go();
        const target = delegated ? 'S' : 'M';
        const taken = privilege === target ? enabled : privilege !== 'M';
        const what = `${privilege}, ${delegated ? '' : 'not '}delegated, ${enabled ? 'en' : 'dis'}abled`;
        assert.equal(trap?.to, taken ? target : undefined, what);
        if (taken) assert.equal(stepper.get(hart.pc), target === 'S' ? SVEC : MVEC, what);
      }
    }
  }
  const stepper = prepared(bit(SEI));
  raise(stepper, [SEI, STI]);
  const trap = stepper.as('S').step('csrsi sstatus, 2');
  // STI is not delegated: it comes already when the hart arrives in S.
  assert.partialDeepStrictEqual(trap, { cause: INTERRUPT | STI, to: 'M' });
});

test('what a trap saves, and what mret and sret restore', () => {
  const stepper = prepared(bit(SSI));
  raise(stepper, [SSI]);
  stepper.as('S');
  assert.equal(stepper.step('csrsi sstatus, 2'), undefined);
  const here = stepper.get(hart.pc);
  assert.partialDeepStrictEqual(stepper.go(), { cause: INTERRUPT | SSI, to: 'S', epc: here });
  assert.equal(stepper.get(hart.sepc), here);
  assert.equal(stepper.get(hart.scause), INTERRUPT | SSI);
  const { SIE, SPIE, SPP, MIE, MPIE, MPP } = mstatus;
  assert.equal(stepper.get(hart.mstatus) & (SIE | SPIE | SPP), SPIE | SPP);
  stepper.run('csrci sip, 2');
  assert.equal(stepper.step('sret'), undefined);
  assert.equal(stepper.get(hart.pc), here);
  assert.equal(stepper.get(hart.mstatus) & (SIE | SPIE | SPP), SIE | SPIE);
  assert.equal(stepper.step('ecall')?.cause, 9n);
  assert.equal(stepper.get(hart.mstatus) & (MIE | MPIE | MPP), 1n << 11n);
  stepper.run('csrsi mstatus, 8');
  stepper.step('ecall');
  assert.equal(stepper.get(hart.mstatus) & (MIE | MPIE | MPP), MPIE | MPP);
  stepper.run('csrw mepc, a0', { a0: RAM + 0x1000n });
  stepper.step('mret');
  assert.equal(stepper.get(hart.mstatus) & (MIE | MPIE | MPP), MIE | MPIE);
});

test('vectored mode: interrupts lead to base + 4 * cause, exceptions to base', () => {
  const stepper = prepared(bit(SSI));
  stepper.run('csrw mtvec, a0; csrw stvec, a1; csrw medeleg, a2', { a0: MVEC | 1n, a1: SVEC | 1n, a2: 1 << 3 });
  raise(stepper, [MTI]);
  assert.equal(next(stepper, 'M', true)?.cause, INTERRUPT | MTI);
  assert.equal(stepper.get(hart.pc), MVEC + 4n * MTI);
  raise(stepper, [SSI]);
  assert.equal(next(stepper, 'S', true)?.cause, INTERRUPT | SSI);
  assert.equal(stepper.get(hart.pc), SVEC + 4n * SSI);
  assert.partialDeepStrictEqual(stepper.step('ebreak'), { cause: 3n, to: 'S' });
  assert.equal(stepper.get(hart.pc), SVEC);
  assert.partialDeepStrictEqual(stepper.step('ecall'), { cause: 9n, to: 'M' });
  assert.equal(stepper.get(hart.pc), MVEC);
});

test('exceptions are delegated bit by bit, and never from M', () => {
  const stepper = prepared();
  stepper.run('csrw medeleg, a0', { a0: (1 << 2) | (1 << 8) | (1 << 12) | (1 << 13) | (1 << 15) });
  for (const [privilege, text, cause, to] of [
    ['S', '.word 0xffffffff', 2n, 'S'],
    ['U', '.word 0xffffffff', 2n, 'S'],
    ['M', '.word 0xffffffff', 2n, 'M'],
    ['U', 'ecall', 8n, 'S'],
    ['S', 'ecall', 9n, 'M'],
    ['S', 'ebreak', 3n, 'M'],
    ['U', 'ld a0, 0(s0)', 13n, 'S'],
    ['U', 'sd a0, 0(s0)', 15n, 'S'],
    ['S', 'amoadd.w a0, a0, (s0)', 15n, 'S'],
  ] as const) {
    // ecall from U is delegated: go up by way of S.
    if (stepper.privilege === 'U') stepper.step('ecall');
    stepper.as(privilege);
    const trap = stepper.step(text, { s0: 0x4000_0000n });
    assert.partialDeepStrictEqual(trap, { cause, to }, `${text} in ${privilege}`);
    if (to === 'S') {
      assert.equal(stepper.get(hart.scause), cause);
      assert.equal(stepper.get(hart.stval), trap?.value);
      assert.equal(stepper.get(hart.mstatus) & mstatus.SPP, privilege === 'S' ? mstatus.SPP : 0n);
    }
  }
});

test('sie and sip show what is delegated, and sip lets S clear only its software interrupt', () => {
  const stepper = prepared(bit(SSI) | bit(SEI));
  raise(stepper, [SSI, STI, SEI, MSI]);
  stepper.run('csrr a0, sip; csrr a1, sie; csrr a2, mip');
  assert.equal(stepper.x('a0'), bit(SSI) | bit(SEI));
  assert.equal(stepper.x('a1'), bit(SSI) | bit(SEI));
  assert.equal(stepper.x('a2'), bit(SSI) | bit(STI) | bit(SEI) | bit(MSI));
  stepper.run('csrw sip, zero; csrr a0, mip');
  assert.equal(stepper.x('a0'), bit(STI) | bit(SEI) | bit(MSI));
  stepper.run('csrw sie, zero; csrr a0, mie');
  assert.equal(stepper.x('a0'), 0xaaan & ~(bit(SSI) | bit(SEI)));
  stepper.run('csrw sie, a1; csrr a0, mie', { a1: -1 });
  assert.equal(stepper.x('a0'), 0xaaan);
  // What is not delegated can be neither seen nor changed.
  stepper.run('csrw mideleg, zero; csrw sie, zero; csrr a0, mie; csrr a1, sie');
  assert.equal(stepper.x('a0'), 0xaaan);
  assert.equal(stepper.x('a1'), 0n);
});

test('wfi goes on as soon as something enabled in mie is pending, also when interrupts are off', () => {
  const stepper = prepared();
  raise(stepper, [SSI]);
  assert.equal(stepper.step('wfi'), undefined);
  assert.equal(stepper.machine.waiting, false);
  stepper.run('csrw mie, zero');
  assert.equal(stepper.step('wfi'), undefined);
  assert.equal(stepper.machine.waiting, true);
  const position = stepper.machine.position;
  assert.equal(stepper.machine.run(position + 100n), 'waiting');
  assert.equal(stepper.machine.position, position);
});

test('wfi passes over a timer that is not enabled, to the one that is', () => {
  const stepper = prepared();
  stepper.run('csrw menvcfg, a0; csrw stimecmp, a1; sd a2, 0(s1); csrw mie, a3', {
    a0: 1n << 63n,
    a1: 5_000,
    a2: 9_000,
    s1: MTIMECMP,
    a3: bit(MTI),
  });
  assert.equal(stepper.step('wfi'), undefined);
  stepper.run('csrr a0, time');
  assert.equal(stepper.x('a0'), 9_000n);
});

test('the timer of M: at time >= mtimecmp, level-triggered, gone when mtimecmp moves', () => {
  const bare = bootSource(
    `
    la t0, trap; csrw mtvec, t0
    li s0, ${MTIMECMP}; li s1, 0x200bff8
    li t0, 300; sd t0, 0(s0)
    li t0, 0x80; csrw mie, t0; csrsi mstatus, 8
    1: addi s2, s2, 1; csrr s3, time; j 1b
    .align 2
    trap: csrr s4, time; csrr s5, mcause; csrr s6, mip
    li t0, -1; sd t0, 0(s0); csrr s7, mip
    ld s8, 0(s1)
    ${pass}`,
    { stepsPerTick: 10 },
  );
  runToPass(bare);
  const { hart: h } = bare.machine;
  assert.equal(h.x(20), 300n, 'taken in the tick in which it was due');
  assert.equal(h.x(19), 299n);
  assert.equal(h.x(21), INTERRUPT | MTI);
  assert.equal(h.x(22) & bit(MTI), bit(MTI));
  assert.equal(h.x(23) & bit(MTI), 0n);
  assert(h.x(24) >= 300n && h.x(24) <= 302n, 'mtime is the same time');
});

test('Sstc: stimecmp drives STIP, which nobody can write then, and needs menvcfg.STCE and mcounteren.TM', () => {
  const stepper = prepared(bit(STI));
  stepper.run('csrw mip, a0; csrr a1, mip', { a0: bit(STI) });
  assert.equal(stepper.x('a1'), bit(STI), 'without Sstc M writes STIP');
  assert.equal(stepper.as('S').step('csrr a0, stimecmp')?.cause, 2n);
  stepper.run('csrw menvcfg, a0', { a0: 1n << 63n });
  assert.equal(stepper.as('S').step('csrr a0, stimecmp')?.cause, 2n, 'mcounteren.TM is off');
  stepper.run('csrw mcounteren, a0; csrr a1, mip', { a0: 2 });
  assert.equal(stepper.x('a1'), 0n, 'what software had set is gone');
  stepper.as('S').run('csrr a0, stimecmp');
  assert.equal(stepper.x('a0'), NEVER);
  stepper.as('M').run('csrw mip, a0; csrr a1, mip', { a0: bit(STI) });
  assert.equal(stepper.x('a1'), 0n);
  stepper.as('S').run('csrw stimecmp, zero; csrr a0, sip');
  assert.equal(stepper.x('a0'), bit(STI));
  assert.equal(stepper.step('csrsi sstatus, 2'), undefined);
  assert.partialDeepStrictEqual(stepper.go(), { cause: INTERRUPT | STI, to: 'S' });
  stepper.run('csrw stimecmp, a0; csrr a1, sip', { a0: -1 });
  assert.equal(stepper.x('a1'), 0n);
  assert.equal(stepper.as('U').step('csrr a0, stimecmp')?.cause, 2n);
  // Off again: STIP is software's once more, and stimecmp no longer matters.
  stepper.as('M').run('csrw stimecmp, zero; csrw menvcfg, zero; csrr a1, mip');
  assert.equal(stepper.x('a1'), 0n);
});

test('the PLIC raises MEI and SEI, and SEIP that software sets is or-ed with it', () => {
  const stepper = prepared();
  const [priority, enableS, thresholdS, claimS] = [0x0c00_0000n + 40n, 0x0c00_2080n, 0x0c20_1000n, 0x0c20_1004n];
  const store = (address: bigint, value: bigint): void => stepper.run('sw a0, 0(s0)', { a0: value, s0: address });
  store(priority, 1n);
  store(enableS, 1n << 10n);
  store(thresholdS, 0n);
  // The UART's transmitter is empty: its interrupt rises as soon as it is enabled.
  stepper.run('sb a0, 1(s0)', { a0: 2, s0: 0x1000_0000n });
  stepper.run('csrr a0, mip');
  assert.equal(stepper.x('a0'), bit(SEI));
  // A read-modify-write of mip does not take the PLIC's line over into software's bit.
  stepper.run('csrs mip, a1; lw a0, 0(s0); csrr a2, mip', { a1: bit(SSI), s0: claimS });
  assert.equal(stepper.x('a0'), 10n);
  assert.equal(stepper.x('a2'), bit(SSI));
  stepper.run('csrs mip, a1; csrr a2, mip', { a1: bit(SEI) });
  assert.equal(stepper.x('a2'), bit(SSI) | bit(SEI));
  stepper.run('csrw mip, zero; csrr a2, mip');
  assert.equal(stepper.x('a2'), 0n);
  store(0x0c00_2000n, 1n << 10n);
  store(0x0c20_0000n, 0n);
  store(claimS, 10n);
  stepper.run('csrr a0, mip');
  assert.equal(stepper.x('a0'), bit(MEI) | bit(SEI));
  assert.equal(next(stepper, 'M', true)?.cause, INTERRUPT | MEI);
});

test('LR/SC: any trap, interrupt or return clears the reservation, and so does any SC', () => {
  const stepper = new Stepper();
  const address = { s0: RAM + 0x10_0000n };
  const sc = (): bigint => {
    stepper.run('sc.d a0, a1, (s0)', address);
    return stepper.x('a0');
  };
  stepper.run('lr.d a0, (s0)', address);
  assert.equal(sc(), 0n);
  assert.equal(sc(), 1n);
  stepper.run('lr.d a0, (s0); sd zero, 0(s0)', address);
  assert.equal(sc(), 0n, "the hart's own store is no one else's");
  stepper.run('lr.d a0, (s0)', address);
  stepper.step('ecall');
  assert.equal(sc(), 1n);
  stepper.run('lr.d a0, (s0)', address);
  stepper.as('S').as('M');
  assert.equal(sc(), 1n);
  stepper.run('lr.w a0, (s0)', address);
  assert.equal(sc(), 1n, 'another size');
  stepper.run('lr.d a0, (s0); sc.d a0, a1, (s1)', { ...address, s1: address.s0 + 8n });
  assert.equal(stepper.x('a0'), 1n);
  assert.equal(sc(), 1n);
});
