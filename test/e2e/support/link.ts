/**
 * A link that can be cut: a proxy for stream connections, between a replica and what it connects to. A cut link is as silent as
 * a pulled cable: nothing comes through, no end of a connection either, and neither side is told. What was sent meanwhile
 * arrives when the link is mended, late and in order, as TCP would bring it.
 */
import { once } from 'node:events';
import net from 'node:net';
import { connectTo, type StreamAddress } from '../../../src/host/net/address.ts';

/** `forward`: from those who connect to the service. `back`: from the service. */
export type Direction = 'forward' | 'back';

interface Way {
  cut: boolean;
  /** Bytes that have come to the link from this side. */
  bytes: number;
  /** What waits for the link to be mended. */
  readonly waiting: (() => void)[];
}

export class Link {
  readonly #ways: Record<Direction, Way> = {
    forward: { cut: false, bytes: 0, waiting: [] },
    back: { cut: false, bytes: 0, waiting: [] },
  };
  readonly #target: StreamAddress;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(target: StreamAddress) {
    this.#target = target;
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#join(socket));
  }

  static async open(listen: StreamAddress, target: StreamAddress): Promise<Link> {
    const link = new Link(target);
    link.#server.listen(listen);
    await once(link.#server, 'listening');
    return link;
  }

  cut(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#ways[direction].cut = true;
  }

  mend(): void {
    for (const way of Object.values(this.#ways)) {
      way.cut = false;
      for (const step of way.waiting.splice(0)) step();
    }
  }

  /** Bytes that have arrived at the link so far from this side, over all connections. */
  bytes(direction: Direction): number {
    return this.#ways[direction].bytes;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: net.Socket): void {
    const far = connectTo(this.#target);
    far.allowHalfOpen = true;
    this.#pipe(near, far, this.#ways.forward);
    this.#pipe(far, near, this.#ways.back);
  }

  #pipe(from: net.Socket, to: net.Socket, way: Way): void {
    const pass = (step: () => void): void => {
      if (way.cut) way.waiting.push(step);
      else step();
    };
    this.#sockets.add(from);
    from.on('data', (chunk) => {
      way.bytes += chunk.length;
      pass(() => to.writable && to.write(chunk));
    });
    from.on('end', () => pass(() => to.writable && to.end()));
    from.on('error', () => {});
    from.on('close', (hadError) => {
      this.#sockets.delete(from);
      pass(() => (hadError ? to.destroy() : to.writable && to.end()));
    });
  }
}
