/**
 * Softfloat against answers that were recorded from RISC-V instructions (QEMU, by testing/oracle.c): at least one for each
 * operation, format and set of flags, so that every machine checks softfloat without a compiler; and what its
 * callers may rely on besides.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { F32, F64, Flag, Rounding } from './format.ts';
import { Softfloat } from './softfloat.ts';
import { parseCase, perform } from './testing/case.ts';

/** Operation, rounding mode, a, b, c = result and flags; all numbers in hexadecimal, the flags in decimal. */
const recorded = `
add.d RMM bdd0000000010004 bdd0000000010006 0 = bde0000000010005 0
add.d RDN 7ff8000000000000 5003cf439959ce83 0 = 7ff8000000000000 0
add.d RTZ bca0000000000000 3ca0000000000000 0 = 0 0
add.d RDN 10000000000000 8010000000000000 0 = 8000000000000000 0
add.d RNE 9a59b07b06dd43d3 9a59b07b06dd43d2 0 = 9a69b07b06dd43d2 1
add.d RMM 3c725594e6bac45b fff678e18d7a0d41 0 = 7ff8000000000000 16
add.d RDN ffe8000000000000 ffe8000000000001 0 = fff0000000000000 5
add.s RMM 1b9fd608 9bcaccec 0 = 9aabdb90 0
add.s RTZ 1e800004 7fc00000 0 = 7fc00000 0
add.s RUP de000000 5e000000 0 = 0 0
add.s RDN ad100000 2d100000 0 = 80000000 0
add.s RDN b2810800 7a3fffff 0 = 7a3ffffe 1
add.s RMM ffa7a8c5 ffa7a8c5 0 = 7fc00000 16
add.s RNE 7f7ffffd 7efffc00 0 = 7f800000 5
sub.d RDN c38c8369e4818ff3 c38c8369e4818ff4 0 = 4040000000000000 0
sub.d RDN 7ff9baead1ba2af4 ffe0000000000000 0 = 7ff8000000000000 0
sub.d RNE 30000000000000 30000000000000 0 = 0 0
sub.d RDN 40000000 40000000 0 = 8000000000000000 0
sub.d RMM bf40001000000100 bc34642f69e767f0 0 = bf400010000000f6 1
sub.d RMM fff02b8552903605 fff5f9cb2058f2eb 0 = 7ff8000000000000 16
sub.d RNE 7fe05ca4a0000000 ffe05ca49ffffffe 0 = 7ff0000000000000 5
sub.s RUP 80000500 800000 0 = 80800500 0
sub.s RDN ffc00000 a7080008 0 = 7fc00000 0
sub.s RTZ 42ff0000 42ff0000 0 = 0 0
sub.s RDN d119b458 d119b458 0 = 80000000 0
sub.s RDN 5d800000 800000 0 = 5d7fffff 1
sub.s RMM 7f867da3 ff867da4 0 = 7fc00000 16
sub.s RNE ff7ffffe 7c8f71ed 0 = ff800000 5
mul.d RNE ffe0400000000000 800047ac6d58c944 0 = 3fa232c7c38b1a44 0
mul.d RDN 10000000020000 7ffa3867c7df27fe 0 = 7ff8000000000000 0
mul.d RNE 42f000000000000a 3b90000000400000 0 = 3e9000000040000a 1
mul.d RMM 650000000000001 b9afffffffffffff 0 = 8010000000000000 1
mul.d RNE 30357a726fb790a7 fff0000000007fff 0 = 7ff8000000000000 16
mul.d RTZ 801ffff800000000 bf0fffffffffffff 0 = 7fffdfffff 3
mul.d RUP 3a2ffffffffffffd 5d0000000000001 0 = 10000000000000 3
mul.d RUP 4120800000000000 fedfffffffffffff 0 = ffefffffffffffff 5
mul.d RTZ 1430000000000002 2bcffffffffffffc 0 = fffffffffffff 3
mul.s RNE 38cecc02 80000000 0 = 80000000 0
mul.s RUP 800002 ffff0000 0 = 7fc00000 0
mul.s RMM d8818546 a998ac2e 0 = 429a7c7d 1
mul.s RMM 26000002 19fffffc 0 = 800000 1
mul.s RUP ff800000 0 0 = 7fc00000 16
mul.s RNE b3fffffc 8bfffffe 0 = 7ffffd 3
mul.s RUP 3c800000 37fffff 0 = 800000 3
mul.s RMM d5ffffff 69f40000 0 = ff800000 5
div.d RUP 9bd00fffffffffff 7ff0000000000000 0 = 8000000000000000 0
div.d RDN bfffffffffffffff fffab5c9b4e8a06b 0 = 7ff8000000000000 0
div.d RMM 9678572192f412a9 3ff0000000000001 0 = 9678572192f412a7 1
div.d RUP 10000000000003 bff0000000000002 0 = 8010000000000000 1
div.d RMM 43000000007fffff fff0000000400000 0 = 7ff8000000000000 16
div.d RTZ 800fffffffffffff 3ff0000000000001 0 = 800ffffffffffffe 3
div.d RDN 8010000000000001 3ff0000000000002 0 = 8010000000000000 3
div.d RUP c3cfffffffffffff 3b000003fffffff 0 = ffefffffffffffff 5
div.d RDN 3b90000000020040 0 0 = 7ff0000000000000 8
div.s RUP 800000 3f800000 0 = 800000 0
div.s RNE 44800000 ffcb1647 0 = 7fc00000 0
div.s RNE 52002000 e5800fff 0 = ac000fff 1
div.s RTZ 800004 3f800003 0 = 800000 1
div.s RMM 4d900000 7f908000 0 = 7fc00000 16
div.s RMM 86000002 c57ffffc 0 = 400002 3
div.s RMM aaffffff 6a000000 0 = 80800000 3
div.s RNE e02e4000 807fffff 0 = 7f800000 5
div.s RNE 3f7ffffe 0 0 = 7f800000 8
sqrt.d RNE 8000000000000000 0 0 = 8000000000000000 0
sqrt.d RNE 7ffbf98d07df532c 0 0 = 7ff8000000000000 0
sqrt.d RTZ f800000000000 0 0 = 1fff7efbeb8d4f11 1
sqrt.d RNE 8020000000100100 0 0 = 7ff8000000000000 16
sqrt.d RNE 3cafffffffffffff 0 0 = 3e4fffffffffffff 1
sqrt.s RMM 5c840800 0 0 = 4e020000 0
sqrt.s RUP ffe3d7dc 0 0 = 7fc00000 0
sqrt.s RNE 58ff0000 0 0 = 4c34aa5a 1
sqrt.s RDN 80100008 0 0 = 7fc00000 16
fma.d RUP bbffffffffffffff 3c10008000000000 3820007ffffffffe = b4e7ffc000000000 0
fma.d RNE 3bd02343181e0000 400000040000 7fffffffffffffff = 7ff8000000000000 0
fma.d RNE c110000000000000 bc300000000fffff bd500000000fffff = 0 0
fma.d RDN bdbffffffffc0000 e2ff000000000000 e0cefffffffc2000 = 8000000000000000 0
fma.d RTZ 9d06035b874df034 bb9ffffc00000000 ffffffffffffe = 18b60358c6e27f4a 1
fma.d RNE 10000000000001 8000000000000040 8010000000000000 = 8010000000000000 1
fma.d RTZ 4e60000000008000 0 7ff0040000001000 = 7ff8000000000000 16
fma.d RMM 92cffffffffffffe 2d1ffffffffffffe 8000000000002 = 3 3
fma.d RUP 1334576efe13844 55c000000 fffffffffffff = 10000000000000 3
fma.d RTZ 41cfff8000000000 ffe0000000000000 7feffffffffffffe = ffefffffffffffff 5
fma.d RMM bc5169ea2a567b7a 80a1000000400000 800e00ae765ae33f = 800e00ae765ae336 3
fma.d RDN b4affffffffffffe 8b40000000000003 7ffffffffffff = fffffffffffff 3
fma.s RDN d0625580 11bd27d3 22a73c57 = 177683c0 0
fma.s RDN 357fffff ffffffff ffc00001 = 7fc00000 0
fma.s RUP fe800040 80000000 80000000 = 0 0
fma.s RDN cb000400 0 80000000 = 80000000 0
fma.s RDN 9a800004 25fffffc 80000000 = 81000002 1
fma.s RNE 1801000 80004080 80800000 = 80800000 1
fma.s RTZ 800 7f800800 ffc00002 = 7fc00000 16
fma.s RDN afffffd 347ffffe 80400000 = 80000002 3
fma.s RMM 2b7ffffd 14000001 400000 = 800000 3
fma.s RTZ 7e6ecb63 410f10dd ff7ffffe = 7f7fffff 5
fma.s RUP 87000001 38000004 89ffffff = 8a000003 1
min.d RMM bdf0340000000000 bdefffffffffffff 0 = bdf0340000000000 0
min.d RNE 7ffe4a2ce4b163af 7ffe4a2ce4b163af 0 = 7ff8000000000000 0
min.d RUP 0 1 0 = 0 0
min.d RMM 8000000000000000 1 0 = 8000000000000000 0
min.d RDN 7ff7719d3314a27d 8000000000000002 0 = 8000000000000002 16
min.d RNE fff0248e9acfdb9b fff0248e9acfdb9c 0 = 7ff8000000000000 16
min.d RTZ 8000000000000000 7ff1b8a0e141aa3f 0 = 8000000000000000 16
min.d RDN 8000000000000000 0 0 = 8000000000000000 0
min.s RMM 5c001000 5c001002 0 = 5c001000 0
min.s RNE 7fc00000 7fc00000 0 = 7fc00000 0
min.s RDN 10c0cf 0 0 = 0 0
min.s RDN 0 80000000 0 = 80000000 0
min.s RTZ 7f90f671 597fffff 0 = 597fffff 16
min.s RTZ 7ff63371 ff800007 0 = 7fc00000 16
min.s RDN 80000000 ffb15063 0 = 80000000 16
min.s RDN 80000000 0 0 = 80000000 0
max.d RMM 9c39085745671292 9c39085745671290 0 = 9c39085745671290 0
max.d RTZ fff8000000000000 7ff8000000000001 0 = 7ff8000000000000 0
max.d RMM 0 8010000000000001 0 = 0 0
max.d RNE 8000000000000000 8000000000000002 0 = 8000000000000000 0
max.d RTZ fff0000000000000 fff0000000000001 0 = fff0000000000000 16
max.d RNE 7ff762d5435502e5 7ff762d5435502e3 0 = 7ff8000000000000 16
max.d RTZ 8000000000000000 0 0 = 0 0
max.s RDN 3309320e 2d081000 0 = 3309320e 0
max.s RMM ffc00000 ffc00000 0 = 7fc00000 0
max.s RMM 8019c9cf 0 0 = 0 0
max.s RDN 80000000 7fc00000 0 = 80000000 0
max.s RNE 680000 7f83eef9 0 = 680000 16
max.s RUP 7feb98ab 7f800401 0 = 7fc00000 16
max.s RNE 0 ffbd6a47 0 = 0 16
max.s RDN 80000000 0 0 = 0 0
eq.d RTZ 40a7f8332eb74469 40a7f8332eb7446b 0 = 0 0
eq.d RTZ 3bc0001fffffffff 3bc0001fffffffff 0 = 1 0
eq.d RDN ffcfffffffffffff fff402fc61d830f9 0 = 0 16
eq.s RUP b207ffff 3207ffff 0 = 0 0
eq.s RNE fe7fffff fe7fffff 0 = 1 0
eq.s RTZ 7fc00000 7fbfffff 0 = 0 16
lt.d RTZ 3d2fffe000000000 3d2fffe000000000 0 = 0 0
lt.d RNE 412fffc000000000 412fffc000000001 0 = 1 0
lt.d RTZ ffc0000000000080 7ff8000000000000 0 = 0 16
lt.s RMM 1ffffff 8a804000 0 = 0 0
lt.s RDN cf6243e1 467fffff 0 = 1 0
lt.s RNE fe000000 ffc00000 0 = 0 16
le.d RDN ffffffffffffd 8010000000000003 0 = 0 0
le.d RTZ 93326eff94fc2e55 93326eff94fc2e53 0 = 1 0
le.d RTZ ffda91fc628d6400 7ff1ff93e9d53321 0 = 0 16
le.s RMM ea3b6f62 f1800000 0 = 0 0
le.s RTZ 4aad0786 56000000 0 = 1 0
le.s RDN 7f800000 ff800001 0 = 0 16
class.d RTZ fff0000000000000 0 0 = 1 0
class.d RMM 7ff0000000000000 0 0 = 80 0
class.d RDN 0 0 0 = 10 0
class.d RMM bcf0000800000004 0 0 = 2 0
class.d RMM fff7967862ceb85b 0 0 = 100 0
class.d RNE c000000000000 0 0 = 20 0
class.d RMM 800fffc000000000 0 0 = 4 0
class.d RTZ fff8000000000000 0 0 = 200 0
class.d RMM 3e070d8c08f23e4d 0 0 = 40 0
class.d RNE 8000000000000000 0 0 = 8 0
class.s RMM ff800000 0 0 = 1 0
class.s RUP 7f800000 0 0 = 80 0
class.s RTZ 0 0 0 = 10 0
class.s RDN c87fff80 0 0 = 2 0
class.s RMM 7f9a3517 0 0 = 100 0
class.s RUP 3 0 0 = 20 0
class.s RMM 807fffff 0 0 = 4 0
class.s RUP ffc00000 0 0 = 200 0
class.s RDN 72a7b8aa 0 0 = 40 0
class.s RMM 80000000 0 0 = 8 0
toW.d RDN c170000020000000 0 0 = fffffffffefffffe 0
toW.d RUP c1dfffffffe00001 0 0 = ffffffff80000001 1
toW.d RTZ c1efffffffefffff 0 0 = ffffffff80000000 16
toW.d RNE 4330001400000000 0 0 = 7fffffff 16
toW.s RDN c0a00000 0 0 = fffffffffffffffb 0
toW.s RDN b3800020 0 0 = ffffffffffffffff 1
toW.s RMM d97ffffe 0 0 = ffffffff80000000 16
toW.s RMM 5f014000 0 0 = 7fffffff 16
toWU.d RUP 8000000000000000 0 0 = 0 0
toWU.d RMM 30202000000000 0 0 = 0 1
toWU.d RUP c1dfffffffe00001 0 0 = 0 16
toWU.d RDN 41f0000000100000 0 0 = ffffffffffffffff 16
toWU.s RTZ 4effffff 0 0 = 7fffff80 0
toWU.s RUP 3fffffff 0 0 = 2 1
toWU.s RDN c08fffff 0 0 = 0 16
toWU.s RMM 5f800000 0 0 = ffffffffffffffff 16
toL.d RTZ c340000000000003 0 0 = ffdffffffffffffa 0
toL.d RMM 3e38000000000000 0 0 = 0 1
toL.d RUP 43e001a000000000 0 0 = 7fffffffffffffff 16
toL.d RTZ c3efffffffffffff 0 0 = 8000000000000000 16
toL.s RNE 4f7ffffc 0 0 = fffffc00 0
toL.s RNE bf3fffff 0 0 = ffffffffffffffff 1
toL.s RUP 5f000002 0 0 = 7fffffffffffffff 16
toL.s RTZ df7ffffe 0 0 = 8000000000000000 16
toLU.d RNE 43efffffffffffff 0 0 = fffffffffffff800 0
toLU.d RUP 400c000000000001 0 0 = 4 1
toLU.d RTZ c3e0000000000004 0 0 = 0 16
toLU.d RUP 43f0002c1a53a000 0 0 = ffffffffffffffff 16
toLU.s RTZ 5c8000ff 0 0 = 40007f800000000 0
toLU.s RTZ 3f7ffffe 0 0 = 0 1
toLU.s RDN c0000002 0 0 = 0 16
toLU.s RNE 5f800000 0 0 = ffffffffffffffff 16
fromW.d RDN 300c96f748699e67 0 0 = 41d21a6799c00000 0
fromW.s RNE fffffffffffe0001 0 0 = c7ffff80 0
fromW.s RDN 477e241f3 0 0 = 4eefc483 1
fromWU.d RMM ffffffffffff7ffe 0 0 = 41efffefffc00000 0
fromWU.s RNE 10000 0 0 = 47800000 0
fromWU.s RUP fdda962cc3e48eb3 0 0 = 4f43e48f 1
fromL.d RTZ ffc0000000000000 0 0 = c350000000000000 0
fromL.d RUP 56607a6adde55dc 0 0 = 4395981e9ab77958 1
fromL.s RDN ffffffffffdffffe 0 0 = ca000008 0
fromL.s RNE 497305c5d1aab99f 0 0 = 5e92e60c 1
fromLU.d RUP b011933889fc 0 0 = 42e6023267113f80 0
fromLU.d RUP 13d8bf18a2243ad 0 0 = 4373d8bf18a2243b 1
fromLU.s RTZ 400002 0 0 = 4a800004 0
fromLU.s RNE 1b6eb50869bed17f 0 0 = 5ddb75a8 1
convert.d RTZ 3fb0000000000000 0 0 = 3d800000 0
convert.d RNE 7ff9ab6f161dd5e5 0 0 = 7fc00000 0
convert.d RTZ 3de00000000003ff 0 0 = 2f000000 1
convert.d RMM 3810000002000000 0 0 = 800000 1
convert.d RUP fff4ee8eee24fbeb 0 0 = 7fc00000 16
convert.d RNE 380ffffedfffffff 0 0 = 7ffffb 3
convert.d RNE b80fffffeb000001 0 0 = 80800000 3
convert.d RDN 47f0000100000000 0 0 = 7f7fffff 5
convert.s RDN 80000003 0 0 = b6b8000000000000 0
convert.s RMM ffe6fba9 0 0 = 7ff8000000000000 0
convert.s RTZ ff86e6c1 0 0 = 7ff8000000000000 16
`;

