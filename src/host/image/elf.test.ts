import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elfSection, slimModule } from './elf.ts';
import { parseModinfo, withoutSignature } from './modules.ts';

interface TestSymbol {
  readonly name: string;
  /** Binding << 4 | type. */
  readonly info: number;
}

/** Symbol kinds: a label (local, no type), a static function, a global. */
const label = 0x00;
const staticFunction = 0x02;
const global = 0x10;

const symbols: readonly TestSymbol[] = [
  { name: '', info: 0 },
  { name: '.L1', info: label },
  { name: 'helper', info: staticFunction },
  { name: '.L2', info: label },
  { name: '.L3', info: label },
  { name: 'init_module', info: global },
];

/** A small relocatable file: modinfo, code, relocations that use .L2 (3) and init_module (5), symbols, BTF. */
function sampleModule(): Uint8Array {
  const names: string[] = [];
  const nameTable = (list: readonly string[]) => {
    let table = '\0';
    const offsets = list.map((name) => {
      if (name === '') return 0;
      const at = table.length;
      table += `${name}\0`;
      return at;
    });
    return { table: Buffer.from(table, 'latin1'), offsets };
  };
  const symbolNames = nameTable(symbols.map(({ name }) => name));
  const symbolTable = Buffer.alloc(symbols.length * 24);
  for (const [index, { info }] of symbols.entries()) {
    symbolTable.writeUInt32LE(symbolNames.offsets[index]!, index * 24);
    symbolTable.writeUInt8(info, index * 24 + 4);
    symbolTable.writeBigUInt64LE(BigInt(index * 16), index * 24 + 8);
  }
  const relocations = Buffer.alloc(48);
  relocations.writeUInt32LE(3, 12);
  relocations.writeUInt32LE(5, 24 + 12);
  const sections = [
    { name: '', type: 0, link: 0, info: 0, data: Buffer.alloc(0) },
    { name: '.modinfo', type: 1, link: 0, info: 0, data: Buffer.from('depends=jbd2,crc-16\0alias=fs-ext4\0') },
    { name: '.text', type: 1, link: 0, info: 0, data: Buffer.from('code code code') },
    { name: '.rela.text', type: 4, link: 4, info: 2, data: relocations },
    { name: '.symtab', type: 2, link: 5, info: 5, data: symbolTable },
    { name: '.strtab', type: 3, link: 0, info: 0, data: symbolNames.table },
    { name: '.BTF', type: 1, link: 0, info: 0, data: Buffer.from('type information') },
    { name: '.bss', type: 8, link: 0, info: 0, data: Buffer.alloc(0) },
    { name: '.shstrtab', type: 3, link: 0, info: 0, data: Buffer.alloc(0) },
  ];
  names.push(...sections.map(({ name }) => name));
  const sectionNames = nameTable(names);
  sections.at(-1)!.data = sectionNames.table;
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  const parts: Buffer[] = [header];
  let end = 64;
  const headers = sections.map(({ type, link, info, data }, index) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(sectionNames.offsets[index]!, 0);
    entry.writeUInt32LE(type, 4);
    entry.writeBigUInt64LE(BigInt(end), 0x18);
    entry.writeBigUInt64LE(BigInt(type === 8 ? 4096 : data.length), 0x20);
    entry.writeUInt32LE(link, 0x28);
    entry.writeUInt32LE(info, 0x2c);
    entry.writeBigUInt64LE(1n, 0x30);
    parts.push(data);
    end += data.length;
    return entry;
  });
  header.writeBigUInt64LE(BigInt(end), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(sections.length, 0x3c);
  header.writeUInt16LE(sections.length - 1, 0x3e);
  return Buffer.concat([...parts, ...headers]);
}

function symbolNames(file: Uint8Array): string[] {
  const table = Buffer.from(elfSection(file, '.symtab')!);
  const strings = Buffer.from(elfSection(file, '.strtab')!);
  return Array.from({ length: table.length / 24 }, (_, index) => {
    const start = table.readUInt32LE(index * 24);
    return strings.subarray(start, strings.indexOf(0, start)).toString();
  });
}

test('labels that nothing refers to go; functions, globals and targets of relocations stay', () => {
  const slim = slimModule(sampleModule());
  assert.deepEqual(symbolNames(slim), ['', 'helper', '.L2', 'init_module']);
});

test('relocations lead to the same symbols as before, and symbols keep their values', () => {
  const slim = slimModule(sampleModule());
  const relocations = Buffer.from(elfSection(slim, '.rela.text')!);
  assert.deepEqual([relocations.readUInt32LE(12), relocations.readUInt32LE(36)], [2, 3]);
  const table = Buffer.from(elfSection(slim, '.symtab')!);
  assert.deepEqual([table.readBigUInt64LE(2 * 24 + 8), table.readBigUInt64LE(3 * 24 + 8)], [48n, 80n]);
});

test('code is untouched, type information is empty, and the first global is counted right', () => {
  const slim = slimModule(sampleModule());
  assert.equal(Buffer.from(elfSection(slim, '.text')!).toString(), 'code code code');
  assert.equal(elfSection(slim, '.BTF')!.length, 0);
  const view = new DataView(slim.buffer, slim.byteOffset);
  const tableAt = Number(view.getBigUint64(0x28, true));
  assert.equal(view.getUint32(tableAt + 4 * 64 + 0x2c, true), 3);
  assert.equal(view.getBigUint64(tableAt + 7 * 64 + 0x20, true), 4096n, '.bss keeps its size without taking room');
});

test('slimming twice changes nothing more', () => {
  const once = slimModule(sampleModule());
  assert.deepEqual(slimModule(once), once);
});

test('dependencies and aliases are read from .modinfo', () => {
  assert.deepEqual(parseModinfo(sampleModule()), { depends: ['jbd2', 'crc_16'], aliases: ['fs-ext4'] });
});

test('an appended signature is taken off, and a module without one is left alone', () => {
  const module = sampleModule();
  const info = Buffer.alloc(12);
  info.writeUInt32BE(5, 8);
  const signed = Buffer.concat([module, Buffer.from('PKCS7'), info, Buffer.from('~Module signature appended~\n')]);
  assert.deepEqual(Buffer.from(withoutSignature(signed)), Buffer.from(module));
  assert.equal(withoutSignature(module), module);
});

test('what is no ELF file, or is cut short, is refused', () => {
  assert.throws(() => elfSection(Buffer.from('MZ'), '.text'), { code: 'bad-package' });
  const module = sampleModule();
  assert.throws(() => slimModule(module.subarray(0, module.length - 10)), { code: 'bad-package' });
});
