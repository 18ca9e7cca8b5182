/**
 * A whole installation in `HostsLab`: etcd and the disk server on the store, a daemon on each host, all with keys of one
 * authority, and one machine that is protected by three hosts. Its parts can be killed, stopped and started again.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';
import { initAuthority, makeHostKeys, makeOperatorKeys } from '../../../src/host/tls/keys.ts';
import { FrameWatch } from './frame-watch.ts';
import { CLIENT_ADDRESS, GUEST_ADDRESS, HOST_LABELS, type HostLabel, HostsLab, STORE_ADDRESS } from './hosts-lab.ts';
import { LabClients } from './lab-clients.ts';
import type { Host } from './namespaces.ts';
import { ReplicaWatch } from './replica-watch.ts';
import { UnderstudyProcess } from './understudy-process.ts';
import { GATEWAY_VTEP, VNI } from './vxlan-lab.ts';

export const MACHINE = 'web';
const MAC = '52:54:00:00:00:07';
const ARBITER_LOOK = join(import.meta.dirname, 'arbiter-look.ts');

export class HostsCluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'understudy-hosts-'));
  readonly lab = new HostsLab();
  readonly watch: ReplicaWatch;
  readonly frames: FrameWatch;
  readonly clients: LabClients;
  readonly #daemons = new Map<HostLabel, UnderstudyProcess>();
  #etcd: ChildProcess | undefined;
  #disk: UnderstudyProcess | undefined;
  #stopped = false;

  private constructor() {
    this.watch = new ReplicaWatch((label) => join(this.stateOf(label), 'replicas', MACHINE));
    this.frames = new FrameWatch(this.lab.gateway, 'underlay', MAC);
    this.clients = new LabClients(this.lab.client, GUEST_ADDRESS);
  }

  /** All of it, until the machine is redundant. `more`: keys of its description. */
  static async start(image: BuiltImage, more: object = {}): Promise<HostsCluster> {
    const cluster = new HostsCluster();
    try {
      await cluster.#start(image, more);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #start(image: BuiltImage, more: object): Promise<void> {
    await this.#makeKeys();
    await this.startEtcd();
    const disk = join(this.directory, 'disk.img');
    execFileSync('cp', ['--sparse=always', image.disk, disk]);
    execFileSync('sync', ['-f', disk]);
    const serve = ['disk', disk, '--listen', `${STORE_ADDRESS}:7001`, '--name', MACHINE];
    this.#disk = new UnderstudyProcess(this.lab.store, [
      ...serve,
      ...['--arbiter', this.#arbiter('store'), ...this.#keyOptions('store')],
    ]);
    await Promise.all([
      this.#disk.untilSays(/^the disk server listens/),
      this.frames.ready(),
      ...HOST_LABELS.map((label) => this.startDaemon(label)),
    ]);
    this.watch.start();
    const description = join(this.directory, 'machine.yaml');
    writeFileSync(description, JSON.stringify({ ...this.#machine(image), ...more }));
    const hosts = ['--hosts', HOST_LABELS.join(','), '--disk', `${STORE_ADDRESS}:7001`];
    await this.command('protect', description, ...hosts);
  }

  #machine({ kernel, initramfs, manifest, disk }: BuiltImage): object {
    const network = {
      uplink: { vxlan: { vni: VNI, remotes: [GATEWAY_VTEP] } },
      address: `${GUEST_ADDRESS}/24`,
      gateway: CLIENT_ADDRESS,
    };
    const { commandLine } = manifest;
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
    };
    writeFileSync(file, JSON.stringify(config));
    const daemon = new UnderstudyProcess(this.host(label), ['host', file]);
    this.#daemons.set(label, daemon);
    await daemon.untilSays(/^host \w+ listens on /);
  }

  async killDaemon(label: HostLabel): Promise<void> {
    await this.#daemons.get(label)!.kill('SIGKILL');
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
    const all = [...this.#daemons, ['disk server', this.#disk] as const];
    return all.map(([name, process]) => `${name}:\n${process?.lines.join('\n')}`);
  }

  /** A command of the operator, at the store; returns what it said. Throws if it fails. */
  async command(verb: string, ...words: readonly string[]): Promise<readonly string[]> {
    const contact = ['--host', `${this.lab.address('c', 'storage')}:7400`, ...this.#keyOptions('operator')];
    const command = new UnderstudyProcess(this.lab.store, [verb, ...words, ...contact]);
    const end = await command.untilEnds();
    if (end !== 0) throw new Error(`"${verb}" ended with ${end}:\n${command.lines.join('\n')}`);
    return command.lines;
  }

  /** Whom the arbiter names as the owner of the newest generation. */
  owner(): { readonly generation: number; readonly incarnation: string } {
    const told = this.lab.store.run(process.execPath, ARBITER_LOOK, this.#arbiter('store'), MACHINE);
    return JSON.parse(told) as { generation: number; incarnation: string };
  }

  /** Ends everything. `keep`: leaves the directory, for a look at its logs. */
  async stop({ keep = false } = {}): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.watch.stop();
    this.lab.remove();
    for (const name of keep ? ['disk.img', 'etcd', 'keys'] : ['.']) {
      await rm(join(this.directory, name), { recursive: true, force: true, maxRetries: 10 });
    }
  }
}
