/**
 * A replica's hold on the shared disk: one connection for each generation that it owns. Before it owns one it may read
 * (`reads: backup`), without a generation: then the server lets it write nothing, and stands in nobody's way for it.
 */
import { setTimeout } from 'node:timers/promises';
import { OperatingError } from '../../core/base/error.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import { connectDisk } from '../disk/client.ts';
import type { BlockResult, Disk } from '../disk/disk.ts';
import type { DiskAddress } from '../disk/disk-address.ts';
import { NO_FENCE } from '../disk/foreign-server.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import type { ReplicaDisk } from './replica-disk.ts';

/** Between two attempts to reach a disk server. */
const RETRY_MS = 200;

export interface SharedDiskOptions {
  readonly address: DiskAddress;
  readonly vm: string;
  readonly tls: CredentialSource | undefined;
  readonly incarnation: string;
  readonly onNotice: (line: string) => void;
}

export class SharedDisk implements ReplicaDisk {
  readonly #options: SharedDiskOptions;
  readonly #byGeneration = new Map<number, Disk>();
  #reader: Promise<Disk | undefined> | undefined;
  #closed = false;

  constructor(options: SharedDiskOptions) {
    this.#options = options;
  }

  /** The disk's size, asked without any claim to it. Throws OperatingError if nobody serves it. */
  async sizeBytes(): Promise<number> {
    const { address, vm, tls } = this.#options;
    const disk = await connectDisk({ address, vm, tls, onFenced: () => {} });
    await disk.close();
    return disk.sizeBytes;
  }

  /** Returns once every request of a lower generation has landed or been refused (PROTOCOL.md, 2). */
  async admit(generation: number): Promise<'admitted' | 'refused' | 'unknown'> {
    const { address, vm, tls, incarnation, onNotice } = this.#options;
    try {
      const disk = await connectDisk({
        address,
        vm,
        tls,
        writer: { generation, incarnation },
        onFenced: (reason) => onNotice(`the disk is another's now: ${reason}`),
        onState: (state, reason) => {
          if (state === 'down') onNotice(`the disk server is away: ${reason ?? 'no reason given'}`);
        },
        onProblem: onNotice,
      });
      this.#byGeneration.set(generation, disk);
      if (address.foreignExport !== undefined) onNotice(`${disk.description}: ${NO_FENCE}`);
      return 'admitted';
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      onNotice(error.message);
      return error.code === 'disk-refused' ? 'refused' : 'unknown';
    }
  }

  async request(generation: number, request: BlockRequest): Promise<BlockResult> {
    const disk = this.#byGeneration.get(generation);
    return disk === undefined ? { ok: false, error: 'closed' } : disk.request(request);
  }

  /** Waits for a disk server that is away, as requests of an owner do. */
  async read(request: BlockRequest & { type: 'read' }): Promise<Uint8Array | undefined> {
    this.#reader ??= this.#connectReader();
    const result = await (await this.#reader)?.request(request);
    return result?.ok ? result.data : undefined;
  }

  /** Undefined if this replica may not read, or is closed. */
  async #connectReader(): Promise<Disk | undefined> {
    const { address, vm, tls, onNotice } = this.#options;
    for (let told = false; !this.#closed; told = true) {
      try {
        return await connectDisk({ address, vm, tls, onFenced: () => {}, onProblem: onNotice });
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        if (!told) onNotice(error.message);
        if (error.code === 'disk-refused') break;
        await setTimeout(RETRY_MS);
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const disks = [...this.#byGeneration.values(), await this.#reader];
    await Promise.all(disks.map((disk) => disk?.close()));
  }
}
