/** The WebAssembly Binary Toolkit as assembler of text, and what tests compare of two binaries. */
import wabt from 'wabt';

const features = { threads: true, tail_call: true, relaxed_simd: true, annotations: true, code_metadata: true };

/**
 * More blocks within each other than these are too many for the toolkit's stack, which is small: it fails, and the instance
 * that failed is of no use afterwards.
 */
export const MAX_DEPTH = 100;

/** Throws with the lines that are wrong. The toolkit's validation knows no features: let the engine validate the binary. */
export async function assemble(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const module = (await wabt()).parseWat('text', text, features);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

class Source {
  readonly #bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
    this.end = bytes.length;
  }
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
  sized(): Uint8Array {
    const length = this.u32();
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

const sectionNames = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
];
const CODE = 10;

/**
 * A binary's parts as hexadecimal text by their names: sections that are not empty, and of the code section each function
 * (`function 0`, `function 1`, ..., imports not counted). Custom sections are left out.
 */
export function partsOf(binary: Uint8Array): Map<string, string> {
  const parts = new Map<string, string>();
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const source = new Source(binary, 8);
  while (source.at < source.end) {
    const id = source.u32();
    const content = source.sized();
    if (id === CODE) {
      const code = new Source(content);
      const count = code.u32();
      for (let i = 0; i < count; i++) parts.set(`function ${i}`, hex(code.sized()));
    } else if (id !== 0 && hex(content) !== '00') parts.set(sectionNames[id], hex(content));
  }
  return parts;
}