const lines = recorded.trim().split('\n');
const operations = new Set(lines.map((line) => line.split(' ')[0]));

for (const operation of operations) {
  test(`${operation} gives the recorded results and flags`, () => {
    const softfloat = new Softfloat();
    for (const line of lines.filter((candidate) => candidate.startsWith(`${operation} `))) {
      const expected = parseCase(line);
      const result = perform(softfloat, expected);
      assert.deepEqual([result.toString(16), softfloat.flags], [expected.result.toString(16), expected.flags], line);
    }
  });
}

const one = 0x3ff0000000000000n;
const infinite = F64.infinity;
const quiet = F64.canonicalNaN;

test('every mode rounds one third its own way', () => {
  const softfloat = new Softfloat();
  const modes = [Rounding.RNE, Rounding.RTZ, Rounding.RDN, Rounding.RUP, Rounding.RMM];
  const positive = modes.map((rm) => softfloat.div(F32, 0x3f800000n, 0x40400000n, rm));
  const negative = modes.map((rm) => softfloat.div(F32, 0xbf800000n, 0x40400000n, rm));
  assert.deepEqual(positive, [0x3eaaaaabn, 0x3eaaaaaan, 0x3eaaaaaan, 0x3eaaaaabn, 0x3eaaaaabn]);
  assert.deepEqual(negative, [0xbeaaaaabn, 0xbeaaaaaan, 0xbeaaaaabn, 0xbeaaaaaan, 0xbeaaaaabn]);
});

