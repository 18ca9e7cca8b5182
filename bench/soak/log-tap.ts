/**
 * Stands between primary and backup and reads what they say, without changing it: counts the hashes of the whole state that the primary logs, and
 * those that the backup has compared. A replay stops at a hash that differs (and says so: `diverged`), so each hash behind which the backup
 * has executed is one that was equal.
 */
import { once } from 'node:events';
import net from 'node:net';
import { decodeEntries } from '../../src/core/replay/log-entry.ts';
import type { Message } from '../../src/core/replication/message.ts';
import { decodeMessage, MAX_MESSAGE_BYTES } from '../../src/core/replication/message-codec.ts';
import { connectTo, type StreamAddress } from '../../src/host/net/address.ts';
import { FrameDecoder } from '../../src/host/net/framing.ts';

export class LogTap {
  /** Hashes in the log, and those of them that the backup found equal. */
  hashesLogged = 0;
  hashesEqual = 0;
  /** Log entries of any kind. */
  entries = 0;
  /** How often the primary has let the backup in: once, unless their channel broke. */
  welcomes = 0;
  /** What the backup said of a difference. */
  divergence: string | undefined;
  /** Positions of hashes that the backup has not reached yet. */
  #due: bigint[] = [];
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(target: StreamAddress) {
    this.#server = net.createServer({ noDelay: true }, (backup) => this.#join(backup, connectTo(target)));
  }

  static async open(listen: StreamAddress, target: StreamAddress): Promise<LogTap> {
    const tap = new LogTap(target);
    tap.#server.listen(listen);
    await once(tap.#server, 'listening');
    return tap;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(backup: net.Socket, primary: net.Socket): void {
    this.#pipe(primary, backup);
    this.#pipe(backup, primary);
  }

  #pipe(from: net.Socket, to: net.Socket): void {
    const limits = { minLength: 1, maxLength: MAX_MESSAGE_BYTES };
    const decoder = new FrameDecoder(limits, (frame) => this.#heard(decodeMessage(frame)));
    this.#sockets.add(from);
    from.on('data', (chunk) => {
      to.write(chunk);
      decoder.push(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.end();
    });
  }

  #heard(message: Message): void {
    if (message.type === 'log') {
      for (const entry of decodeEntries(message.bytes, message.base)) {
        this.entries++;
        if (entry.kind !== 'hash') continue;
        this.hashesLogged++;
        this.#due.push(entry.position);
      }
    } else if (message.type === 'ack') {
      const reached = this.#due.findIndex((position) => position >= message.executed);
      const equal = this.#due.splice(0, reached < 0 ? this.#due.length : reached);
      this.hashesEqual += equal.length;
    } else if (message.type === 'welcome') this.welcomes++;
    else if (message.type === 'diverged') {
      this.divergence = `at ${message.position}: the log has ${message.log}, the backup ${message.machine}`;
    }
  }
}
