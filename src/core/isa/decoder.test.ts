import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csrNames, csrNumbers } from './csr-names.ts';
import { decode, decodeInto, makeDecoded } from './decoder.ts';
import { type Entry, entries, operationId, operations } from './table.ts';

const nameOf = (bits: number): string | undefined => decode(bits)?.entry.name;

/** The operands of a word that must be legal. */
function fields(bits: number) {
  const decoded = decode(bits);
  assert.ok(decoded, `${bits.toString(16)} is legal`);
  const { rd, rs1, rs2, rs3, imm, rm } = decoded;
  return { name: operations[decoded.operation].name, rd, rs1, rs2, rs3, imm, rm };
}

test('names of operations are unique, and their ids are their places in the table', () => {
  assert.equal(new Set(operations.map(({ name }) => name)).size, operations.length);
  for (const [id, { name }] of operations.entries()) {
    assert.equal(operationId(name), id);
    assert.equal(entries[id].name, name);
    assert.equal(entries[id].operation, id);
  }
});

test('where two entries match the same word, one of them is a special case of the other', () => {
  const isSpecialCase = (a: Entry, b: Entry): boolean => (a.mask & b.mask) >>> 0 === b.mask && a.mask !== b.mask;
  /** One field must be 0 for the one, and something else for the other. */
  const excludes = (a: Entry, b: Entry): boolean =>
    a.nonzero.some((field) => (field & b.mask) === field && (field & b.match) === 0);
  const pairs: string[] = [];
  for (const [i, a] of entries.entries()) {
    for (const b of entries.slice(i + 1)) {
      if (a.length !== b.length || ((a.match ^ b.match) & a.mask & b.mask) !== 0) continue;
      if (excludes(a, b) || excludes(b, a)) continue;
      assert.ok(isSpecialCase(a, b) || isSpecialCase(b, a), `${a.name} and ${b.name}`);
      pairs.push([a.name, b.name].sort().join(' '));
    }
  }
  assert.deepEqual(pairs.sort(), ['c.addi16sp c.lui', 'fence fence.tso', 'fence pause']);
});

test('match has no bit outside mask, and the length is in the two low bits', () => {
  for (const { name, match, mask, length } of entries) {
    assert.equal((match & ~mask) >>> 0, 0, name);
    assert.equal(mask & 3, 3, name);
    assert.equal((match & 3) === 3, length === 4, name);
  }
});

test('immediates of each 32-bit format are sign-extended and put together from their pieces', () => {
  const none = { rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0 };
  assert.deepEqual(fields(0xfff58513), { ...none, name: 'addi', rd: 10, rs1: 11, imm: -1 });
  assert.deepEqual(fields(0x80b53023), { ...none, name: 'sd', rs1: 10, rs2: 11, imm: -2048 });
  assert.deepEqual(fields(0xfeb50fe3), { ...none, name: 'beq', rs1: 10, rs2: 11, imm: -2 });
  assert.deepEqual(fields(0x7eb51fe3), { ...none, name: 'bne', rs1: 10, rs2: 11, imm: 4094 });
  assert.deepEqual(fields(0x80000537), { ...none, name: 'lui', rd: 10, imm: -(2 ** 31) });
  assert.deepEqual(fields(0x800000ef), { ...none, name: 'jal', rd: 1, imm: -(2 ** 20) });
  assert.deepEqual(fields(0x7ffff0ef), { ...none, name: 'jal', rd: 1, imm: 2 ** 20 - 2 });
  assert.deepEqual(fields(0x43f5d513), { ...none, name: 'srai', rd: 10, rs1: 11, imm: 63 });
  assert.deepEqual(fields(0x41f5d51b), { ...none, name: 'sraiw', rd: 10, rs1: 11, imm: 31 });
  assert.deepEqual(fields(0xf14fd573), { ...none, name: 'csrrwi', rd: 10, rs1: 31, imm: 0xf14 });
  assert.deepEqual(fields(0x6ac5a543), { ...none, name: 'fmadd.d', rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: 2 });
});

test('compressed instructions expand to base instructions with operands', () => {
  const none = { rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0 };
  assert.deepEqual(fields(0x7139), { ...none, name: 'addi', rd: 2, rs1: 2, imm: -64 }); // c.addi16sp sp,-64
  assert.deepEqual(fields(0x0808), { ...none, name: 'addi', rd: 10, rs1: 2, imm: 16 }); // c.addi4spn a0,sp,16
  assert.deepEqual(fields(0x757d), { ...none, name: 'lui', rd: 10, imm: -4096 }); // c.lui a0,0xfffff
  assert.deepEqual(fields(0x557d), { ...none, name: 'addi', rd: 10, imm: -1 }); // c.li a0,-1
  assert.deepEqual(fields(0x852e), { ...none, name: 'add', rd: 10, rs2: 11 }); // c.mv a0,a1
  assert.deepEqual(fields(0x8502), { ...none, name: 'jalr', rs1: 10 }); // c.jr a0
  assert.deepEqual(fields(0x9502), { ...none, name: 'jalr', rd: 1, rs1: 10 }); // c.jalr a0
  assert.deepEqual(fields(0x8d0d), { ...none, name: 'sub', rd: 10, rs1: 10, rs2: 11 }); // c.sub a0,a1
  assert.deepEqual(fields(0xa42a), { ...none, name: 'fsd', rs1: 2, rs2: 10, imm: 8 }); // c.fsdsp fa0,8(sp)
});

