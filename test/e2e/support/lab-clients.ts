/** The campaign's hand on its clients (client-agent.ts), one request at a time. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { AgentAnswer, AgentRequest } from './client-agent.ts';
import type { Host } from './namespaces.ts';

const AGENT = join(import.meta.dirname, 'client-agent.ts');
const POLL_MS = 50;

export class LabClients {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #last: Promise<unknown> = Promise.resolve();

  /** In the namespace `host`, for a guest at `address`. */
  constructor(host: Host, address: string) {
    this.#child = host.spawn(process.execPath, [AGENT, address], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! });
  }

  /** Rejects with what the agent complains of. */
  ask(request: AgentRequest): Promise<AgentAnswer> {
    const asked = this.#last.then(() => this.#ask(request));
    this.#last = asked.catch(() => {});
    return asked;
  }

  async #ask(request: AgentRequest): Promise<AgentAnswer> {
    const answer = await new Promise<AgentAnswer | { readonly error: string }>((resolve, reject) => {
      const ended = (): void => reject(new Error('the clients have ended'));
      this.#child.once('exit', ended);
      this.#lines.once('line', (line) => {
        this.#child.off('exit', ended);
        resolve(JSON.parse(line) as AgentAnswer | { readonly error: string });
      });
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  /** Loads a redis that may still be on its way up. */
  async begin(connections: number, seed: number, patienceMs: number): Promise<void> {
    for (const endMs = performance.now() + patienceMs; ; ) {
      try {
        await this.ask({ do: 'begin', connections, seed });
        return;
      } catch (error) {
        if (performance.now() > endMs) throw error;
      }
      await this.ask({ do: 'abandon' });
      await pause();
    }
  }

  /** Waits for so many more answers and lines; sooner if something is wrong. Returns what is then. */
  async more(answers: number, lines: number, patienceMs: number): Promise<AgentAnswer> {
    const before = await this.ask({ do: 'look' });
    for (const endMs = performance.now() + patienceMs; ; ) {
      const now = await this.ask({ do: 'look' });
      const enough = now.answers - before.answers >= answers && now.lines - before.lines >= lines;
      if (enough || now.problems.length > 0) return now;
      if (performance.now() > endMs) throw new Error(`the clients get no answers: ${now.state}`);
      await pause();
    }
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
