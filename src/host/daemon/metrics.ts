/** What the daemon measures, in the format of Prometheus. Values are read when somebody asks. */
import { Gauge, Registry } from 'prom-client';
import type { HostReport, ReplicaStatusReport } from './messages.ts';

export class HostMetrics {
  readonly #registry = new Registry();
  readonly #memory = this.#gauge('host_memory_bytes', 'Memory for replicas: offered by this host, and still free', [
    'kind',
  ]);
  readonly #refused = this.#gauge(
    'host_requests_refused',
    'Requests that were refused since the daemon began, by why',
    ['code'],
  );
  readonly #replica = this.#gauge('replica', 'One for each replica of this host, with what it is doing', [
    'machine',
    'role',
    'phase',
  ]);
  readonly #generation = this.#ofMachine('generation', 'The generation that the replica is in');
  readonly #lag = this.#ofMachine('lag_seconds', 'How far the backup is behind');
  readonly #position = this.#ofMachine('position_steps', 'Steps that the machine has taken on this replica');
  readonly #resident = this.#ofMachine('resident_bytes', 'Resident memory of the process of the replica');
  readonly #translations = this.#ofMachine('translations', 'Translated blocks of guest code that the replica holds');
  readonly #translatedBytes = this.#ofMachine(
    'translated_bytes',
    'Size of the modules that hold the translated blocks',
  );
  readonly #transfer = this.#ofMachine(
    'transfer_bytes',
    'Memory of a copy of the machine under way: copied in all rounds, left in this round, and sent, compressed',
    ['kind'],
  );
  readonly #redundant = this.#ofMachine(
    'redundant',
    'Of a primary: 1 if its machine has a complete backup, 0 if it has none',
  );
  readonly #reason = this.#ofMachine('reason', 'Of a primary: 1 for each reason why all is not well (docs/hosts.md)', [
    'code',
  ]);
  readonly #copied = this.#ofMachine('copy_bytes', 'Of a copy that a primary makes: done and total, of this stage', [
    'stage',
    'kind',
  ]);
  readonly #copyRate = this.#ofMachine('copy_bytes_per_second', 'Pace of a copy that a primary makes');
  readonly #copyRest = this.#ofMachine('copy_rest_seconds', 'What is left of a copy that a primary makes, at its pace');

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name: `understudy_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #ofMachine<Label extends string = never>(name: string, help: string, more: readonly Label[] = []) {
    return this.#gauge<Label | 'machine'>(`replica_${name}`, help, ['machine', ...more]);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text({ memoryBytes, freeBytes, replicas }: HostReport, refused?: ReadonlyMap<string, number>): Promise<string> {
    this.#registry.resetMetrics();
    this.#memory.set({ kind: 'offered' }, memoryBytes);
    this.#memory.set({ kind: 'free' }, freeBytes);
    for (const [code, count] of refused ?? []) this.#refused.set({ code }, count);
    for (const { machine, status } of replicas) {
      this.#replica.set({ machine, role: status?.role ?? 'unknown', phase: status?.phase ?? 'silent' }, 1);
      if (status !== undefined) this.#measure(machine, status);
    }
    return this.#registry.metrics();
  }

  #measure(machine: string, status: ReplicaStatusReport): void {
    const { residentBytes, translator, transfer, copy, reasons } = status;
    this.#generation.set({ machine }, status.generation);
    this.#lag.set({ machine }, status.lagMs / 1000);
    this.#position.set({ machine }, Number(status.position));
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
    if (status.role === 'primary') this.#redundant.set({ machine }, status.phase === 'paired' ? 1 : 0);
    for (const { code } of reasons ?? []) this.#reason.set({ machine, code }, 1);
    if (copy === undefined) return;
    this.#copied.set({ machine, stage: copy.stage, kind: 'done' }, copy.doneBytes);
    this.#copied.set({ machine, stage: copy.stage, kind: 'total' }, copy.totalBytes);
    if (copy.bytesPerSecond !== undefined) this.#copyRate.set({ machine }, copy.bytesPerSecond);
    if (copy.restMs !== undefined) this.#copyRest.set({ machine }, copy.restMs / 1000);
  }
}
