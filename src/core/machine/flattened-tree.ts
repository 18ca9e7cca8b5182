/** A writer of flattened device trees (Devicetree Specification 0.4, chapter 5). */

export type Property = string | readonly string[] | number | readonly number[] | Uint8Array | true;

export interface TreeNode {
  readonly properties: { readonly [name: string]: Property };
  readonly children?: { readonly [name: string]: TreeNode };
}

const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const END = 9;
const HEADER_BYTES = 40;
const RESERVE_BYTES = 16;

/** Two cells for a 64-bit number. */
export const cells64 = (value: number): number[] => [Math.floor(value / 2 ** 32), value >>> 0];

const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

function valueBytes(value: Property): number[] {
  if (value === true) return [];
  if (value instanceof Uint8Array) return [...value];
  if (typeof value === 'string') return [...ascii(value), 0];
  const list = typeof value === 'number' ? [value] : value;
  return list.flatMap((item) =>
    typeof item === 'string'
      ? [...ascii(item), 0]
      : [(item >>> 24) & 255, (item >>> 16) & 255, (item >>> 8) & 255, item & 255],
  );
}

export function flattenTree(root: TreeNode): Uint8Array {
  const structure: number[] = [];
  const strings: number[] = [];
  const stringOffsets = new Map<string, number>();
  const cell = (value: number): void => {
    structure.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  };
  const pad = (): void => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const write = (name: string, node: TreeNode): void => {
    cell(BEGIN_NODE);
    structure.push(...ascii(name), 0);
    pad();
    for (const [key, value] of Object.entries(node.properties)) {
      const bytes = valueBytes(value);
      let offset = stringOffsets.get(key);
      if (offset === undefined) {
        offset = strings.length;
        stringOffsets.set(key, offset);
        strings.push(...ascii(key), 0);
      }
      cell(PROP);
      cell(bytes.length);
      cell(offset);
      for (const b of bytes) structure.push(b);
      pad();
    }
    for (const [child, content] of Object.entries(node.children ?? {})) write(child, content);
    cell(END_NODE);
  };
  write('', root);
  cell(END);
  const total = HEADER_BYTES + RESERVE_BYTES + structure.length + strings.length;
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  const structureAt = HEADER_BYTES + RESERVE_BYTES;
  const stringsAt = structureAt + structure.length;
  const header = [0xd00dfeed, total, structureAt, stringsAt, HEADER_BYTES, 17, 16, 0, strings.length, structure.length];
  for (const [i, value] of header.entries()) view.setUint32(i * 4, value);
  out.set(structure, structureAt);
  out.set(strings, stringsAt);
  return out;
}
