/**
 * Where a stream socket is: a path of a unix socket, or a TCP host and port. One type, one spelling (`unix:/path`,
 * `/path`, `host:port`, `[::1]:port`) and one way to listen and to connect, for the hub, the disk server and the logging
 * channel alike.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { OperatingError } from '../../core/base/error.ts';

export type StreamAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export type AddressErrorCode = 'bad-address' | 'address-in-use' | 'cannot-listen';

/** Longest path of a unix socket (sockaddr_un, 108 bytes with the closing zero on Linux). */
const MAX_PATH_BYTES = 107;

/** Reads `unix:/path`, `/path`, `./path`, `host:port` or `[ipv6]:port`. Throws OperatingError `bad-address`. */
export function parseAddress(text: string): StreamAddress {
  if (text.startsWith('unix:')) return pathAddress(text.slice('unix:'.length), text);
  if (text.startsWith('/') || text.startsWith('./') || text.startsWith('../')) return pathAddress(text, text);
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? -1);
  if (match === null || port < 0 || port > 65_535) throw badAddress(text);
  return { host: (match[1] ?? match[2])!, port };
}

export function formatAddress(address: StreamAddress): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * Starts to listen and returns the address really bound (port 0 picks a free port). A unix socket that no one listens on
 * any more, as a killed process leaves it, is replaced; one that answers is in use.
 * Throws OperatingError `address-in-use` or `cannot-listen`.
 */
export async function listenOn(server: net.Server, address: StreamAddress): Promise<StreamAddress> {
  try {
    await tryListen(server, address);
  } catch (error) {
    const stale = 'path' in address && errorCode(error) === 'EADDRINUSE' && (await removeIfStale(address.path));
    if (!stale) throw listenError(address, error);
    await tryListen(server, address).catch((again: unknown) => {
      throw listenError(address, again);
    });
  }
  const bound = server.address();
  if ('path' in address || bound === null || typeof bound === 'string') return address;
  return { host: address.host, port: bound.port };
}

/** Opens a connection; Nagle's algorithm is off. The caller listens for 'connect' and 'error'. */
export function connectTo(address: StreamAddress): net.Socket {
  if ('path' in address) return net.connect({ path: address.path });
  return net.connect({ host: address.host, port: address.port, noDelay: true });
}

/** The `code` of a system error, or '' for any other value. */
export function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

function pathAddress(path: string, text: string): StreamAddress {
  if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES) throw badAddress(text);
  return { path };
}

function badAddress(text: string): OperatingError<AddressErrorCode> {
  return new OperatingError(
    'bad-address',
    `'${text}' is no address of a stream socket`,
    `Write host:port, [ipv6]:port, or unix:/path (at most ${MAX_PATH_BYTES} bytes).`,
  );
}

function tryListen(server: net.Server, address: StreamAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function removeIfStale(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return false;
  const answered = await new Promise<boolean>((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED'));
  });
  if (!answered) unlinkSync(path);
  return !answered;
}

function listenError(address: StreamAddress, error: unknown): OperatingError<AddressErrorCode> {
  const where = formatAddress(address);
  if (errorCode(error) === 'EADDRINUSE') {
    const what = 'path' in address ? `the socket ${where}` : `port ${address.port} on ${address.host}`;
    return new OperatingError(
      'address-in-use',
      `${what} is in use already`,
      'Stop the process that holds it, or choose another address.',
      {
        cause: error,
      },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new OperatingError(
    'cannot-listen',
    `cannot listen on ${where}: ${reason}`,
    'Check the address and the rights to it.',
    {
      cause: error,
    },
  );
}
