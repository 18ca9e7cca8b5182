/**
 * The demo's output. On a terminal: lines that stay, and below them a block that is drawn again in place. Elsewhere (a pipe, a
 * file): the lines that stay, and nothing that moves.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const ESC = '\x1b[';
const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 24;

export class Screen {
  readonly isLive: boolean;
  readonly #output: Output;
  readonly #colours: boolean;
  /** Lines of the block that are on the screen. */
  #drawn = 0;
  #block: readonly string[] = [];

  constructor(output: Output, environment: NodeJS.ProcessEnv = process.env) {
    this.#output = output;
    this.isLive = output.isTTY === true && environment.TERM !== 'dumb';
    this.#colours = this.isLive && (environment.NO_COLOR ?? '') === '';
  }

  /** `text` in that style, where there are colours. */
  style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** A line that stays. */
  say(line = ''): void {
    if (!this.isLive) return void this.#output.write(`${line}\n`);
    this.#output.write(`${this.#toTop()}${ESC}J${line}\n`);
    this.#drawn = 0;
    this.#draw();
  }

  /** Draws the block anew; an empty one takes it away. Nothing happens where nothing can move. */
  show(block: readonly string[]): void {
    if (!this.isLive) return;
    this.#block = block;
    this.#draw();
  }

  #draw(): void {
    const columns = this.#output.columns ?? DEFAULT_COLUMNS;
    const rows = this.#output.rows ?? DEFAULT_ROWS;
    // A block that does not fit could not be drawn in place.
    const lines = this.#block.slice(0, rows - 1).map((line) => `${fit(line, columns)}${ESC}K\n`);
    const hide = lines.length > 0 ? `${ESC}?25l` : `${ESC}?25h`;
    this.#output.write(`${hide}${this.#toTop()}${lines.join('')}${ESC}J`);
    this.#drawn = lines.length;
  }

  #toTop(): string {
    return this.#drawn === 0 ? '' : `${ESC}${this.#drawn}F`;
  }
}

/** A line that is too long loses its end, and its colours with it. */
function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : plain.slice(0, columns - 1);
}
