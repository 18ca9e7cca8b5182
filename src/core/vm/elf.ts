/** Reads the parts of an ELF64 RISC-V executable that a loader needs (System V ABI, chapters 4 and 5). */
import { OperatingError } from '../base/error.ts';

export type ElfErrorCode = 'elf-malformed' | 'elf-wrong-kind';

export interface ElfSegment {
  readonly physicalAddress: number;
  readonly memoryBytes: number;
  readonly content: Uint8Array;
}

export interface Elf {
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  /** Values of the symbols by name. */
  readonly symbols: ReadonlyMap<string, bigint>;
}

const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const EM_RISCV = 243;
const ET_EXEC = 2;
const ET_DYN = 3;

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

const malformed = (what: string): OperatingError<ElfErrorCode> =>
  new OperatingError('elf-malformed', `the ELF file is damaged: ${what}`, 'Build or copy the file again.');
const wrongKind = (what: string): OperatingError<ElfErrorCode> =>
  new OperatingError(
    'elf-wrong-kind',
    what,
    'Build it for bare-metal RV64, e.g. with riscv64-unknown-elf-gcc -static.',
  );

function number(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`${what} is ${value}`);
  return Number(value);
}

export function parseElf(file: Uint8Array): Elf {
  if (!isElf(file)) throw wrongKind('the file is not an ELF file');
  if (file.length < 64) throw malformed('it ends inside the ELF header');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file[4] !== 2 || file[5] !== 1) throw wrongKind('the ELF file is not 64-bit little-endian');
  if (view.getUint16(18, true) !== EM_RISCV) throw wrongKind('the ELF file is not for RISC-V');
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) throw wrongKind('the ELF file is not an executable');
  return {
    entry: view.getBigUint64(24, true),
    segments: readSegments(file, view),
    symbols: readSymbols(file, view),
  };
}

function table(
  view: DataView,
  file: Uint8Array,
  at: number,
  entryBytesAt: number,
  countAt: number,
  least: number,
  what: string,
) {
  const offset = number(view.getBigUint64(at, true), `the offset of the ${what} table`);
  const entryBytes = view.getUint16(entryBytesAt, true);
  const count = view.getUint16(countAt, true);
  if (count > 0 && (entryBytes < least || offset + count * entryBytes > file.length)) {
    throw malformed(`its ${what} table lies outside the file`);
  }
  return Array.from({ length: count }, (_, i) => offset + i * entryBytes);
}

function slice(file: Uint8Array, offset: number, length: number, what: string): Uint8Array {
  if (offset + length > file.length) throw malformed(`${what} lies outside the file`);
  return file.subarray(offset, offset + length);
}

function readSegments(file: Uint8Array, view: DataView): ElfSegment[] {
  const segments: ElfSegment[] = [];
  for (const at of table(view, file, 32, 54, 56, 56, 'program header')) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const fileBytes = number(view.getBigUint64(at + 32, true), 'the size of a segment');
    const memoryBytes = number(view.getBigUint64(at + 40, true), 'the size of a segment');
    if (memoryBytes < fileBytes) throw malformed('a segment is larger in the file than in memory');
    if (memoryBytes === 0) continue;
    segments.push({
      // An address that a number cannot hold exactly lies far outside RAM, and the loader says so.
      physicalAddress: Number(view.getBigUint64(at + 24, true)),
      memoryBytes,
      content: slice(file, number(view.getBigUint64(at + 8, true), 'the offset of a segment'), fileBytes, 'a segment'),
    });
  }
  if (segments.length === 0) throw wrongKind('the ELF file has nothing to load');
  return segments;
}

function readSymbols(file: Uint8Array, view: DataView): Map<string, bigint> {
  const symbols = new Map<string, bigint>();
  const sections = table(view, file, 40, 58, 60, 64, 'section header');
  for (const at of sections) {
    if (view.getUint32(at + 4, true) !== SHT_SYMTAB) continue;
    const offset = number(view.getBigUint64(at + 24, true), 'the offset of the symbol table');
    const bytes = number(view.getBigUint64(at + 32, true), 'the size of the symbol table');
    slice(file, offset, bytes, 'the symbol table');
    const link = sections[view.getUint32(at + 40, true)];
    if (link === undefined) throw malformed('the symbol table has no strings');
    const stringsAt = number(view.getBigUint64(link + 24, true), 'the offset of the strings');
    const strings = slice(
      file,
      stringsAt,
      number(view.getBigUint64(link + 32, true), 'the size of the strings'),
      'the strings',
    );
    for (let entry = offset; entry + 24 <= offset + bytes; entry += 24) {
      const name = stringAt(strings, view.getUint32(entry, true));
      if (name !== '') symbols.set(name, view.getBigUint64(entry + 8, true));
    }
  }
  return symbols;
}

function stringAt(strings: Uint8Array, offset: number): string {
  let text = '';
  for (let i = offset; i < strings.length && strings[i] !== 0; i++) text += String.fromCharCode(strings[i]);
  return text;
}
