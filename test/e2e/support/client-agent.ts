/**
 * The clients of a campaign as a process, because they live in a namespace of their own: `node client-agent.ts ADDRESS`. A request is a
 * line of JSON on standard input, its answer one on standard output. The stream's connection lasts over all rounds; the
 * load and the probe are new for each.
 */
import { createInterface } from 'node:readline';
import { Probe, type Wait } from './probe.ts';
import { RedisConnection } from './redis-connection.ts';
import { type LoadReport, RedisLoad } from './redis-load.ts';
import { StreamClient } from './stream-client.ts';

export type AgentRequest =
  /** Empties redis and loads it. Opens the stream if there is none. */
  | { readonly do: 'begin'; readonly connections: number; readonly seed: number }
  | { readonly do: 'look' }
  /** Ends load and probe, and looks at all that was written. */
  | { readonly do: 'finish' }
  /** Forgets all connections: the machine that they led to is gone. */
  | { readonly do: 'abandon' };

export type AgentLook = {
  readonly answers: number;
  readonly lines: number;
  /** Of all connections; empty if nothing is wrong. */
  readonly problems: readonly string[];
  /** For people. */
  readonly state: string;
};

export type AgentAnswer = AgentLook & { readonly report?: LoadReport; readonly waits: readonly Wait[] };

const REDIS_PORT = 6379;
const STREAM_PORT = 7000;

class Agent {
  readonly #host: string;
  #stream: StreamClient | undefined;
  #load: RedisLoad | undefined;
  #probe: Probe | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  async perform(request: AgentRequest): Promise<AgentAnswer> {
    if (request.do === 'begin') await this.#begin(request.connections, request.seed);
    if (request.do === 'abandon') this.#abandon();
    const report = request.do === 'finish' ? await this.#finish() : undefined;
    return {
      ...this.#look(report),
      waits: this.#probe?.waits ?? [],
      ...(report === undefined ? {} : { report }),
    };
  }

  async #begin(connections: number, seed: number): Promise<void> {
    const cleaner = await RedisConnection.open(REDIS_PORT, () => {}, this.#host);
    await cleaner.whenLoaded();
    const [flushed] = await cleaner.ask([['FLUSHALL']]);
    cleaner.close();
    if (flushed !== 'OK') throw new Error(`redis is not ready: ${String(flushed)}`);
    this.#stream ??= await StreamClient.open(STREAM_PORT, this.#host);
    this.#load = await RedisLoad.start(REDIS_PORT, connections, seed, this.#host);
    this.#probe = await Probe.open(REDIS_PORT, this.#host);
  }

  #look(report: LoadReport | undefined): AgentLook {
    const answers = this.#load?.answers ?? 0;
    const lines = this.#stream?.lines ?? 0;
    const probe = this.#probe?.problem;
    const problems = [
      ...(this.#stream?.problems ?? []),
      ...(probe === undefined ? [] : [probe]),
      ...(report === undefined ? [] : [...report.wrongAnswers, ...report.brokenConnections]),
      ...(report?.lost ?? []).map((what) => `lost: ${what}`),
      ...(report?.torn ?? []).map((what) => `half there: ${what}`),
    ];
    const state = `${lines} lines, the last ${this.#stream?.silence.sinceMs ?? 0} ms ago; redis: ${this.#load?.state}`;
    return { answers, lines, problems, state };
  }

  async #finish(): Promise<LoadReport | undefined> {
    await this.#probe?.close();
    return this.#load?.finish();
  }

  #abandon(): void {
    this.#load?.close();
    void this.#probe?.close();
    this.#stream?.close();
    this.#load = undefined;
    this.#probe = undefined;
    this.#stream = undefined;
  }
}

async function main([host = '']: readonly string[]): Promise<void> {
  const agent = new Agent(host);
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await agent
      .perform(JSON.parse(line) as AgentRequest)
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

if (import.meta.main) await main(process.argv.slice(2));
