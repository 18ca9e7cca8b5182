/** What the processes of a pair say before and after a power cut, and waiting for it. */
import type { StatusLine } from '../../../src/host/replica/status.ts';

/** What a guest says that will not come up: its root disk cannot be mounted, or its kernel has given up. */
const DEAD_END = /this is a shell in the initramfs|Kernel panic/;

export class PowerCutStory {
  console = '';
  /** The highest generation that a replica has been in. */
  generation = 0;
  readonly lines: string[] = [];
  readonly #phases = new Map<string, string>();
  readonly #ended = new Set<string>();
  #looks: (() => void)[] = [];

  status(member: string, line: StatusLine): void {
    if (line.type === 'console') this.console += line.data;
    else if (line.type !== 'halt') {
      this.generation = Math.max(this.generation, line.generation);
      this.#phases.set(member, line.phase);
    }
    this.#tell();
  }

  note(line: string): void {
    this.lines.push(line);
    this.#tell();
  }

  /** The replica's process has ended. */
  ended(member: string, how: string | number | null): void {
    this.#phases.delete(member);
    this.#ended.add(member);
    this.note(`${member}: process ended (${how})`);
  }

  /** One of this name has been started. */
  began(member: string): void {
    this.#phases.delete(member);
    this.#ended.delete(member);
  }

  phaseOf(member: string): string | undefined {
    return this.#phases.get(member);
  }

  #tell(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Rejects with the story after `limitMs`, or when both replicas have ended, or the guest has come to a dead end. */
  async until(condition: () => boolean, limitMs: number, complaint: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#looks = this.#looks.filter((other) => other !== look);
        settle();
      };
      const fail = (): void => end(() => reject(new Error(`${complaint}:\n${this.text}`)));
      const timer = setTimeout(fail, limitMs);
      const look = (): void => {
        if (condition()) end(resolve);
        else if (this.#ended.size === 2 || DEAD_END.test(this.console)) fail();
      };
      this.#looks.push(look);
      look();
    });
  }

  get text(): string {
    return [...this.console.split('\n').slice(-20), ...this.lines.slice(-40)].join('\n');
  }
}
