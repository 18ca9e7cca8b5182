/**
 * S-expressions laid out for reading: on one line where they fit, otherwise each operand on a line of its own, two columns
 * further in.
 */

/** A word or a line as it is, or a list. A line that begins with `;;` is a comment and never shares its line. */
export type Node = string | List;

export interface List {
  /** The first words, which stay together. */
  readonly head: string;
  readonly children: readonly Node[];
  readonly layout: Layout;
}

export interface Layout {
  /** `lines`: each child has a line of its own. */
  readonly children?: 'fit' | 'lines';
  /** So many of the first children stand behind the head all the same, where they fit. */
  readonly inline?: number;
  /** Where given, the closing parenthesis has a line of its own, with this behind it. */
  readonly end?: string;
  /** A first child that nests too begins on the line of its parent. Needs `end`. */
  readonly nests?: boolean;
}

const WIDTH = 110;

/** `(head child child ...)`. */
export function node(head: string, children: readonly Node[], layout: Layout = {}): Node {
  return { head, children, layout };
}

/** The node on one line of at most `width` columns, or undefined. */
function flat(n: Node, width: number): string | undefined {
  if (typeof n === 'string') return n.length <= width && !n.startsWith(';;') ? n : undefined;
  const { children = 'fit', inline = 0 } = n.layout;
  if (children === 'lines' && n.children.length > inline) return undefined;
  let line = `(${n.head}`;
  for (const child of n.children) {
    const text = flat(child, width - line.length - 2);
    if (text === undefined) return undefined;
    line += ` ${text}`;
  }
  return line.length < width ? `${line})` : undefined;
}

/** The node's text. */
export function render(root: Node): string {
  const out = new Lines();
  out.put(root, 0, 0);
  return out.lines.join('\n');
}

class Lines {
  readonly lines: string[] = [];

  /** Adds a node, and `closing` parentheses that end the lists around it. */
  put(n: Node, indent: number, closing: number): void {
    const line = typeof n === 'string' ? n : flat(n, WIDTH - indent - closing);
    if (line === undefined) this.#putList(n as List, indent, closing, '');
    else if (line.startsWith(';;') && closing > 0) {
      this.#add(indent, line);
      this.#add(indent - 2, ')'.repeat(closing));
    } else this.#add(indent, line + ')'.repeat(closing));
  }

  #add(indent: number, line: string): void {
    this.lines.push(' '.repeat(indent) + line);
  }

  /** A list that does not fit on a line; `before` shares the line with its head. */
  #putList({ head, children, layout }: List, indent: number, closing: number, before: string): void {
    const { inline = 0, end } = layout;
    let first = `${before}(${head}`;
    let from = 0;
    for (; from < inline; from++) {
      const text = flat(children[from], WIDTH - indent - first.length - 1);
      if (text === undefined) break;
      first += ` ${text}`;
    }
    if (end === undefined) {
      this.#add(indent, first);
      this.#putChildren(children.slice(from), indent + 2, closing + 1);
      return;
    }
    // Lists that begin with lists, as the blocks of a dispatch do, go no further in: there may be hundreds.
    const inner = children[0];
    if (isNest(inner) && layout.nests === true) {
      const fits = indent + first.length + inner.head.length + 2 <= WIDTH;
      if (!fits) this.#add(indent, first);
      this.#putList(inner, indent, 0, fits ? `${first} ` : '');
      from = 1;
    } else this.#add(indent, first);
    this.#putChildren(children.slice(from), indent + 2, 0);
    this.#add(indent, `)${end === '' ? '' : ` ;; ${end}`}`);
    if (closing > 0) this.#add(indent - 2, ')'.repeat(closing));
  }

  #putChildren(children: readonly Node[], indent: number, closing: number): void {
    for (const [i, child] of children.entries()) this.put(child, indent, i === children.length - 1 ? closing : 0);
  }
}

const isNest = (n: Node | undefined): n is List => typeof n === 'object' && n.layout.nests === true;
