/**
 * Reads and rewrites relocatable ELF files, as kernel modules are (System V ABI, "Object Files"; 64-bit, little-endian).
 *
 * A module of this kernel is mostly ballast: linker relaxation leaves a local label on every other instruction, so of ext4's 7 MB, 5 MB are
 * symbols that nothing refers to. The kernel walks and copies them whenever it loads the module.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

/** A section header (ABI, "Section Header"); offsets and sizes in bytes. */
interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}

const sectionType = { symbols: 2, relocations: 4, noBits: 8, group: 17, extendedIndices: 18 } as const;
const symbolType = { object: 1, function: 2 } as const;
const headerBytes = 64;
const sectionHeaderBytes = 64;
const symbolBytes = 24;
const relocationBytes = 24;

/** The contents of a named section; undefined when there is none. Throws `bad-package` when the file is no ELF file of this kind. */
export function elfSection(file: Uint8Array, name: string): Uint8Array | undefined {
  const section = readSections(file).find((each) => each.name === name);
  return section === undefined ? undefined : contents(file, section);
}

/**
 * The module without local symbols that nothing refers to (functions and variables keep theirs, for readable traces) and without the type
 * information that only BPF reads. Code, data and relocations stay as they are, byte for byte but for the symbols' new numbers.
 */
export function slimModule(file: Uint8Array): Uint8Array {
  const sections = readSections(file);
  const symbolsAt = sections.findIndex((each) => each.type === sectionType.symbols);
  const refersOtherwise = sections.some(
    ({ type }) => type === sectionType.group || type === sectionType.extendedIndices,
  );
  if (symbolsAt < 0 || refersOtherwise) return file;

  const header = headerView(file, symbolsAt);
  const stringsAt = header.getUint32(0x28, true);
  const renumbered = keepSymbols(file, sections, sections[symbolsAt]!, sections[stringsAt]!);
  const data = sections.map((section, index) => {
    if (section.name === '.BTF' || section.name === '.BTF.base') return new Uint8Array(0);
    if (index === symbolsAt) return renumbered.symbols;
    if (index === stringsAt) return renumbered.strings;
    if (section.type === sectionType.relocations) return relocate(contents(file, section), renumbered.numbers);
    return contents(file, section);
  });
  return assemble(file, sections, data, { symbolsAt, localCount: renumbered.localCount });
}

function readSections(file: Uint8Array): Section[] {
  const view = viewOf(file);
  const isElf = file.length >= headerBytes && view.getUint32(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
  if (!isElf || view.getUint16(0x3a, true) !== sectionHeaderBytes) throw damaged('it is not a 64-bit ELF file');
  const count = view.getUint16(0x3c, true);
  if (wide(view, 0x28) + count * sectionHeaderBytes > file.length) throw damaged('it is cut short');
  const names = headerView(file, view.getUint16(0x3e, true));
  const namesAt = wide(names, 0x18);
  return Array.from({ length: count }, (_, index) => {
    const header = headerView(file, index);
    const start = namesAt + header.getUint32(0, true);
    const section = {
      name: new TextDecoder().decode(file.subarray(start, file.indexOf(0, start))),
      type: header.getUint32(4, true),
      offset: wide(header, 0x18),
      size: wide(header, 0x20),
      align: wide(header, 0x30),
    };
    if (section.type !== sectionType.noBits && section.offset + section.size > file.length)
      throw damaged('it is cut short');
    return section;
  });
}

/** The symbols that stay, their names, and for each old number the new one. */
function keepSymbols(file: Uint8Array, sections: readonly Section[], table: Section, strings: Section) {
  const old = contents(file, table);
  const view = viewOf(old);
  const count = old.length / symbolBytes;
  const wanted = new Uint8Array(count);
  wanted[0] = 1;
  for (const section of sections) {
    if (section.type !== sectionType.relocations) continue;
    const relocations = viewOf(contents(file, section));
    for (let at = 0; at < relocations.byteLength; at += relocationBytes)
      wanted[relocations.getUint32(at + 12, true)] = 1;
  }
  const names: Uint8Array[] = [new Uint8Array(1)];
  let namesLength = 1;
  let localCount = 0;
  const numbers = new Uint32Array(count);
  const kept: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const info = old[index * symbolBytes + 4]!;
    const isLocal = info >> 4 === 0;
    const isNamed = (info & 15) === symbolType.object || (info & 15) === symbolType.function;
    if (wanted[index] === 0 && isLocal && !isNamed) continue;
    numbers[index] = kept.length;
    if (isLocal) localCount++;
    const entry = old.slice(index * symbolBytes, (index + 1) * symbolBytes);
    const nameOffset = view.getUint32(index * symbolBytes, true);
    if (nameOffset !== 0) {
      const start = strings.offset + nameOffset;
      const name = file.subarray(start, file.indexOf(0, start) + 1);
      viewOf(entry).setUint32(0, namesLength, true);
      names.push(name);
      namesLength += name.length;
    }
    kept.push(entry);
  }
  return { symbols: Buffer.concat(kept), strings: Buffer.concat(names), numbers, localCount };
}

/** The upper half of r_info is the number of the symbol (ABI, "Relocation"). */
function relocate(relocations: Uint8Array, numbers: Uint32Array): Uint8Array {
  const result = relocations.slice();
  const view = viewOf(result);
  for (let at = 0; at < result.length; at += relocationBytes) {
    view.setUint32(at + 12, numbers[view.getUint32(at + 12, true)]!, true);
  }
  return result;
}

/** A file of the same sections in the same order, with new contents. */
function assemble(
  file: Uint8Array,
  sections: readonly Section[],
  data: readonly Uint8Array[],
  { symbolsAt, localCount }: { symbolsAt: number; localCount: number },
): Uint8Array {
  const offsets: number[] = [];
  let end = headerBytes;
  for (const [index, section] of sections.entries()) {
    const align = Math.max(section.align, 1);
    end = Math.ceil(end / align) * align;
    offsets.push(end);
    if (section.type !== sectionType.noBits) end += data[index]!.length;
  }
  const tableAt = Math.ceil(end / 8) * 8;
  const result = new Uint8Array(tableAt + sections.length * sectionHeaderBytes);
  const view = viewOf(result);
  result.set(file.subarray(0, headerBytes));
  view.setBigUint64(0x28, BigInt(tableAt), true);
  for (const [index, section] of sections.entries()) {
    const at = tableAt + index * sectionHeaderBytes;
    const header = headerView(file, index);
    result.set(new Uint8Array(header.buffer, header.byteOffset, sectionHeaderBytes), at);
    if (index === 0) continue;
    view.setBigUint64(at + 0x18, BigInt(offsets[index]!), true);
    if (section.type === sectionType.noBits) continue;
    view.setBigUint64(at + 0x20, BigInt(data[index]!.length), true);
    result.set(data[index]!, offsets[index]!);
  }
  // Of a symbol table, sh_info is the number of its first symbol that is not local.
  view.setUint32(tableAt + symbolsAt * sectionHeaderBytes + 0x2c, localCount, true);
  return result;
}

function contents(file: Uint8Array, section: Section): Uint8Array {
  if (section.type === sectionType.noBits) return new Uint8Array(0);
  return file.subarray(section.offset, section.offset + section.size);
}

function headerView(file: Uint8Array, index: number): DataView {
  const at = wide(viewOf(file), 0x28) + index * sectionHeaderBytes;
  if (at + sectionHeaderBytes > file.length) throw damaged('it is cut short');
  return new DataView(file.buffer, file.byteOffset + at, sectionHeaderBytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wide(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function damaged(why: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>('bad-package', `a kernel module cannot be read: ${why}`);
}