test('reserved and illegal 16-bit encodings are refused', () => {
  const reserved: Record<string, number> = {
    'the all-zero word': 0x0000,
    'c.addi4spn with immediate 0': 0x001c,
    'quadrant 0, funct3 100': 0x8000,
    'c.addiw with rd = x0': 0x2005,
    'c.addi16sp with immediate 0': 0x6101,
    'c.lui with immediate 0': 0x6501,
    'c.subw group, 10': 0x9c41,
    'c.subw group, 11': 0x9c61,
    'c.lwsp with rd = x0': 0x4012,
    'c.ldsp with rd = x0': 0x6022,
    'c.jr with rs1 = x0': 0x8002,
  };
  for (const [what, bits] of Object.entries(reserved)) assert.equal(decode(bits), undefined, what);
});

test('HINTs are legal', () => {
  const hints: readonly [number, string][] = [
    [0x000d, 'c.nop'],
    [0x0501, 'c.addi'],
    [0x4001, 'c.li'],
    [0x6005, 'c.lui'],
    [0x8006, 'c.mv'],
    [0x9006, 'c.add'],
    [0x0002, 'c.slli'],
    [0x1002, 'c.slli'],
    [0x8401, 'c.srai'],
  ];
  for (const [bits, name] of hints) assert.equal(nameOf(bits), name, bits.toString(16));
});

test('a 16-bit word is decoded alike whatever follows it', () => {
  const alone = makeDecoded();
  const followed = makeDecoded();
  for (let bits = 0; bits <= 0xffff; bits++) {
    if ((bits & 3) === 3) continue;
    assert.equal(decodeInto(bits, alone), decodeInto(bits | 0xa5a5_0000, followed), bits.toString(16));
    assert.deepEqual({ ...alone, entry: alone.entry.name }, { ...followed, entry: followed.entry.name });
    assert.equal(alone.length, 2);
    assert.equal(alone.bits, bits);
  }
});

test('fences ignore their reserved fields; other fixed fields are looked at', () => {
  assert.equal(nameOf(0x0ff0000f), 'fence');
  assert.equal(nameOf(0xfff5858f), 'fence');
  assert.equal(nameOf(0x8330000f), 'fence.tso');
  assert.equal(nameOf(0x0100000f), 'pause');
  assert.equal(nameOf(0xfff5958f), 'fence.i');
  assert.equal(nameOf(0x1005a52f), 'lr.w');
  assert.equal(nameOf(0x1605a52f), 'lr.w', 'aq and rl may be anything');
  assert.equal(nameOf(0x1015a52f), undefined, 'lr.w with rs2');
  assert.equal(nameOf(0x580585d3), 'fsqrt.s');
  assert.equal(nameOf(0x581585d3), undefined, 'fsqrt.s with rs2');
  assert.equal(nameOf(0x30200073), 'mret');
  assert.equal(nameOf(0x302000f3), undefined, 'mret with rd');
  assert.equal(nameOf(0x0205951b), undefined, 'slliw by 32');
});

test('words of 48 bits and more are illegal', () => {
  for (const low of [0x1f, 0x3f, 0x5f, 0x7f]) {
    for (let rest = 0; rest < 1 << 14; rest++)
      assert.equal(decode(low | Math.imul(rest, 0x9e3779b0 & ~0x7f)), undefined);
  }
});

test('reserved rounding modes decode: only the machine knows frm', () => {
  for (const rm of [0, 4, 5, 6, 7]) assert.equal(fields(0x00c58553 | (rm << 12)).rm, rm);
});

test('signed and unsigned words decode alike, and bits are unsigned', () => {
  assert.equal(decode(0xfff58513 | 0)?.bits, 0xfff58513);
  assert.equal(decode(0xfff58513)?.bits, 0xfff58513);
});

test('register files and flags follow from the operands', () => {
  const flags = (name: string) => {
    const { writes, reads, float, rounds, endsBlock, kind } = operations[operationId(name)];
    return [kind, writes ?? '-', reads.rs1 ?? '-', reads.rs2 ?? '-', reads.rs3 ?? '-', float, rounds, endsBlock].join(
      ' ',
    );
  };
  assert.equal(flags('add'), 'compute x x x - false false false');
  assert.equal(flags('lui'), 'compute x - - - false false false');
  assert.equal(flags('beq'), 'branch - x x - false false true');
  assert.equal(flags('sd'), 'store - x x - false false false');
  assert.equal(flags('fsd'), 'store - x f - true false false');
  assert.equal(flags('fld'), 'load f x - - true false false');
  assert.equal(flags('fmadd.s'), 'compute f f f f true true false');
  assert.equal(flags('feq.d'), 'compute x f f - true false false');
  assert.equal(flags('fcvt.d.w'), 'compute f x - - true true false');
  assert.equal(flags('amoadd.d'), 'atomic x x x - false false false');
  assert.equal(flags('csrrwi'), 'csr x - - - false false true');
  assert.equal(flags('sfence.vma'), 'system - x x - false false true');
  assert.equal(flags('fence'), 'fence - - - - false false false');
});

test('CSR names and numbers are each other inverses', () => {
  assert.equal(csrNumbers.size, csrNames.size);
  assert.equal(csrNumbers.get('pmpaddr63'), 0x3ef);
  assert.equal(csrNumbers.get('mhpmcounter31'), 0xb1f);
  assert.equal(csrNames.get(0x3a1), undefined);
});
