/** A server for the tests of the demo's clients: it gives each connection to a function, on a port of its own. */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** The port. The server and its connections end with the test. */
export async function serve(context: TestContext, talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}
