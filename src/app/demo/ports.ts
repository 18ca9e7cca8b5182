/** Ports of this host for the guest's services. A default that is taken gives way to a free one; a port that the user named does not. */
import { once } from 'node:events';
import net from 'node:net';
import { OperatingError } from '../../core/base/error.ts';

const HOST = '127.0.0.1';

export interface PortWish {
  /** What the user said; undefined: nothing. */
  readonly wanted: number | undefined;
  readonly usual: number;
  /** The option that names it. */
  readonly option: string;
}

/** Throws OperatingError 'port-in-use' or 'port-not-permitted' for a port that the user named and cannot have. */
export async function choosePort({ wanted, usual, option }: PortWish): Promise<number> {
  const refusal = await refusalOf(wanted ?? usual);
  if (refusal === undefined) return wanted ?? usual;
  if (wanted === undefined) return freePort();
  if (refusal === 'EADDRINUSE') {
    throw new OperatingError(
      'port-in-use',
      `port ${wanted} on ${HOST} is in use already`,
      `Choose another with ${option}, or leave the option out.`,
    );
  }
  throw new OperatingError(
    'port-not-permitted',
    `port ${wanted} on ${HOST} cannot be used (${refusal})`,
    `Choose one from 1024 up with ${option}.`,
  );
}

/** The system's code for why nobody can listen there now. */
async function refusalOf(port: number): Promise<string | undefined> {
  const server = net.createServer();
  try {
    server.listen({ host: HOST, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    server.close();
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen({ host: HOST, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
