/** A process of the command line, on a host of its own: what it says, and how it ends. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from './namespaces.ts';

const UNDERSTUDY = join(import.meta.dirname, '../../../understudy');

export class UnderstudyProcess {
  /** All that it has said, on either stream. */
  readonly lines: string[] = [];
  /** Its exit status, or the signal that ended it; undefined while it runs. */
  end: number | string | undefined;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #looks = new Set<() => void>();

  constructor(host: Host, words: readonly string[]) {
    this.#child = host.spawn(UNDERSTUDY, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      this.end = signal ?? code;
      this.#tell();
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        this.#tell();
      });
    }
  }

  says(text: RegExp): boolean {
    return this.lines.some((line) => text.test(line));
  }

  /** Waits for a line. Fails if the process ends without it. */
  async untilSays(text: RegExp): Promise<void> {
    await this.#until(() => this.says(text) || this.end !== undefined);
    assert.ok(this.says(text), `ended (${this.end}) without ${text}:\n${this.lines.join('\n')}`);
  }

  /** Its exit status, or the signal that ended it. */
  async untilEnds(): Promise<number | string> {
    await this.#ended;
    return this.end!;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  async #until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  #tell(): void {
    for (const look of [...this.#looks]) look();
  }
}
