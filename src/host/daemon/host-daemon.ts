/**
 * The daemon of one host: it offers memory for replicas, starts each in its own process, answers the API, and tells the store, under
 * a lease, that it is there. It may be killed and started again at any time: replicas go on without it, and the next one
 * finds them by their locks before it offers memory (PROTOCOL.md, 3).
 */
import { mkdirSync, openSync } from 'node:fs';
import type http from 'node:http';
import { OperatingError } from '../../core/base/error.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openArbiter } from '../arbiter/open.ts';
import { lockExclusively } from '../disk/file-lock.ts';
import { errorCode, formatAddress, listenOn } from '../net/address.ts';
import { openStore } from '../store/open.ts';
import { type CredentialSource, Credentials } from '../tls/credentials.ts';
import { checkListenAddress } from '../tls/listen-policy.ts';
import { checkAccess } from './access.ts';
import { apiListener } from './api.ts';
import { Cluster, RENEW_EVERY_MS } from './cluster.ts';
import { type HostConfig, reachableAddress } from './host-config.ts';
import type { Log } from './log.ts';
import type { HostReport, ReplicaReport, ReplicaRequest } from './messages.ts';
import { HostMetrics } from './metrics.ts';
import { descriptionOf, Replicas } from './replicas.ts';
import { Restarter } from './restarter.ts';
import { createApiServer } from './transport.ts';

export class HostDaemon {
  readonly #config: HostConfig;
  readonly #log: Log;
  readonly #version: string;
  readonly #tls: CredentialSource | undefined;
  readonly #replicas: Replicas;
  readonly #cluster: Cluster;
  /** Says who owns a machine; replicas open their own. */
  readonly #arbiter: Arbiter;
  readonly #restarter: Restarter;
  readonly #metrics = new HostMetrics();
  #server: http.Server | undefined;
  /** HOST:PORT where others reach the API. */
  address = '';
  #renewals: NodeJS.Timeout | undefined;
  #storeAway = false;

  private constructor(config: HostConfig, cluster: Cluster, arbiter: Arbiter, version: string, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#version = version;
    this.#tls = config.tls === undefined ? undefined : Credentials.load(config.tls, (line) => log.warn(line));
    this.#cluster = cluster;
    this.#arbiter = arbiter;
    this.#replicas = new Replicas(config);
    this.#restarter = new Restarter(config.name, {
      cluster,
      arbiter,
      log,
      describe: descriptionOf,
      runsHere: (machine) => this.#replicas.has(machine),
      restart: async (machine, { generation, note }) => {
        const loss = note === undefined ? { generation } : { generation, note };
        const request = { machine, role: 'primary', start: 'cold', alone: true, acceptDataLoss: false, loss } as const;
        await this.#startReplica(request);
      },
    });
  }

  /** Throws OperatingError, with nothing left behind. */
  static async start(config: HostConfig, version: string, log: Log): Promise<HostDaemon> {
    checkSecurity(config, log);
    lockState(config.stateDirectory);
    const arbiter = await openArbiter(config.arbiter, { allowLocal: config.unsafeArbiter });
    const daemon = new HostDaemon(config, new Cluster(await openStore(config.arbiter)), arbiter, version, log);
    try {
      await daemon.#start();
    } catch (error) {
      await daemon.close();
      throw error;
    }
    return daemon;
  }

  async #start(): Promise<void> {
    for (const machine of await this.#replicas.adopt()) this.#log.info({ machine }, 'adopted a replica that runs');
    const { memoryBytes, listen } = this.#config;
    const listener = apiListener({
      cluster: this.#cluster,
      metrics: this.#metrics,
      log: this.#log,
      checkAccess: (caller, deed, machine) =>
        checkAccess(caller, deed, machine, {
          hosts: () => this.#cluster.hosts(),
          owner: (vm) => this.#arbiter.owner(vm),
        }),
      report: () => this.report(),
      startReplica: (request) => this.#startReplica(request),
      tellReplica: (machine, what) => this.#tellReplica(machine, what),
    });
    this.#server = createApiServer(listener, this.#tls);
    const bound = await listenOn(this.#server, listen);
    this.address = reachableAddress(this.#config, bound);
    this.#log.info({ listen: formatAddress(bound), address: this.address, memoryBytes }, 'the API listens');
    await this.#renew();
    this.#renewals = setInterval(() => void this.#renew(), RENEW_EVERY_MS);
    this.#restarter.start();
  }

  async report(): Promise<HostReport> {
    const { name, memoryBytes } = this.#config;
    const replicas = await this.#replicas.report();
    const { freeBytes, ended } = this.#replicas;
    const who = this.#tls === undefined ? {} : { fingerprint: this.#tls.current.fingerprint };
    return { name, address: this.address, memoryBytes, freeBytes, version: this.#version, ...who, replicas, ended };
  }

  async #startReplica(request: ReplicaRequest): Promise<ReplicaReport> {
    const record = await this.#cluster.machine(request.machine);
    if (record.wanted !== 'running') {
      throw new OperatingError(
        'not-wanted',
        `${record.name} is stopped`,
        `"understudy start ${record.name}" starts it.`,
      );
    }
    const report = await this.#replicas.start(request, record);
    this.#log.info({ machine: record.name, role: request.role, pid: report.pid }, 'started a replica');
    void this.#renew();
    // A person may have stopped the machine while this replica was on its way up.
    if ((await this.#cluster.machine(record.name)).wanted !== 'running') await this.#replicas.tell(record.name, 'stop');
    return report;
  }

  async #tellReplica(machine: string, what: 'stop' | 'hand-over'): Promise<void> {
    await this.#replicas.tell(machine, what);
    this.#log.info({ machine, what }, 'told a replica');
  }

  /** A store that is away costs new places for replicas, and no machine: it is said once, and tried again. */
  async #renew(): Promise<void> {
    try {
      const { replicas: _replicas, ended: _ended, ...record } = await this.report();
      await this.#cluster.renew(record);
      if (this.#storeAway) this.#log.info('the store answers again');
      this.#storeAway = false;
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      if (!this.#storeAway) this.#log.warn({ code: error.code }, `${error.message}; trying again`);
      this.#storeAway = true;
    }
  }

  /** Leaves the replicas running. */
  async close(): Promise<void> {
    clearInterval(this.#renewals);
    this.#restarter.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
    if (this.address !== '') await this.#cluster.leave(this.#config.name).catch(() => {});
    await this.#cluster.close();
    await this.#arbiter.close();
  }
}

function checkSecurity({ listen, replicas, insecure, tls }: HostConfig, log: Log): void {
  for (const host of new Set([listen.host, replicas])) {
    let warning: string | undefined;
    try {
      ({ warning } = checkListenAddress({ host, port: listen.port }, { hasTls: tls !== undefined, insecure }));
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      throw new OperatingError(
        error.code,
        error.message,
        'Give "tls" ("understudy keys" makes the files), listen on 127.0.0.1, or give "insecure: true" in host.yaml on a network that only trusted hosts reach.',
      );
    }
    if (warning !== undefined) log.warn(warning.replace('(--insecure)', '("insecure: true")'));
  }
}

/** For the life of this process. */
function lockState(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lockExclusively(openSync(directory, 'r'), directory, 'state directory');
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    throw new OperatingError(
      'state-directory',
      `the state directory ${directory} cannot be made: ${errorCode(error) || String(error)}`,
      'Name another one with "state" in host.yaml.',
      { cause: error },
    );
  }
}
