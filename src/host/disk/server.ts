/**
 * The disk server: the one process that has a shared disk's file open (PROTOCOL.md, 22). Replicas reach it over NBD; any
 * standard NBD client may read. It admits one generation at a time, and a write of a dead primary that arrives late
 * finds the door shut. The command `understudy disk` runs it, with `untilToldToStop` of net/lifeline.ts.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { checkMachineName } from '../arbiter/arbiter.ts';
import { listenOn, type StreamAddress } from '../net/address.ts';
import type { CredentialSource } from '../tls/credentials.ts';
import { WaitingRoom } from '../tls/waiting-room.ts';
import { type Admitted, Fence } from './fence.ts';
import { ImageFile } from './image-file.ts';
import { OverlapOrder } from './overlap-order.ts';
import { ServerConnection } from './server-connection.ts';

export type DiskServerOptions = {
  /** The raw image. */
  readonly path: string;
  /** The machine whose disk it is: the export's name. */
  readonly vm: string;
  readonly listen: readonly StreamAddress[];
  /** Names the owner of each generation. Without one any higher generation is admitted. */
  readonly arbiter?: Pick<Arbiter, 'owner'> | undefined;
  /** Holds the admitted generation; it must exist, and stay with the disk for the disk's life. */
  readonly stateDir: string;
  /** Tells one boot of this host from the next; the kernel's boot id unless told. */
  readonly boot?: string;
  /**
   * With keys all clients must speak TLS 1.3, and show a certificate of the same authority. Any such one may read; who may write is
   * what the arbiter's record says, by fingerprint (fence.ts).
   */
  readonly tls?: CredentialSource | undefined;
  /** A request has failed because of this host: a full file system, a broken medium. */
  readonly onProblem: (line: string) => void;
  /** One line for the log, such as an admission. */
  readonly onEvent?: (line: string) => void;
};

export interface DiskServer {
  /** Where it listens, with the port that was really bound, in the order of `listen`. */
  readonly addresses: readonly StreamAddress[];
  readonly sizeBytes: number;
  /** The generation admitted last. */
  readonly admitted: Admitted | undefined;
  /** Ends all connections, waits for what is under way, and lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens and locks the image, then listens.
 * Throws OperatingError<DiskFileErrorCode | LockErrorCode | FenceErrorCode | AddressErrorCode>, with nothing left behind.
 */
export async function startDiskServer(options: DiskServerOptions): Promise<DiskServer> {
  checkMachineName(options.vm);
  const image = await ImageFile.open(options.path, options.onProblem);
  const server = new NbdServer(options, image);
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** Of one address at a time: replicas have one each, standard clients up to sixteen. */
const MAX_CONNECTIONS = 256;

class NbdServer implements DiskServer {
  readonly addresses: StreamAddress[] = [];
  readonly sizeBytes: number;
  readonly #options: DiskServerOptions;
  readonly #image: ImageFile;
  readonly #boot: string;
  readonly #order = new OverlapOrder();
  /** Clients that have not named an export yet. */
  readonly #waiting = new WaitingRoom();
  readonly #servers: net.Server[] = [];
  readonly #connections = new Map<ServerConnection, Promise<void>>();
  #fence: Fence | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DiskServerOptions, image: ImageFile) {
    this.#options = options;
    this.#image = image;
    this.#boot = options.boot ?? bootOfThisHost();
    this.sizeBytes = image.sizeBytes;
  }

  get admitted(): Admitted | undefined {
    return this.#fence?.admitted;
  }

  async start(): Promise<void> {
    const { vm, stateDir, arbiter } = this.#options;
    const fence = await Fence.open({ vm, stateDir, arbiter });
    this.#fence = fence;
    for (const address of this.#options.listen) {
      const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 }, (socket) =>
        this.#accept(socket, fence),
      );
      server.maxConnections = MAX_CONNECTIONS;
      this.#servers.push(server);
      this.addresses.push(await listenOn(server, address));
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #accept(socket: net.Socket, fence: Fence): void {
    const { vm, tls, onEvent = () => {} } = this.#options;
    const shared = { vm, image: this.#image, order: this.#order, fence, boot: this.#boot, onEvent, tls };
    this.#waiting.enter(socket);
    const connection = new ServerConnection(socket, shared, () => this.#waiting.leave(socket));
    const served = connection.serve().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
  }

  async #end(): Promise<void> {
    const stopped = this.#servers
      .filter((server) => server.listening)
      .map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.#connections.keys()) connection.close();
    await Promise.all([...stopped, ...this.#connections.values()]);
    await this.#order.idle();
    await this.#image.close();
  }
}

/** What the kernel has written and not synced survives this process, but not this boot. */
function bootOfThisHost(): string {
  try {
    return `boot ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return `boot ${randomUUID()}`; // no such file: then each process counts as a boot, which is the safe side
  }
}
