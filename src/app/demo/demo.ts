/**
 * The demo: a pair, two clients that hold it to account, and a `kill -9` of the primary. Everything is real: the replicas are
 * processes, the guest is Debian, the clients come in through the host's network, and the verdict is theirs.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import { openDirectoryArbiter } from '../../host/arbiter/directory.ts';
import { loadDescription } from '../../host/description/load.ts';
import { buildImage } from '../../host/image/build-image.ts';
import type { BuiltImage } from '../../host/image/manifest.ts';
import { Pair } from '../../host/pair/pair.ts';
import type { StatusLine } from '../../host/replica/status.ts';
import { Changes, Interrupted } from './changes.ts';
import { CountingClient } from './counting-client.ts';
import { FailoverStory, judge, WATCH_MS } from './failover.ts';
import { LineClient } from './line-client.ts';
import { type Member, PairView } from './pair-view.ts';
import { choosePort } from './ports.ts';
import * as rows from './rows.ts';
import {
  type HostPorts,
  keepTraces,
  MACHINE_NAME,
  makeRunDirectory,
  type RunDirectory,
  removeRunDirectory,
} from './run-directory.ts';
import type { Screen } from './screen.ts';

export interface DemoOptions {
  /** End by itself once the failover has been judged. */
  readonly once: boolean;
  /** Undefined: the usual port, or a free one if that is taken. */
  readonly redisPort: number | undefined;
  readonly streamPort: number | undefined;
  /** How long the clients see a healthy pair first. */
  readonly killAfterMs: number;
  /** Holds images, downloads and the machine of the demo. */
  readonly cacheDirectory: string;
  readonly screen: Screen;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

const USUAL_PORTS: HostPorts = { redis: 6379, stream: 7777 };
/** Generous: slow machines are no failure. */
const LIMITS = { pairMs: 60_000, bootMs: 240_000, servicesMs: 60_000, failoverMs: 30_000 } as const;
const REDRAW_MS = 100;
const PLAIN_LINE_MS = 1000;
const RETRY_MS = 200;

