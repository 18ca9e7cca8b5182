/**
 * The one place where the API meets the network, on both sides: TLS enters here and nowhere else. Without TLS it is plain HTTP,
 * which the listen policy keeps on loopback.
 */
import http from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import type { CredentialSource } from '../tls/credentials.ts';
import { contextOptions, peerOf, type TlsPeer } from '../tls/secure.ts';

/** The keys of this host, or of the person at the command; undefined: no TLS. Both sides show certificates. */
export type ApiTls = CredentialSource;

export function createApiServer(listener: http.RequestListener, tls: ApiTls | undefined): http.Server {
  const limits = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000, maxHeaderSize: 8192 };
  if (tls === undefined) return http.createServer(limits, listener);
  let shown = tls.current;
  const context = contextOptions({ current: shown });
  const server = https.createServer({ ...limits, ...context, requestCert: true, rejectUnauthorized: true }, listener);
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
