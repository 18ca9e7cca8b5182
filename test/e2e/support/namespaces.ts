/**
 * Hosts and cables for tests: Linux network namespaces, each with interfaces, routes and sockets of its own, joined by
 * veth pairs. A `Network` makes them and removes all that it made, processes in them not included. Needs root.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';

let count = 0;

function run(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Why namespaces with this kind of device cannot be had here, for `skip`; false if they can. Asks the kernel, by making one.
 */
export function whyNoNamespaces(...devices: readonly (readonly string[])[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  const network = new Network();
  try {
    const host = network.host('try');
    for (const [i, words] of devices.entries()) host.ip('link', 'add', `try${i}`, 'type', ...words);
    return false;
  } catch (error) {
    return `needs network namespaces: ${error instanceof Error ? error.message.trim().replaceAll('\n', ' ') : error}`;
  } finally {
    network.remove();
  }
}

/** A namespace. */
export class Host {
  /** As `ip netns` knows it. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** `ip -n NAME WORDS`; returns what it printed. Throws what it complained of. */
  ip(...words: readonly string[]): string {
    return run('ip', ['-n', this.name, ...words]);
  }

  /** Gives `device` an address with prefix, such as `198.18.1.2/24`, and switches it on. */
  address(device: string, address: string): void {
    this.ip('address', 'add', address, 'dev', device);
    this.ip('link', 'set', device, 'up');
  }

  /** Runs a program to its end; returns its standard output. */
  run(program: string, ...words: readonly string[]): string {
    return run('ip', ['netns', 'exec', this.name, program, ...words]);
  }

  /** The processes that run in it. */
  pids(): number[] {
    return run('ip', ['netns', 'pids', this.name]).split('\n').filter(Boolean).map(Number);
  }

  /** Starts a program. Its pid is the program's own: `ip netns exec` becomes it. */
  spawn(program: string, words: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, program, ...words], options);
  }
}

export type CableEnd = { readonly host: Host; readonly device: string };

/** A veth pair between two hosts. */
export class Cable {
  readonly ends: readonly [CableEnd, CableEnd];

  constructor(a: CableEnd, b: CableEnd) {
    this.ends = [a, b];
    a.host.ip('link', 'add', a.device, 'type', 'veth', 'peer', 'name', b.device, 'netns', b.host.name);
    for (const { host, device } of this.ends) host.ip('link', 'set', device, 'up');
  }

  mtu(bytes: number): void {
    for (const { host, device } of this.ends) host.ip('link', 'set', device, 'mtu', String(bytes));
  }

  /**
   * Cuts it. `first` and `second` switch the interface off at that end (the other end sees its carrier go); `silently` loses
   * all packets both ways while both ends believe that the cable is there, as behind a broken switch. An interface that was off
   * has lost its routes but for those of its own addresses: `mend` gives back what it had.
   */
  cut(how: 'first' | 'second' | 'silently'): void {
    if (how === 'silently') {
      // A token bucket that is smaller than any packet.
      const words = ['root', 'tbf', 'rate', '8bit', 'burst', '10b', 'limit', '10b'];
      for (const { host, device } of this.ends) host.run('tc', 'qdisc', 'replace', 'dev', device, ...words);
      return;
    }
    const { host, device } = this.ends[how === 'first' ? 0 : 1];
    this.#routes = host.ip('-4', 'route', 'show', 'dev', device, 'scope', 'global').split('\n').filter(Boolean);
    this.#off = { host, device };
    host.ip('link', 'set', device, 'down');
  }

  mend(): void {
    for (const { host, device } of this.ends) {
      if (host.run('tc', 'qdisc', 'show', 'dev', device).includes('tbf')) {
        host.run('tc', 'qdisc', 'del', 'dev', device, 'root');
      }
    }
    if (this.#off === undefined) return;
    const { host, device } = this.#off;
    host.ip('link', 'set', device, 'up');
    for (const route of this.#routes) host.ip('route', 'replace', ...route.trim().split(/\s+/), 'dev', device);
    this.#off = undefined;
  }

  #off: CableEnd | undefined;
  #routes: readonly string[] = [];
}

/** Hosts and cables of one test. */
export class Network {
  readonly #prefix = `us${process.pid}-${++count}`;
  readonly #hosts: Host[] = [];

  host(label: string): Host {
    const host = new Host(`${this.#prefix}-${label}`);
    run('ip', ['netns', 'add', host.name]);
    this.#hosts.push(host);
    host.ip('link', 'set', 'lo', 'up');
    return host;
  }

  cable(a: Host, deviceAtA: string, b: Host, deviceAtB: string): Cable {
    return new Cable({ host: a, device: deviceAtA }, { host: b, device: deviceAtB });
  }

  /** Cables go with the hosts. Processes in them have to be ended before. */
  remove(): void {
    for (const { name } of this.#hosts.splice(0)) run('ip', ['netns', 'delete', name]);
  }
}
