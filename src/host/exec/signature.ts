/**
 * Signatures of the RISC-V architecture tests: the memory from `begin_signature` to `end_signature` as text, one 32-bit
 * little-endian word a line, 8 lower-case hexadecimal digits (RISCOF, "signature format").
 */
import { OperatingError } from '../../core/base/error.ts';
import type { Elf } from '../../core/vm/elf.ts';

export interface SignatureRange {
  readonly start: number;
  /** A multiple of 4. */
  readonly lengthBytes: number;
}

/** Where the signature lies. Throws if the program has none, or an impossible one. */
export function signatureRange(elf: Elf, file: string): SignatureRange {
  const start = elf.symbols.get('begin_signature');
  const end = elf.symbols.get('end_signature');
  if (start === undefined || end === undefined) {
    throw new OperatingError(
      'no-signature',
      `${file} has no symbol ${start === undefined ? 'begin_signature' : 'end_signature'}`,
      'Leave out --signature, or build the program with both symbols and do not strip it.',
    );
  }
  if (end < start || end - start > 0xffff_ffffn) {
    throw new OperatingError(
      'no-signature',
      `in ${file} the signature ends at 0x${end.toString(16)}, and begins at 0x${start.toString(16)}`,
      'Put end_signature behind begin_signature.',
    );
  }
  return { start: Number(start), lengthBytes: Math.ceil(Number(end - start) / 4) * 4 };
}

export function signatureText(memory: Uint8Array): string {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  let text = '';
  for (let at = 0; at < memory.length; at += 4) text += `${view.getUint32(at, true).toString(16).padStart(8, '0')}\n`;
  return text;
}
