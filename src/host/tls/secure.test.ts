import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { Arrivals } from '../net/testing.ts';
import { acceptSecure, connectSecure } from './secure.ts';
import { TestAuthority } from './testing.ts';

const authority = await TestAuthority.make();
after(() => authority.remove());
const credentials = await authority.host('host-a');

/** Both ends of a connection, nothing said yet. */
async function connection(t: TestContext) {
  const accepted = new Arrivals<net.Socket>();
  const server = net.createServer(accepted.put).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const far = await accepted.take();
  for (const socket of [near, far]) socket.on('error', () => {});
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

test('a handshake that never comes to an end is given up, on either side', async (t) => {
  const silentClient = await connection(t);
  await assert.rejects(acceptSecure(silentClient.far, { credentials, who: 'a client', timeoutMs: 30 }), {
    code: 'tls-timeout',
    message: /no secure connection with a client: the handshake took too long/,
  });
  assert.equal(silentClient.far.destroyed, true);
  const silentServer = await connection(t);
  const options = { credentials, who: 'host-b', serverName: undefined, timeoutMs: 30 };
  await assert.rejects(connectSecure(silentServer.near, options), { code: 'tls-timeout', message: /host-b/ });
  assert.equal(silentServer.near.destroyed, true);
});

test('a connection that ends in the middle of the handshake says so, on either side', async (t) => {
  const one = await connection(t);
  const accepting = acceptSecure(one.far, { credentials, who: 'a client' });
  one.near.end(Uint8Array.of(0x16, 0x03, 0x01));
  await assert.rejects(accepting, { code: 'tls-cut' });
  const other = await connection(t);
  const connecting = connectSecure(other.near, { credentials, who: 'host-b', serverName: undefined });
  other.far.once('data', () => other.far.destroy());
  await assert.rejects(connecting, { code: 'tls-cut' });
});

test('a server name is checked by name or address, and only where there is one', async (t) => {
  const attempt = async (serverName: string | undefined) => {
    const { near, far } = await connection(t);
    const accepting = acceptSecure(far, { credentials, who: 'a client' }).catch(() => undefined);
    const secured = await connectSecure(near, { credentials, who: 'host-a', serverName });
    await accepting;
    return secured.peer.name;
  };
  for (const name of [undefined, 'localhost', '127.0.0.1']) assert.equal(await attempt(name), 'host-a');
  for (const name of ['host-b', '127.0.0.2', '::1']) await assert.rejects(attempt(name), { code: 'tls-wrong-name' });
});
