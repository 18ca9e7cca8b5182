/**
 * A whole installation in `HostsLab`: etcd on the store, a daemon on each host, all with keys of one authority, a disk (hosts-disk.ts),
 * and one machine that is protected by three hosts. Its parts can be killed, stopped and started again.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ArbiterWord } from '../../../src/host/disk/boot-decision.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { initAuthority, makeHostKeys, makeOperatorKeys } from '../../../src/host/tls/keys.ts';
import { FrameWatch } from './frame-watch.ts';
import { type DiskKind, type HostsDisk, SharedDisk } from './hosts-disk.ts';
import { CLIENT_ADDRESS, GUEST_ADDRESS, HOST_LABELS, type HostLabel, HostsLab, STORE_ADDRESS } from './hosts-lab.ts';
import { HostsMirrors } from './hosts-mirrors.ts';
import { LabClients } from './lab-clients.ts';
import type { Host } from './namespaces.ts';
import { type Redundancy, ReplicaWatch } from './replica-watch.ts';
import { UnderstudyProcess } from './understudy-process.ts';
import { GATEWAY_VTEP, VNI } from './vxlan-lab.ts';

export const MACHINE = 'web';
const MAC = '52:54:00:00:00:07';
const LOOK_PATIENCE_MS = 5000;
const ARBITER_LOOK = join(import.meta.dirname, 'arbiter-look.ts');

/** How an installation was after its last round. */
export type HostsEnd = {
  readonly disk: DiskKind;
  /** Empty if all was as it must be. */
  readonly problems: readonly string[];
  /** The machine was redundant and idle when it was stopped, so that its images could be compared. */
  readonly paired: boolean;
};

