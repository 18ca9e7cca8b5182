/** Clients that wish a host no good, on loopback: each is a real one, and meanwhile somebody else is served. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { listenOn } from '../net/address.ts';
import { PURPOSE } from '../tls/certificate.ts';
import { type CredentialSource, Credentials } from '../tls/credentials.ts';
import { OPERATOR_UNIT } from '../tls/role.ts';
import { contextOptions } from '../tls/secure.ts';
import { TestAuthority } from '../tls/testing.ts';
import { HostClient } from './api-client.ts';
import { HostDaemon } from './host-daemon.ts';
import { PEER_LINES, REFUSALS } from './refusals.ts';
import { API_LIMITS, type ApiLimits, createApiServer } from './transport.ts';

const authority = await TestAuthority.make();
after(() => authority.remove());
const clientOnly = async (name: string, unit?: string): Promise<CredentialSource> => {
  const subject = { addresses: [], purposes: [PURPOSE.client], ...(unit !== undefined && { unit }) };
  return Credentials.load(await authority.files(name, subject), () => {}, 'client');
};
const operator = await clientOnly('alice', OPERATOR_UNIT);
const mallory = await clientOnly('mallory');

/** An API server with a listener that reads what it is sent; `port` is its own. */
async function serve(t: TestContext, limits: Partial<ApiLimits>, tls?: CredentialSource) {
  const listener: http.RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('served'));
  };
  const server = createApiServer(listener, tls, { ...API_LIMITS, checkEveryMs: 20, ...limits });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = (await listenOn(server, { host: '127.0.0.1', port: 0 })) as { port: number };
  return { port };
}

function connect(t: TestContext, port: number): net.Socket {
  const socket = net.connect({ host: '127.0.0.1', port }).on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** Sends one byte after the other, for ever; resolves when the other end has closed the connection. */
async function drip(socket: net.Socket, first: string): Promise<void> {
  socket.write(first);
  const drops = setInterval(() => socket.write('x'), 10);
  await once(socket.resume(), 'close').finally(() => clearInterval(drops));
}

async function isServed(port: number): Promise<void> {
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text(), 'served');
}

test('a client that sends its headers, or its body, a byte at a time is cut off, and others are served', async (t) => {
  const { port } = await serve(t, { headersMs: 200, requestMs: 300 });
  const headers = drip(connect(t, port), 'GET / HTTP/1.1\r\nhost: a\r\nx: ');
  const body = drip(connect(t, port), 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n');
  await isServed(port);
  await Promise.all([headers, body]);
});

test('a client that connects and says nothing is cut off, with TLS and without', async (t) => {
  const plain = await serve(t, { headersMs: 200 });
  const secure = await serve(t, { handshakeMs: 200 }, await authority.host('host-a'));
  await Promise.all([plain, secure].map(({ port }) => once(connect(t, port).resume(), 'close')));
});

test('one address does not take all connections, and gets a new one when it gives one up', async (t) => {
  const { port } = await serve(t, { connectionsOfAddress: 8 });
  const taken = Array.from({ length: 8 }, () => connect(t, port));
  await Promise.all(taken.map((socket) => once(socket, 'connect')));
  await once(connect(t, port).resume(), 'close');
  const [first] = taken;
  first!.destroy();
  for (;;) {
    // Its end may reach the server later than the next connection does.
    const served = await isServed(port).then(
      () => true,
      () => false,
    );
    if (served) break;
  }
});

test('with TLS, too, before a handshake begins', async (t) => {
  const { port } = await serve(t, { connectionsOfAddress: 2 }, await authority.host('host-a'));
  const taken = [connect(t, port), connect(t, port)];
  await Promise.all(taken.map((socket) => once(socket, 'connect')));
  await once(connect(t, port).resume(), 'close');
  assert.ok(taken.every((socket) => !socket.destroyed));
});

test('headers that are too long are refused', async (t) => {
  const { port } = await serve(t, {});
  const socket = connect(t, port);
  socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(API_LIMITS.headerBytes)}\r\n\r\n`);
  const answer = (await socket.setEncoding('utf8').toArray()).join('');
  assert.match(answer, /^HTTP\/1.1 431 /);
});

/** A daemon with keys, and what it logs. */
async function daemonOf(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-hostile-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'arbiter'));
  const lines: string[] = [];
  const daemon = await HostDaemon.start(
    {
      name: 'a',
      listen: { host: '127.0.0.1', port: 0 },
      address: undefined,
      replicas: '127.0.0.1',
      vtep: undefined,
      stateDirectory: join(directory, 'a'),
      memoryBytes: 2 ** 30,
      arbiter: join(directory, 'arbiter'),
      unsafeArbiter: true,
      insecure: false,
      tls: await authority.files('host-a'),
      log: 'json',
    },
    '0',
    pino({}, { write: (line: string) => void lines.push(line) }),
  );
  t.after(() => daemon.close());
  return { daemon, lines };
}

type Answer = { readonly status: number; readonly closes: boolean };

/** Over one connection as long as the daemon keeps it. */
function ask(agent: https.Agent, address: string, method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(`https://${address}${path}`, { method, agent, ...contextOptions(mallory) });
    request.on('error', reject).on('response', (response) => {
      const answer = { status: response.statusCode ?? 0, closes: response.headers.connection === 'close' };
      response.resume().on('end', () => resolve(answer));
    });
    request.end();
  });
}

test('a client without rights that asks and asks is turned away, fills no log, and keeps nobody from being served', async (t) => {
  const { daemon, lines } = await daemonOf(t);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  const before = lines.length;
  const flood = Array.from({ length: 200 }, () => ask(agent, daemon.address, 'POST', '/v1/replicas/web/stop'));
  const served = new HostClient(daemon.address, operator);
  assert.equal((await served.report()).name, 'a');
  const answers = await Promise.all(flood);
  const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
  assert.equal(count(403) + count(429), answers.length);
  assert.ok(count(403) >= REFUSALS.burst, `${count(403)} were refused`);
  assert.ok(count(429) > 0, 'none was turned away');
  assert.ok(answers.every(({ closes }) => closes));
  assert.ok(lines.length - before <= 2 * PEER_LINES.burst, `${lines.length - before} lines`);
  assert.equal((await served.report()).name, 'a');
});

test('a body that is too long is not read to its end', async (t) => {
  const { daemon } = await daemonOf(t);
  const request = https.request(`https://${daemon.address}/v1/replicas`, {
    method: 'POST',
    agent: false,
    headers: { 'transfer-encoding': 'chunked' },
    ...contextOptions(operator),
  });
  t.after(() => request.destroy());
  const piece = Buffer.alloc(64 * 1024, 'x');
  const pour = (): void => void request.write(piece, (error) => error == null && setImmediate(pour));
  request.on('error', () => {});
  pour();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  assert.equal(response.statusCode, 413);
  assert.equal(response.headers.connection, 'close');
  response.resume();
  await once(request, 'close');
});
