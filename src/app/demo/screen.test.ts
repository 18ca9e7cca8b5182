import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from './screen.ts';

/** What a terminal of 20 columns would show: enough of ECMA-48 for what Screen writes. */
class Terminal {
  readonly isTTY = true;
  readonly columns = 20;
  rows = 10;
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
    for (const [part, up] of text.matchAll(/\x1b\[(\d+)F|\x1b\[[?\d]*[A-Za-z]|[^\x1b]/g)) {
      const line = this.#lines[this.#row] ?? '';
      if (up !== undefined) this.#moveTo(this.#row - Number(up));
      else if (part === '\n') this.#moveTo(this.#row + 1);
      else if (part === '\x1b[J') this.#lines.splice(this.#row, this.#lines.length, line.slice(0, this.#column));
      else if (part === '\x1b[K') this.#lines[this.#row] = line.slice(0, this.#column);
      else if (part.length === 1) {
        this.#lines[this.#row] = line.slice(0, this.#column) + part + line.slice(++this.#column);
      }
    }
  }

  #moveTo(row: number): void {
    this.#row = row;
    this.#column = 0;
    this.#lines[row] ??= '';
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}

test('on a pipe only the lines that stay are written, and no escape sequence', () => {
  let written = '';
  const screen = new Screen({ write: (text) => (written += text) });
  screen.say(`one ${screen.style('red', 'red')}`);
  screen.show(['moving']);
  screen.say('two');
  screen.show([]);
  assert.equal(written, 'one red\ntwo\n');
});

test('a line that stays goes above the block', () => {
  const terminal = new Terminal();
  const screen = new Screen(terminal, {});
  screen.say('first');
  screen.show(['block']);
  screen.say('second');
  assert.equal(terminal.text, 'first\nsecond\nblock\n');
  screen.show([]);
  assert.equal(terminal.text, 'first\nsecond\n');
});

test('a block is drawn again in its place, and nothing of the old one is left', () => {
  const terminal = new Terminal();
  const screen = new Screen(terminal, {});
  screen.say('stays');
  screen.show(['a longer line', 'another', 'a third']);
  screen.show(['short', 'two']);
  assert.equal(terminal.text, 'stays\nshort\ntwo\n');
});

test('a block never wraps or scrolls: what does not fit is cut off', () => {
  const terminal = new Terminal();
  terminal.rows = 4;
  const screen = new Screen(terminal, {});
  screen.show(['a line that is longer than the terminal', '2', '3', '4', '5']);
  assert.equal(terminal.text, 'a line that is long\n2\n3\n');
});

test('colours need a terminal, and yield to NO_COLOR', () => {
  assert.equal(new Screen(new Terminal(), { NO_COLOR: '1' }).style('red', 'x'), 'x');
  assert.equal(new Screen(new Terminal(), { TERM: 'dumb' }).style('red', 'x'), 'x');
  assert.equal(new Screen(new Terminal(), {}).style('red', 'x'), '\x1b[31mx\x1b[39m');
});