export class HostsCluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'understudy-hosts-'));
  readonly lab = new HostsLab();
  readonly watch: ReplicaWatch;
  readonly frames: FrameWatch;
  readonly clients: LabClients;
  readonly #daemons = new Map<HostLabel, UnderstudyProcess>();
  readonly disk: HostsDisk;
  readonly #image: BuiltImage;
  #etcd: ChildProcess | undefined;
  #stopped = false;

  private constructor(image: BuiltImage, disk: DiskKind) {
    this.#image = image;
    this.disk = disk === 'shared' ? this.#sharedDisk() : new HostsMirrors(this.directory, image.disk, MACHINE);
    this.watch = new ReplicaWatch((label) => join(this.stateOf(label), 'replicas', MACHINE));
    this.frames = new FrameWatch(this.lab.gateway, 'underlay', MAC);
    this.clients = new LabClients(this.lab.client, GUEST_ADDRESS);
  }

  /** All of it, until the machine is redundant. */
  static async start(image: BuiltImage, disk: DiskKind = 'shared'): Promise<HostsCluster> {
    const cluster = new HostsCluster(image, disk);
    try {
      await cluster.#start();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #start(): Promise<void> {
    await this.#makeKeys();
    await this.startEtcd();
    await this.disk.start();
    await Promise.all([this.frames.ready(), ...HOST_LABELS.map((label) => this.startDaemon(label))]);
    this.watch.start();
    const description = join(this.directory, 'machine.yaml');
    writeFileSync(description, JSON.stringify(this.#machine()));
    await this.command('protect', description, '--hosts', HOST_LABELS.join(','), ...this.disk.protectOptions);
  }

  #sharedDisk(): HostsDisk {
    const words = ['--arbiter', this.#arbiter('store'), ...this.#keyOptions('store')];
    const place = { directory: this.directory, from: this.#image.disk, store: this.lab.store };
    return new SharedDisk({ ...place, address: `${STORE_ADDRESS}:7001`, machine: MACHINE, words });
  }

  #machine(): object {
    const { kernel, initramfs, manifest } = this.#image;
    const network = {
      uplink: { vxlan: { vni: VNI, remotes: [GATEWAY_VTEP] } },
      address: `${GUEST_ADDRESS}/24`,
      gateway: CLIENT_ADDRESS,
    };
    const { commandLine } = manifest;
    const disk = this.disk.description;
    return { name: MACHINE, memory: '512M', mac: MAC, kernel, initramfs, commandLine, disk, network };
  }

  // Keys, and addresses that go with them

  async #makeKeys(): Promise<void> {
    const keys = join(this.directory, 'keys');
    await initAuthority(keys);
    await makeHostKeys('store', keys, { addresses: [STORE_ADDRESS, '127.0.0.1'] });
    await makeOperatorKeys('operator', keys);
    for (const label of HOST_LABELS) {
      const addresses = [this.lab.address(label, 'storage'), this.lab.address(label, 'log')];
      await makeHostKeys(label, keys, { addresses });
    }
  }

  #keys(of: HostLabel | 'store' | 'operator') {
    const path = (name: string): string => join(this.directory, 'keys', of, name);
    return { certificate: path('certificate.pem'), key: path('key.pem'), authority: path('authority.pem') };
  }

  #keyOptions(of: HostLabel | 'store' | 'operator'): string[] {
    const { certificate, key, authority } = this.#keys(of);
    return ['--tls-certificate', certificate, '--tls-key', key, '--tls-authority', authority];
  }

  /** As seen by one of the hosts, with its own keys. */
  #arbiter(of: HostLabel | 'store'): string {
    const { certificate, key, authority } = this.#keys(of);
    return `etcds://${STORE_ADDRESS}:2379/understudy?ca=${authority}&cert=${certificate}&key=${key}`;
  }

  stateOf(label: HostLabel): string {
    return join(this.directory, `state-${label}`);
  }

  // Parts

  async startEtcd(): Promise<void> {
    const { certificate, key, authority } = this.#keys('store');
    const url = `https://${STORE_ADDRESS}:2379`;
    const peers = 'http://127.0.0.1:2380';
    const etcd = this.lab.store.spawn(
      'etcd',
      [
        ...['--name', 'one', '--data-dir', join(this.directory, 'etcd'), '--initial-cluster', `one=${peers}`],
        ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--cert-file', certificate, '--key-file', key, '--client-cert-auth', '--trusted-ca-file', authority],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#etcd = etcd;
    await new Promise<void>((resolve, reject) => {
      const said: string[] = [];
      createInterface({ input: etcd.stderr! }).on('line', (line) => {
        if (said.push(line) > 30) said.shift();
        if (/ready to serve client requests/.test(line)) resolve();
      });
      etcd.once('close', () => reject(new Error(`etcd has ended:\n${said.join('\n')}`)));
    });
  }

  signalEtcd(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#etcd?.kill(signal);
  }

  async killEtcd(): Promise<void> {
    const gone = once(this.#etcd!, 'close');
    this.#etcd!.kill('SIGKILL');
    await gone;
  }

  async startDaemon(label: HostLabel): Promise<void> {
    mkdirSync(this.stateOf(label), { recursive: true });
    const file = join(this.directory, `host-${label}.yaml`);
    const config = {
      name: label,
      listen: `${this.lab.address(label, 'storage')}:7400`,
      replicas: this.lab.address(label, 'log'),
      vtep: this.lab.address(label, 'uplink'),
      state: this.stateOf(label),
      memory: '1G',
      arbiter: this.#arbiter(label),
      tls: this.#keys(label),
      log: 'json',
      ...this.disk.hostConfig(label),
    };
    writeFileSync(file, JSON.stringify(config));
    const daemon = new UnderstudyProcess(this.host(label), ['host', file]);
    this.#daemons.set(label, daemon);
    await daemon.untilSays(/^host \w+ listens on /);
  }

  async killDaemon(label: HostLabel): Promise<void> {
    await this.#daemons.get(label)!.kill('SIGKILL');
  }

  /** The hosts' images; undefined where the disk is shared. */
  get mirrors(): HostsMirrors | undefined {
    return this.disk instanceof HostsMirrors ? this.disk : undefined;
  }

  host(label: HostLabel): Host {
    return this.lab.hosts[label];
  }

  /** What the daemon that runs there now has said. */
  daemonLines(label: HostLabel): readonly string[] {
    return this.#daemons.get(label)!.lines;
  }

  /** What the daemons that run now and the disk server have said, for people. */
  daemonStories(): string[] {
    const all = [...this.#daemons, ['disk server', this.disk] as const];
    return all.map(([name, { lines }]) => `${name}:\n${lines.join('\n')}`);
  }

  /** A command of the operator, at the store; returns what it said. Throws if it fails. */
  async command(verb: string, ...words: readonly string[]): Promise<readonly string[]> {
    const contact = ['--host', `${this.lab.address('c', 'storage')}:7400`, ...this.#keyOptions('operator')];
    const command = new UnderstudyProcess(this.lab.store, [verb, ...words, ...contact]);
    const end = await command.untilEnds();
    if (end !== 0) throw new Error(`"${verb}" ended with ${end}:\n${command.lines.join('\n')}`);
    return command.lines;
  }

  /** What the arbiter shows of the newest generation. */
  arbiterWord(): ArbiterWord {
    const told = this.lab.store.run(process.execPath, ARBITER_LOOK, this.#arbiter('store'), MACHINE);
    return JSON.parse(told) as ArbiterWord;
  }

  /** Stops the machine, in good order if it is redundant, and looks at its disk. */
  async endMachine(): Promise<HostsEnd> {
    const problems: string[] = [];
    let pair: Redundancy | undefined;
    try {
      await this.clients.ask({ do: 'abandon' });
      // One question that is answered late says nothing of the pair.
      const now = await this.watch.until(() => this.watch.redundancy(Date.now() - 1000), LOOK_PATIENCE_MS);
      if (now !== undefined) {
        if (await this.disk.untilQuiet()) pair = now;
        else problems.push('the guest has nothing to do, and does not cease to write');
        await this.command('stop', MACHINE);
      }
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    for (const label of HOST_LABELS) this.lab.end(this.host(label));
    await this.watch.until(() => (this.watch.seen.size === 0 ? true : undefined), 10_000);
    problems.push(...(await this.disk.stoppedProblems(pair, this.arbiterWord())));
    return { disk: this.disk.kind, problems, paired: pair !== undefined };
  }

  /** Ends everything. `keep`: leaves the directory, for a look at its logs. */
  async stop({ keep = false } = {}): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.watch.stop();
    this.lab.remove();
    for (const name of keep ? [...this.disk.large, 'etcd', 'keys'] : ['.']) {
      await rm(join(this.directory, name), { recursive: true, force: true, maxRetries: 10 });
    }
  }
}
