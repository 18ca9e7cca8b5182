/** What the daemon measures, in the format of Prometheus. Values are read when somebody asks. */
import { Gauge, Registry } from 'prom-client';
import type { HostReport } from './messages.ts';

export class HostMetrics {
  readonly #registry = new Registry();
  readonly #memory: Gauge<'kind'>;
  readonly #replica: Gauge<'machine' | 'role' | 'phase'>;
  readonly #generation: Gauge<'machine'>;
  readonly #lag: Gauge<'machine'>;
  readonly #position: Gauge<'machine'>;
  readonly #resident: Gauge<'machine'>;
  readonly #translations: Gauge<'machine'>;
  readonly #translatedBytes: Gauge<'machine'>;
  readonly #transfer: Gauge<'machine' | 'kind'>;

  constructor() {
    const registers = [this.#registry];
    this.#memory = new Gauge({
      name: 'understudy_host_memory_bytes',
      help: 'Memory for replicas: offered by this host, and still free',
      labelNames: ['kind'],
      registers,
    });
    this.#replica = new Gauge({
      name: 'understudy_replica',
      help: 'One for each replica of this host, with what it is doing',
      labelNames: ['machine', 'role', 'phase'],
      registers,
    });
    const labelNames = ['machine'] as const;
    this.#generation = new Gauge({
      name: 'understudy_replica_generation',
      help: 'The generation that the replica is in',
      labelNames,
      registers,
    });
    this.#lag = new Gauge({
      name: 'understudy_replica_lag_seconds',
      help: 'How far the backup is behind',
      labelNames,
      registers,
    });
    this.#position = new Gauge({
      name: 'understudy_replica_position_steps',
      help: 'Steps that the machine has taken on this replica',
      labelNames,
      registers,
    });
    this.#resident = new Gauge({
      name: 'understudy_replica_resident_bytes',
      help: 'Resident memory of the process of the replica',
      labelNames,
      registers,
    });
    this.#translations = new Gauge({
      name: 'understudy_replica_translations',
      help: 'Translated blocks of guest code that the replica holds',
      labelNames,
      registers,
    });
    this.#translatedBytes = new Gauge({
      name: 'understudy_replica_translated_bytes',
      help: 'Size of the modules that hold the translated blocks',
      labelNames,
      registers,
    });
    this.#transfer = new Gauge({
      name: 'understudy_replica_transfer_bytes',
      help: 'Memory of a copy of the machine under way: copied in all rounds, left in this round, and sent, compressed',
      labelNames: ['machine', 'kind'],
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text({ memoryBytes, freeBytes, replicas }: HostReport): Promise<string> {
    this.#registry.resetMetrics();
    this.#memory.set({ kind: 'offered' }, memoryBytes);
    this.#memory.set({ kind: 'free' }, freeBytes);
    for (const { machine, status } of replicas) {
      this.#replica.set({ machine, role: status?.role ?? 'unknown', phase: status?.phase ?? 'silent' }, 1);
      if (status === undefined) continue;
      this.#generation.set({ machine }, status.generation);
      this.#lag.set({ machine }, status.lagMs / 1000);
      this.#position.set({ machine }, Number(status.position));
      const { residentBytes, translator, transfer } = status;
      if (residentBytes !== undefined) this.#resident.set({ machine }, residentBytes);
      if (translator !== undefined) {
        this.#translations.set({ machine }, translator.translations);
        this.#translatedBytes.set({ machine }, translator.bytes);
      }
      if (transfer !== undefined) {
        this.#transfer.set({ machine, kind: 'done' }, transfer.doneBytes);
        this.#transfer.set({ machine, kind: 'left' }, transfer.leftBytes);
        this.#transfer.set({ machine, kind: 'sent' }, transfer.sentBytes);
      }
    }
    return this.#registry.metrics();
  }
}
