/** Writes the smallest ELF64 files that a loader understands (System V ABI, chapters 4 and 5). */
import type { Assembled } from './assembler.ts';

const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
const SYMBOL = 24;

/** An executable with one segment and a symbol table: the program's symbols and `more`. Entry: `_start`, or the origin. */
export function makeElf(program: Assembled, more: { readonly [name: string]: bigint } = {}): Uint8Array {
  const symbols = [...program.symbols, ...Object.entries(more)];
  const names = ['', ...symbols.map(([name]) => name)];
  const strings = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
  const contentAt = HEADER + PROGRAM_HEADER;
  const symbolsAt = Math.ceil((contentAt + program.bytes.length) / 8) * 8;
  const stringsAt = symbolsAt + SYMBOL * (symbols.length + 1);
  const sectionsAt = Math.ceil((stringsAt + strings.length) / 8) * 8;
  const file = new Uint8Array(sectionsAt + 3 * SECTION_HEADER);
  const view = new DataView(file.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const u64 = (at: number, value: bigint | number): void => view.setBigUint64(at, BigInt(value), true);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u16(16, 2); // executable
  u16(18, 243); // RISC-V
  u32(20, 1);
  u64(24, program.symbols.get('_start') ?? program.origin);
  u64(32, HEADER);
  u64(40, sectionsAt);
  u16(52, HEADER);
  u16(54, PROGRAM_HEADER);
  u16(56, 1);
  u16(58, SECTION_HEADER);
  u16(60, 3);
  u32(HEADER, 1); // load
  u32(HEADER + 4, 7);
  u64(HEADER + 8, contentAt);
  u64(HEADER + 16, program.origin);
  u64(HEADER + 24, program.origin);
  u64(HEADER + 32, program.bytes.length);
  u64(HEADER + 40, program.bytes.length);
  u64(HEADER + 48, 8);
  file.set(program.bytes, contentAt);
  let name = 1;
  for (const [i, [text, value]] of symbols.entries()) {
    const at = symbolsAt + SYMBOL * (i + 1);
    u32(at, name);
    file[at + 4] = 0x10; // global
    u16(at + 6, 0xfff1); // absolute
    u64(at + 8, value);
    name += text.length + 1;
  }
  file.set(strings, stringsAt);
  const section = (i: number, type: number, at: number, length: number, link: number, entry: number): void => {
    const header = sectionsAt + i * SECTION_HEADER;
    u32(header + 4, type);
    u64(header + 24, at);
    u64(header + 32, length);
    u32(header + 40, link);
    u64(header + 56, entry);
  };
  section(1, 2, symbolsAt, stringsAt - symbolsAt, 2, SYMBOL);
  section(2, 3, stringsAt, strings.length, 0, 0);
  return file;
}