test('a tie goes to even in RNE and away from zero in RMM', () => {
  const softfloat = new Softfloat();
  // 1 + 2^-53 lies halfway between 1 and its successor.
  assert.equal(softfloat.add(F64, one, 0x3ca0000000000000n, Rounding.RNE), one);
  assert.equal(softfloat.add(F64, one, 0x3ca0000000000000n, Rounding.RMM), one + 1n);
});

test('a result rounded up to the least normal number underflows only if it is tiny after rounding', () => {
  const softfloat = new Softfloat();
  // (2 - 2^-52) * 2^-1023: a whole 53-bit number below the least normal one.
  assert.equal(softfloat.mul(F64, 0x3fffffffffffffffn, 0x0008000000000000n, Rounding.RNE), F64.implicitBit);
  assert.equal(softfloat.flags, Flag.UF | Flag.NX);
  softfloat.flags = 0;
  // (1 + 2^-52) * (1 - 2^-53) * 2^-1022 = (1 + 2^-53 - 2^-105) * 2^-1022: not even below it.
  assert.equal(softfloat.mul(F64, F64.implicitBit + 1n, 0x3fefffffffffffffn, Rounding.RNE), F64.implicitBit);
  assert.equal(softfloat.flags, Flag.NX);
});

test('infinity times zero plus a quiet NaN is invalid', () => {
  const softfloat = new Softfloat();
  assert.equal(softfloat.fma(F64, infinite, 0n, quiet, Rounding.RNE), quiet);
  assert.equal(softfloat.flags, Flag.NV);
});

