/**
 * Nothing traps after the first commit (MACHINE.md, 14): an instruction that traps, at whatever point, has changed neither
 * register nor flag nor memory. Every instruction that can trap is tried at every point where it can.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, operations } from '../../src/core/isa/table.ts';
import { cause, hart, mstatus } from '../../src/core/machine/hart.ts';
import { AD, FREE, PAGES, pte, RW, Stepper, tables } from './testing/stepper.ts';

/** Registers of the operands: address in s0, x data in a0 and a1, f data in fa0, fa1, fa2. */
const text = ({ name, operands }: Operation, more: { readonly [operand: string]: string } = {}): string => {
  const given: { readonly [operand: string]: string } = {
    rd: 'a0',
    rs1: 's0',
    rs2: 'a1',
    fd: 'fa0',
    fs1: 'fa1',
    fs2: 'fa2',
    fs3: 'fa3',
    imm: '1',
    'imm(rs1)': '0(s0)',
    '(rs1)': '(s0)',
    csr: 'fcsr',
    zimm: '1',
    rm: 'dyn',
    shamt: '1',
    ...more,
  };
  return `${name} ${operands.map((operand) => given[operand]).join(', ')}`;
};

const bytesOf = ({ name }: Operation): number => {
  const size = /^(?:f?[ls])([bhwd])u?$/.exec(name)?.[1] ?? (name.includes('.w') ? 'w' : 'd');
  return { b: 1, h: 2, w: 4, d: 8 }[size] ?? 0;
};

const memoryOperations = operations.filter(({ kind }) => ['load', 'store', 'atomic'].includes(kind));
const isLoad = ({ kind, name }: Operation): boolean => kind === 'load' || name.startsWith('lr');

/** Everything that an instruction could have changed: x, f, flags, the pages that it reaches, their leaves' permissions. */
function visible(stepper: Stepper): unknown {
  const { hart: h, ram } = stepper.machine;
  return {
    x: Array.from({ length: 32 }, (_, i) => h.x(i)),
    f: Array.from({ length: 32 }, (_, i) => h.f(i)),
    fcsr: stepper.get(hart.fcsr),
    floatStatus: stepper.get(hart.mstatus) & mstatus.FS,
    memory: ram.read(Number(FREE), 0x3000),
    reservation: stepper.machine.hart.get32(hart.reservationSize),
  };
}

function prepared(): Stepper {
  const stepper = new Stepper();
  stepper.status(mstatus.FS);
  for (let i = 0; i < 8; i++) stepper.run(`fmv.d.x f${i + 8}, a0`, { a0: 0x3ff0_0000_0000_0000n + BigInt(i) });
  for (let i = 0n; i < 0x600n; i++) stepper.fill(FREE + i * 8n, 0x0101_0101_0101_0101n * (i % 251n));
  stepper.set({ a0: 0x1111, a1: 0x2222_3333_4444_5555n });
  stepper.run('csrwi frm, 1; csrwi fflags, 5');
  return stepper;
}

function assertTrapChangesNothing(
  stepper: Stepper,
  instruction: string,
  expected: { readonly cause: number; readonly value: bigint },
): void {
  const before = visible(stepper);
  const trap = stepper.step(instruction);
  assert(trap !== undefined, `${instruction} has not trapped`);
  assert.deepEqual(
    { cause: trap.cause, value: trap.value },
    { ...expected, cause: BigInt(expected.cause) },
    instruction,
  );
  assert.equal(stepper.get(hart.mepc), trap.epc, instruction);
  assert.equal(stepper.get(hart.mcause), BigInt(expected.cause), instruction);
  assert.equal(stepper.get(hart.mtval), expected.value, instruction);
  assert.deepEqual(visible(stepper), before, `${instruction} has changed something`);
}

