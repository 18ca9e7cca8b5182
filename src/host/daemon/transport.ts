/**
 * The one place where the API meets the network, on both sides: TLS enters here and nowhere else. Without TLS it is plain HTTP,
 * which the listen policy keeps on loopback.
 */
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CredentialSource } from '../tls/credentials.ts';
import { contextOptions, peerOf, type TlsPeer } from '../tls/secure.ts';

/** The keys of this host, or of the person at the command; undefined: no TLS. Both sides show certificates. */
export type ApiTls = CredentialSource;

export interface ApiLimits {
  /** A connection has so long for its handshake, then for the headers of a request, and for all of it. */
  readonly handshakeMs: number;
  readonly headersMs: number;
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** Nothing is read nor written for so long, an answer that takes its time included: the end. */
  readonly idleMs: number;
  /** How often the first ones are looked at. */
  readonly checkEveryMs: number;
  readonly headerBytes: number;
  /** Connections: of all, and from one address. */
  readonly connections: number;
  readonly connectionsOfAddress: number;
}

export const API_LIMITS: ApiLimits = {
  handshakeMs: 5000,
  headersMs: 5000,
  requestMs: 10_000,
  keepAliveMs: 5000,
  idleMs: 90_000,
  checkEveryMs: 1000,
  headerBytes: 8192,
  connections: 512,
  connectionsOfAddress: 128,
};

export function createApiServer(
  listener: http.RequestListener,
  tls: ApiTls | undefined,
  limits: ApiLimits = API_LIMITS,
): http.Server {
  const server = makeServer(listener, tls, limits);
  server.setTimeout(limits.idleMs);
  server.maxConnections = limits.connections;
  limitAddresses(server, limits.connectionsOfAddress);
  return server;
}

/** One address does not use up what is there for all. */
function limitAddresses(server: http.Server, most: number): void {
  const open = new Map<string, number>();
  // Before TLS begins on a connection.
  server.prependListener('connection', (socket: net.Socket) => {
    const { remoteAddress: address = '' } = socket;
    const count = open.get(address) ?? 0;
    if (count >= most) return void socket.destroy();
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = open.get(address)! - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

function makeServer(listener: http.RequestListener, tls: ApiTls | undefined, limits: ApiLimits): http.Server {
  const options = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytes,
  };
  if (tls === undefined) return http.createServer(options, listener);
  let shown = tls.current;
  const context = contextOptions({ current: shown });
  const server = https.createServer(
    { ...options, ...context, handshakeTimeout: limits.handshakeMs, requestCert: true, rejectUnauthorized: true },
    listener,
  );
  // Before TLS begins on a connection: renewed files count from then on.
  server.prependListener('connection', () => {
    const { current } = tls;
    if (current === shown) return;
    shown = current;
    server.setSecureContext(contextOptions({ current }));
  });
  return server;
}

/** Who asks, by the certificate of the connection; undefined without TLS. */
export function callerOf({ socket }: http.IncomingMessage): TlsPeer | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return certificate === undefined ? undefined : peerOf(certificate);
}

/** By whom what a caller does is counted: its certificate, or without TLS its address. */
export function peerKeyOf(request: http.IncomingMessage): string {
  return callerOf(request)?.fingerprint ?? request.socket.remoteAddress ?? '';
}

export type ApiAnswer = { readonly status: number; readonly text: string };

export type ApiCall = {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** HOST:PORT. */
  readonly address: string;
  readonly path: string;
  readonly body: object | undefined;
  readonly timeoutMs: number;
};

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Rejects with the reason if there is no answer in time. */
export function callApi(call: ApiCall, tls: ApiTls | undefined): Promise<ApiAnswer> {
  const { method, address, path, timeoutMs } = call;
  const body = call.body === undefined ? '' : JSON.stringify(call.body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const options = { method, headers, signal: AbortSignal.timeout(timeoutMs), agent: false as const };
  const scheme = tls === undefined ? 'http' : 'https';
  return new Promise((resolve, reject) => {
    const url = new URL(`${scheme}://${address}${path}`);
    const request =
      tls === undefined ? http.request(url, options) : https.request(url, { ...options, ...contextOptions(tls) });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.end(body);
  });
}