test('a fused multiply-add keeps what a product would lose', () => {
  const softfloat = new Softfloat();
  // (1 + 2^-52)^2 - (1 + 2^-51) = 2^-104
  const result = softfloat.fma(F64, one + 1n, one + 1n, 0xbff0000000000002n, Rounding.RNE);
  assert.equal(result, 0x3970000000000000n);
  assert.equal(softfloat.flags, 0);
});

test('flags accrue over operations until the caller clears them', () => {
  const softfloat = new Softfloat();
  softfloat.div(F64, one, 0n, Rounding.RNE);
  softfloat.sqrt(F64, one | F64.signBit, Rounding.RNE);
  softfloat.toInt(F64, 0x3fe0000000000000n, 64, true, Rounding.RTZ);
  assert.equal(softfloat.flags, Flag.DZ | Flag.NV | Flag.NX);
});

test('only the low bits of an argument count, so that signed and boxed patterns may come as they are', () => {
  const softfloat = new Softfloat();
  const signed = (bits: bigint) => BigInt.asIntN(64, bits);
  const minusOne = one | F64.signBit;
  assert.equal(softfloat.add(F64, signed(minusOne), 0n, Rounding.RNE), minusOne);
  assert.equal(softfloat.min(F64, signed(minusOne), one), minusOne);
  assert.equal(softfloat.fma(F64, 0n, 0n, signed(minusOne), Rounding.RNE), minusOne);
  assert.equal(softfloat.lt(F64, signed(minusOne), 0n), true);
  const boxed = (bits: bigint) => signed(0xffffffff00000000n | bits);
  assert.equal(softfloat.mul(F32, boxed(0xbf800000n), boxed(0x40000000n), Rounding.RNE), 0xc0000000n);
  assert.equal(softfloat.max(F32, boxed(0xbf800000n), boxed(0xff800000n)), 0xbf800000n);
  assert.equal(softfloat.classify(F32, boxed(0x80000000n)), 1 << 3);
  assert.equal(softfloat.fromInt(F64, -1n, 32, false, Rounding.RNE), 0x41efffffffe00000n);
});