/** Whether all that the demo claims was true. Throws OperatingError if it does not come so far, Interrupted by the signal. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const demo = new Demo(options);
  let isGood = false;
  try {
    isGood = await demo.run();
  } catch (error) {
    // Ctrl-C reaches the children of this process too, and their ends may be seen first.
    isGood = options.signal.aborted;
    throw isGood ? new Interrupted() : error;
  } finally {
    await demo.close(isGood);
  }
  return isGood;
}

class Demo {
  readonly #options: DemoOptions;
  readonly #screen: Screen;
  readonly #changes: Changes;
  readonly #view = new PairView();
  #ports: HostPorts = USUAL_PORTS;
  #directory: RunDirectory | undefined;
  #console: WriteStream | undefined;
  #events: WriteStream | undefined;
  #pair: Pair | undefined;
  #stream: LineClient | undefined;
  #counter: CountingClient | undefined;
  #story: FailoverStory | undefined;
  #redraw: NodeJS.Timeout | undefined;
  #plainMs = 0;
  /** What comes next, in words. */
  #next = '';
  #isJudged = false;

  constructor(options: DemoOptions) {
    this.#options = options;
    this.#screen = options.screen;
    this.#changes = new Changes(options.signal, () => this.#checkHealth());
  }

  async run(): Promise<boolean> {
    const { once, signal } = this.#options;
    this.#say('Understudy: one Debian machine, run twice; then the first of the two is killed.');
    const image = await this.#image();
    await this.#choosePorts();
    this.#screen.show(['', '  next      the pair starts']);
    this.#directory = await makeRunDirectory(join(this.#options.cacheDirectory, 'demo'), image, this.#ports);
    await this.#startPair(this.#directory);
    await this.#boot();
    const clients = await this.#connect();
    await this.#health();
    const story = await this.#kill(clients);
    const isGood = await this.#verdict(clients, story, this.#directory);
    if (once || !isGood || signal.aborted) return isGood;
    await this.#stayUp();
    return true;
  }

  // Before the guest runs

  async #image(): Promise<BuiltImage> {
    const { cacheDirectory, signal } = this.#options;
    let last = '';
    const onProgress = ({ message, percent }: { readonly message: string; readonly percent?: number }): void => {
      if (percent !== undefined) this.#screen.show([`  ${message} (${Math.round(percent)} %)`]);
      else if (message !== last) this.#say(`  image: ${message}`);
      if (percent === undefined) last = message;
    };
    const where = { outputDir: join(cacheDirectory, 'images/demo'), cacheDir: join(cacheDirectory, 'apt') };
    try {
      const image = await buildImage(where, { onProgress, signal });
      this.#screen.show([]);
      const { kernelRelease, packages } = image.manifest;
      this.#say(`  guest: Debian, Linux ${kernelRelease}, ${Object.keys(packages).length} packages`);
      return image;
    } catch (error) {
      if (signal.aborted) throw new Interrupted();
      throw error;
    }
  }

  async #choosePorts(): Promise<void> {
    const { redisPort, streamPort } = this.#options;
    const redis = await choosePort({ wanted: redisPort, usual: USUAL_PORTS.redis, option: '--redis-port' });
    const stream = await choosePort({ wanted: streamPort, usual: USUAL_PORTS.stream, option: '--stream-port' });
    this.#ports = { redis, stream };
    if (redisPort === undefined) this.#tellOfFallback('redis', USUAL_PORTS.redis, redis);
    if (streamPort === undefined) this.#tellOfFallback('the stream', USUAL_PORTS.stream, stream);
  }

  #tellOfFallback(what: string, usual: number, chosen: number): void {
    if (chosen !== usual) this.#say(`  port ${usual} is in use on this host: ${what} gets ${chosen} instead`);
  }

  async #startPair(directory: RunDirectory): Promise<void> {
    const { path, descriptionFile, consoleLog } = directory;
    this.#console = createWriteStream(consoleLog);
    this.#events = createWriteStream(join(path, 'events.log'));
    this.#pair = await Pair.start({
      descriptionFile,
      description: await loadDescription(descriptionFile),
      stateDirectory: path,
      onStatus: (member, line) => this.#status(member, line),
      onNotice: (member, line) => this.#events?.write(`${member}: ${line}\n`),
      onReplicaEnd: (member, { code, signal }) => this.#replicaEnded(member, signal ?? `status ${code}`),
    });
    const late = (): OperatingError => this.#failure('pair', 'the two replicas have not found each other');
    await this.#changes.until(() => this.#view.isRedundant, { limitMs: LIMITS.pairMs, late });
    const [primary, backup] = [this.#pair.pid('primary'), this.#pair.pid('backup')];
    this.#say(`  pair: process ${primary} is the primary, process ${backup} its backup`);
  }

  #status(member: Member, line: StatusLine): void {
    this.#view.take(member, line, performance.now());
    if (line.type === 'console') this.#console?.write(Buffer.from(line.data, 'latin1'));
    if (line.type === 'phase') {
      this.#events?.write(`${member}: generation ${line.generation}, ${line.phase} (${line.why})\n`);
      if (member === 'backup') this.#story?.phase(line.pid, line.phase, line.generation, line.why);
    }
    this.#changes.notify();
  }

  #replicaEnded(member: Member, how: string): void {
    const replica = this.#view.of(member);
    replica.end = replica.end === undefined ? how : `${replica.end} (${how})`;
    this.#events?.write(`${member}: process ended, ${how}\n`);
    this.#changes.notify();
  }

  // A healthy pair

  async #boot(): Promise<void> {
    const startMs = performance.now();
    this.#next = 'the guest boots';
    this.#redraw = setInterval(() => this.#draw(), REDRAW_MS);
    const late = (): OperatingError => this.#failure('boot', 'the guest has not come up');
    await this.#changes.until(() => this.#view.guestIsReady, { limitMs: LIMITS.bootMs, late });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const steps = rows.grouped(this.#view.primary.position);
    this.#say(`  boot: ${seconds} s, ${steps} steps, on both`);
  }

  async #connect(): Promise<rows.Clients> {
    this.#next = 'the clients connect';
    const [stream, counter] = await Promise.all([
      this.#eventually('the streaming service', () => this.#openStream()),
      this.#eventually('redis', () => CountingClient.connect(this.#ports.redis, (fault) => this.#fault(fault))),
    ]);
    this.#stream = stream;
    this.#counter = counter;
    counter.start();
    const { redis, stream: lines } = this.#ports;
    this.#say(`  clients: a stream of lines from port ${lines}, and a counter in redis at port ${redis}`);
    return { stream, counter };
  }

  /** A connection that has brought its first line. */
  async #openStream(): Promise<LineClient> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isOpen = false;
    const client = await LineClient.connect({
      port: this.#ports.stream,
      onLine: (number, atMs) => {
        resolve();
        this.#story?.line(number, atMs);
        this.#changes.notify();
      },
      onFault: (fault) => {
        reject(new Error(fault));
        if (isOpen) this.#fault(fault);
      },
    });
    await promise;
    isOpen = true;
    return client;
  }

  /** Tries until it works: the port is open before the guest's service is. */
  async #eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined;
    let why: unknown;
    const trying = (async () => {
      while (result === undefined && !this.#options.signal.aborted) {
        try {
          result = { value: await attempt() };
        } catch (error) {
          why = error;
          await sleep(RETRY_MS);
        }
        this.#changes.notify();
      }
    })();
    trying.catch(() => {});
    const late = (): OperatingError => this.#failure('services', `${what} does not answer (${String(why)})`);
    await this.#changes.until(() => result !== undefined, { limitMs: LIMITS.servicesMs, late });
    return result!.value;
  }

  async #health(): Promise<void> {
    const endMs = performance.now() + this.#options.killAfterMs;
    const countDown = (): void => {
      this.#next = `kill -9 ${this.#view.primary.pid} in ${Math.max(0, Math.ceil((endMs - performance.now()) / 1000))} s`;
    };
    countDown();
    const timer = setInterval(countDown, REDRAW_MS);
    await this.#changes.pause(this.#options.killAfterMs).finally(() => clearInterval(timer));
  }

  // The failover

  async #kill({ stream, counter }: rows.Clients): Promise<FailoverStory> {
    if (!this.#view.isRedundant) throw this.#failure('pair', 'the pair broke up before the kill');
    const story = new FailoverStory(this.#pair!.pid('primary')!, stream, counter);
    this.#story = story;
    this.#next = 'the clients go on for some seconds, then the verdict';
    this.#pair!.signal('primary', 'SIGKILL');
    if (!this.#screen.isLive) this.#say(`  kill -9 ${story.killedPid}, the primary`);
    const isOver = (): boolean => {
      story.count(counter);
      return this.#view.hasTakenOver && story.isTold;
    };
    const late = (): OperatingError => this.#failure('failover', 'the clients wait in vain after the kill');
    const looks = setInterval(() => this.#changes.notify(), 5);
    await this.#changes.until(isOver, { limitMs: LIMITS.failoverMs, late }).finally(() => clearInterval(looks));
    await this.#changes.pause(Math.max(0, story.killMs + WATCH_MS - performance.now()));
    return story;
  }

  async #verdict(clients: rows.Clients, story: FailoverStory, directory: RunDirectory): Promise<boolean> {
    if (this.#options.once) await clients.counter.finish();
    const arbiter = await openDirectoryArbiter({ directory: join(directory.path, 'arbiter') });
    const owner = await arbiter.owner(MACHINE_NAME);
    await arbiter.close();
    const findings = judge({ view: this.#view, ...clients, owner, story });
    this.#isJudged = true;
    this.#screen.show([]);
    this.#say();
    for (const row of rows.storyRows(this.#screen, story)) this.#say(row);
    this.#say();
    for (const row of rows.gapRows(this.#screen, clients, story)) this.#say(row);
    for (const row of rows.findingRows(this.#screen, findings)) this.#say(row);
    this.#say();
    return findings.every(({ isGood }) => isGood);
  }

  async #stayUp(): Promise<void> {
    const { redis, stream } = this.#ports;
    this.#say(`  It stays up, without a backup from here on. Try: redis-cli -p ${redis} info server | head`);
    this.#say(`                                             or: nc 127.0.0.1 ${stream}`);
    this.#say('  Ctrl-C ends it, and removes the machine.');
    this.#say();
    this.#next = 'Ctrl-C ends it';
    await this.#changes.until(() => this.#options.signal.aborted);
  }

  // All along

  /** Whatever makes all waiting vain. */
  #checkHealth(): void {
    const { primary, backup } = this.#view;
    if (primary.end !== undefined && this.#story === undefined)
      throw this.#failure('pair', `the primary has ended: ${primary.end}`);
    if (backup.end !== undefined) throw this.#failure('pair', `the backup has ended: ${backup.end}`);
    if (this.#isJudged) return;
    const fault = this.#stream?.fault ?? this.#counter?.fault;
    if (fault !== undefined) throw this.#failure('client', `a client was harmed: ${fault}`);
  }

  #fault(fault: string): void {
    if (this.#isJudged && !this.#options.once) this.#say(`  ${fault}`);
    this.#changes.notify();
  }

  #failure(code: string, what: string): OperatingError {
    const where = this.#directory?.path;
    return new OperatingError(
      `demo-${code}`,
      what,
      where === undefined ? undefined : `The guest's console and the replicas' words are kept in ${where}.`,
    );
  }

  #draw(): void {
    const nowMs = performance.now();
    const clients = this.#stream && this.#counter ? { stream: this.#stream, counter: this.#counter } : undefined;
    if (!this.#screen.isLive) {
      if (this.#isJudged || nowMs - this.#plainMs < PLAIN_LINE_MS) return;
      this.#plainMs = nowMs;
      return this.#say(rows.plainLine(this.#view, clients, nowMs));
    }
    const block = ['', ...rows.replicaRows(this.#screen, this.#view, nowMs), ''];
    if (clients === undefined) block.push(`  console   ${this.#view.lastConsoleLine}`);
    else block.push(...rows.clientRows(clients, this.#ports, nowMs));
    if (this.#story !== undefined && !this.#isJudged) block.push('', ...rows.storyRows(this.#screen, this.#story));
    if (this.#next !== '') block.push('', `  next      ${this.#next}`);
    this.#screen.show(block);
  }

  #say(line = ''): void {
    this.#screen.say(line);
  }

  /** Ends everything that was started. What tells about a failure is kept. */
  async close(isGood: boolean): Promise<void> {
    clearInterval(this.#redraw);
    this.#screen.show([]);
    this.#isJudged = true;
    this.#stream?.close();
    this.#counter?.close();
    await this.#pair?.stop();
    for (const log of [this.#console, this.#events]) {
      if (log !== undefined) await new Promise<void>((resolve) => log.end(() => resolve()));
    }
    if (this.#directory === undefined) return;
    if (isGood) await removeRunDirectory(this.#directory);
    else await keepTraces(this.#directory);
  }
}