test('loads, stores and atomics that fault leave no trace: unmapped, forbidden, at every split across two pages', () => {
  const stepper = prepared();
  stepper.map(0, FREE, RW | AD);
  const readOnly = stepper.map(2, FREE + 0x1000n, pte.R | pte.A);
  stepper.map(3, FREE + 0x2000n, RW | AD);
  for (const operation of memoryOperations) {
    const load = isLoad(operation);
    const fault = load ? cause.loadPage : cause.storePage;
    const at = (address: bigint, value: bigint): void => {
      stepper.as('S').set({ s0: address });
      assertTrapChangesNothing(stepper, text(operation), { cause: fault, value });
    };
    // Page 1 is not mapped.
    at(PAGES + 0x1008n, PAGES + 0x1008n);
    if (!load) at(readOnly + 8n, readOnly + 8n);
    if (operation.kind === 'atomic') continue;
    for (let head = 1; head < bytesOf(operation); head++) {
      // First half mapped, second not; first not, second mapped; first writable, second not.
      at(PAGES + 0x1000n - BigInt(head), PAGES + 0x1000n);
      at(readOnly - BigInt(head), readOnly - BigInt(head));
      if (!load) at(readOnly + 0x1000n - BigInt(head), readOnly + 0x1000n - BigInt(head));
    }
  }
});

test('atomics trap on every misaligned address, loads and stores on none', () => {
  const stepper = prepared();
  const page = stepper.map(0, FREE, RW | AD);
  stepper.map(1, FREE + 0x1000n, RW | AD);
  for (const operation of memoryOperations) {
    const size = bytesOf(operation);
    for (let offset = 1; offset < size; offset++) {
      const address = page + 0xff8n + BigInt(offset);
      stepper.as('S').set({ s0: address });
      if (operation.kind === 'atomic') {
        const code = isLoad(operation) ? cause.loadMisaligned : cause.storeMisaligned;
        assertTrapChangesNothing(stepper, text(operation), { cause: code, value: address });
      } else assert.equal(stepper.step(text(operation)), undefined, `${operation.name} at ${offset}`);
    }
  }
});

test('accesses where there is neither RAM nor device leave no trace', () => {
  const stepper = prepared();
  for (const operation of memoryOperations) {
    const fault = isLoad(operation) ? cause.loadAccess : cause.storeAccess;
    for (const address of [0x1800_0000n, 0x7fff_fff8n, 0x8040_0000n, 1n << 40n, (1n << 64n) - 8n]) {
      stepper.as('M').set({ s0: address });
      assertTrapChangesNothing(stepper, text(operation), { cause: fault, value: address });
    }
  }
  // Across the end of RAM: the first byte that is not there names no one else's address.
  for (const operation of memoryOperations.filter((o) => o.kind !== 'atomic' && bytesOf(o) > 1)) {
    stepper.as('M').set({ s0: 0x803f_ffffn });
    const before = visible(stepper);
    assert.equal(stepper.step(text(operation))?.cause, BigInt(isLoad(operation) ? 5 : 7), operation.name);
    assert.deepEqual(visible(stepper), before, operation.name);
  }
});

test('with FS off every floating-point instruction is illegal, and so are the CSRs', () => {
  const stepper = prepared();
  stepper.status(0n, mstatus.FS);
  stepper.set({ s0: FREE });
  for (const operation of operations.filter(({ float }) => float)) {
    const instruction = text(operation);
    const before = visible(stepper);
    const trap = stepper.step(instruction);
    assert.equal(trap?.cause, BigInt(cause.illegalInstruction), instruction);
    assert.equal(trap?.value, BigInt(stepper.machine.ram.read32(Number(trap?.epc)) ?? 0), instruction);
    assert.deepEqual(visible(stepper), before, instruction);
  }
  for (const csr of ['fflags', 'frm', 'fcsr']) assert.equal(stepper.step(`csrr a0, ${csr}`)?.cause, 2n, csr);
});

test('reserved rounding modes are illegal, in the instruction and in frm, and leave no flags', () => {
  const stepper = prepared();
  for (const operation of operations.filter(({ rounds }) => rounds)) {
    for (const rm of ['rm5', 'rm6']) {
      const before = visible(stepper);
      assert.equal(stepper.step(text(operation, { rm }))?.cause, 2n, `${operation.name} ${rm}`);
      assert.deepEqual(visible(stepper), before);
    }
    for (const frm of [5, 6, 7]) {
      stepper.run(`csrwi frm, ${frm}`);
      const before = visible(stepper);
      assert.equal(stepper.step(text(operation))?.cause, 2n, `${operation.name} with frm ${frm}`);
      assert.deepEqual(visible(stepper), before);
      assert.equal(stepper.step(text(operation, { rm: 'rne' })), undefined, `${operation.name} rne with frm ${frm}`);
      stepper.run('csrwi frm, 0; csrwi fflags, 5');
    }
  }
});

