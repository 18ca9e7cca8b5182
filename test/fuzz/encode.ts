/** The bits of one instruction. */
import { assemble } from '../conformance/testing/assembler.ts';

export function encode(text: string): number {
  const { bytes } = assemble(text);
  return bytes.reduceRight((bits, byte) => ((bits << 8) | byte) >>> 0, 0);
}