test('CSR instructions that are forbidden change neither the CSR nor rd', () => {
  const stepper = prepared();
  const forms = ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'];
  const operand = (form: string): string => (form.endsWith('i') ? '3' : 'a1');
  const refused = (csr: string, form: string): void => {
    const before = visible(stepper);
    const trap = stepper.step(`${form} a0, ${csr}, ${operand(form)}`);
    assert.equal(trap?.cause, 2n, `${form} ${csr}`);
    assert.deepEqual(visible(stepper), before, `${form} ${csr}`);
  };
  for (const form of forms) {
    stepper.as('M');
    for (const csr of [
      'mhartid',
      'mvendorid',
      'cycle',
      'time',
      'instret',
      '0x800',
      '0x5c0',
      '0x7c0',
      '0x3a1',
      '0x7b0',
    ]) {
      refused(csr, form);
    }
    for (const csr of ['mstatus', 'mscratch', 'pmpcfg0', 'mcycle', '0x800']) {
      stepper.as('S');
      refused(csr, form);
    }
    for (const csr of ['sstatus', 'sscratch', 'satp', 'mscratch']) {
      stepper.as('U');
      refused(csr, form);
    }
  }
  stepper.as('M');
  // Reading what may be read only is no write, if nothing is to be set.
  for (const form of [
    'csrrs a0, mhartid, zero',
    'csrrc a0, time, zero',
    'csrrsi a0, cycle, 0',
    'csrrci a0, instret, 0',
  ]) {
    assert.equal(stepper.step(form), undefined, form);
  }
  // A register that holds 0 still writes.
  assert.equal(stepper.step('csrrs a0, mhartid, a2', { a2: 0 })?.cause, 2n);
});

test('a jump to where nothing is retires, and the fetch there traps', () => {
  const stepper = prepared();
  stepper.as('S');
  for (const [instruction, target] of [
    ['jalr a0, 0(s0)', PAGES + 0x5000n],
    ['jalr a0, 3(s0)', PAGES + 0x5002n],
  ] as const) {
    stepper.as('S');
    assert.equal(stepper.step(instruction, { s0: PAGES + 0x5000n }), undefined);
    assert.equal(stepper.get(hart.pc), target);
    assert.deepEqual(stepper.go(), { cause: 12n, value: target, epc: target, to: 'M' });
    assert.equal(stepper.x('a0'), 0x8000_1004n);
  }
  stepper.as('M');
  stepper.step('jalr a0, 0(s0)', { s0: 0x1000_0000n });
  assert.deepEqual(stepper.go(), { cause: 1n, value: 0x1000_0000n, epc: 0x1000_0000n, to: 'M' });
});

test('an instruction across two pages faults with the address of the half that is missing', () => {
  const stepper = prepared();
  const addi = 0x0015_0513n; // addi a0, a0, 1
  stepper.fill(FREE + 0xff8n, (addi & 0xffffn) << 48n);
  stepper.fill(FREE + 0x1000n, addi >> 16n);
  stepper.map(0, FREE, RW | pte.X | AD);
  const at = PAGES + 0xffen;
  stepper.as('S').step('jr s0', { s0: at });
  assert.deepEqual(stepper.go(), { cause: 12n, value: at + 2n, epc: at, to: 'M' });
  assert.equal(stepper.get(hart.mepc), at);
  stepper.map(1, FREE + 0x1000n, pte.R | pte.X | pte.A);
  stepper.as('S').step('jr s0', { s0: at });
  stepper.set({ a0: 41 });
  assert.equal(stepper.go(), undefined);
  assert.equal(stepper.x('a0'), 42n);
  assert.equal(stepper.get(hart.pc), at + 4n);
  assert.equal(stepper.memory(tables.level0) & AD, AD);
});

test('illegal instructions give their bits, 16 or 32 of them', () => {
  const stepper = prepared();
  for (const [bits, value] of [
    ['.half 0, 0', 0n],
    ['.word 0xffffffff', 0xffff_ffffn],
    ['.half 0x8002, 0x1234', 0x8002n],
    ['.word 0x0000000b', 0xbn],
    ['.word 0x10201073', 0x1020_1073n],
  ] as const) {
    const trap = stepper.step(bits);
    assert.equal(trap?.cause, 2n, bits);
    assert.equal(trap?.value, value, bits);
  }
});
