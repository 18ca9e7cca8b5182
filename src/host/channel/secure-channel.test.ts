import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, type TestContext, test } from 'node:test';
import tls from 'node:tls';
import type { OperatingError } from '../../core/base/error.ts';
import { Arrivals } from '../net/testing.ts';
import { PURPOSE } from '../tls/certificate.ts';
import { type CredentialSource, Credentials } from '../tls/credentials.ts';
import { OPERATOR_UNIT } from '../tls/role.ts';
import { contextOptions } from '../tls/secure.ts';
import { TestAuthority, validity } from '../tls/testing.ts';
import { type Channel, type ChannelClosed, connectChannel, listenForChannels } from './channel.ts';
import type { ChannelTls } from './secure-channel.ts';

const authority = await TestAuthority.make();
const stranger = await TestAuthority.make('Another authority');
after(() => [authority, stranger].map((one) => one.remove()));
const [hostA, hostB] = [await authority.host('host-a'), await authority.host('host-b')];

const wrongClients: readonly (readonly [what: string, client: CredentialSource, code: string, words: RegExp])[] = [
  [
    'of another authority',
    { current: { ...(await stranger.host('host-c')).current, authority: authority.pair.certificate } },
    'tls-unknown-authority',
    /not of our authority/,
  ],
  [
    'that has expired',
    await authority.badHost('expired', { validity: validity(-9, -1) }),
    'tls-expired',
    /has expired/,
  ],
  [
    'that is not valid yet',
    await authority.badHost('early', { validity: validity(1, 9) }),
    'tls-not-yet-valid',
    /not valid yet/,
  ],
  [
    'for servers alone',
    await authority.badHost('server-only', { purposes: ['1.3.6.1.5.5.7.3.1'] }),
    'tls-wrong-purpose',
    /not for this use/,
  ],
];

const wrongServers: readonly (readonly [what: string, server: CredentialSource, code: string])[] = [
  ['of another authority', await stranger.host('host-d'), 'tls-unknown-authority'],
  ['that has expired', await authority.badHost('old', { validity: validity(-9, -1) }), 'tls-expired'],
  ['that is not valid yet', await authority.badHost('new', { validity: validity(1, 9) }), 'tls-not-yet-valid'],
  [
    'for clients alone',
    await authority.badHost('client-only', { purposes: ['1.3.6.1.5.5.7.3.2'] }),
    'tls-wrong-purpose',
  ],
  ['of another address', await authority.host('elsewhere', { addresses: ['10.9.8.7'] }), 'tls-wrong-name'],
];

const quiet = { onMessage: () => {}, onClose: () => {} };
const LOOPBACK = { host: '127.0.0.1', port: 0 };

async function listener(t: TestContext, options: ChannelTls | undefined) {
  const accepted = new Arrivals<Channel>();
  const refused = new Arrivals<OperatingError>();
  const closed = new Arrivals<ChannelClosed>();
  const listening = await listenForChannels(
    LOOPBACK,
    (channel) => {
      accepted.put(channel);
      t.after(() => channel.abort());
      return { onMessage: () => {}, onClose: closed.put };
    },
    { tls: options, onRefused: refused.put },
  );
  t.after(() => listening.close());
  assert.ok('port' in listening.address);
  return { accepted, refused, closed, address: listening.address };
}

test('each side knows the other by the fingerprint of its certificate', async (t) => {
  const { accepted, address } = await listener(t, { credentials: hostA });
  const near = await connectChannel(address, quiet, { tls: { credentials: hostB } });
  const far = await accepted.take();
  assert.deepEqual(near.identity, { fingerprint: hostA.current.fingerprint, name: 'host-a', role: 'host' });
  assert.deepEqual(far.identity, { fingerprint: hostB.current.fingerprint, name: 'host-b', role: 'host' });
  near.abort();
});

for (const [what, client, code, words] of wrongClients) {
  test(`a client with a certificate ${what} is refused, and both sides are told why`, async (t) => {
    const { refused, accepted, address } = await listener(t, { credentials: hostA });
    await assert.rejects(connectChannel(address, quiet, { tls: { credentials: client } }), {
      code: 'tls-refused',
      message: words,
    });
    const error = await refused.take();
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert.equal(accepted.waiting, 0);
  });
}

for (const [what, server, code] of wrongServers) {
  test(`a server with a certificate ${what} is not spoken to`, async (t) => {
    const { refused, accepted, address } = await listener(t, { credentials: server });
    await assert.rejects(connectChannel(address, quiet, { tls: { credentials: hostB } }), {
      code,
      message: new RegExp(`127.0.0.1:${address.port}`),
    });
    assert.ok((await refused.take()).code.startsWith('tls-'));
    assert.equal(accepted.waiting, 0);
  });
}

test('a host of the authority that may not take part is told so, by either side', async (t) => {
  const mayNot = () => 'the record of web names other hosts';
  const strict = await listener(t, { credentials: hostA, authorise: mayNot });
  await assert.rejects(connectChannel(strict.address, quiet, { tls: { credentials: hostB } }), {
    code: 'tls-refused',
    message: /the record of web names other hosts/,
  });
  assert.equal((await strict.refused.take()).code, 'tls-not-authorised');
  const open = await listener(t, { credentials: hostA });
  await assert.rejects(connectChannel(open.address, quiet, { tls: { credentials: hostB, authorise: mayNot } }), {
    code: 'tls-not-authorised',
    message: /host-a.*the record of web names other hosts/,
  });
});

test('an operator of the authority is no host, and opens no channel', async (t) => {
  const subject = { addresses: [], unit: OPERATOR_UNIT, purposes: [PURPOSE.client] };
  const operator = Credentials.load(await authority.files('alice', subject), () => {}, 'client');
  const { address, refused } = await listener(t, { credentials: hostA });
  await assert.rejects(connectChannel(address, quiet, { tls: { credentials: operator } }), {
    code: 'tls-refused',
    message: /refuses this host: .*alice.* its certificate is no host's/,
  });
  assert.equal((await refused.take()).code, 'tls-not-authorised');
});

test('plain text against TLS, and the other way round, is a clear error on both sides', async (t) => {
  const secure = await listener(t, { credentials: hostA });
  const closed = new Arrivals<ChannelClosed>();
  const plain = await connectChannel(secure.address, { onMessage: () => {}, onClose: closed.put });
  plain.send(new TextEncoder().encode('hello in the clear'));
  assert.equal((await secure.refused.take()).code, 'tls-plain-text');
  assert.match((await closed.take()).detail, /without a message; it may want TLS/);

  const open = await listener(t, undefined);
  await assert.rejects(connectChannel(open.address, quiet, { tls: { credentials: hostB } }), { code: 'tls-cut' });
  const reason = await open.closed.take();
  assert.equal(reason.kind, 'bad-message');
  assert.match(reason.detail, /the peer speaks TLS, and this side does not/);
});

test('a client that shows no certificate, or speaks TLS 1.2, or nothing sensible, gets no channel', async (t) => {
  const { refused, accepted, address } = await listener(t, { credentials: hostA });
  const attempt = async (options: tls.ConnectionOptions) => {
    const socket = tls.connect({ ...address, ca: authority.pair.certificate, ...options });
    const errors: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    return errors;
  };
  await attempt({ ALPNProtocols: ['understudy-channel/1'] });
  assert.equal((await refused.take()).code, 'tls-no-certificate');
  const old = { ...contextOptions(hostB), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  assert.deepEqual(await attempt(old), ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION']);
  assert.equal((await refused.take()).code, 'tls-version');
  await attempt(contextOptions(hostB)); // a TLS connection that was meant for something else
  assert.match((await refused.take()).message, /understudy-channel/);
  const garbage = net.connect(address);
  garbage.on('error', () => {});
  garbage.end(Buffer.alloc(5000, 0xa5));
  await once(garbage, 'close');
  assert.ok((await refused.take()).code.startsWith('tls-'));
  assert.equal(accepted.waiting, 0);
});

test('a client that speaks no version of TLS but an old one is told from one that cannot be reached', async (t) => {
  const old = tls.createServer({ ...contextOptions(hostA), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  old.on('tlsClientError', () => {});
  old.listen(0, '127.0.0.1');
  await once(old, 'listening');
  t.after(() => old.close());
  const { port } = old.address() as net.AddressInfo;
  await assert.rejects(connectChannel({ host: '127.0.0.1', port }, quiet, { tls: { credentials: hostB } }), {
    code: 'tls-version',
  });
});

test('no session is ever resumed: each connection shows its certificates anew', async (t) => {
  const { accepted, address } = await listener(t, { credentials: hostA });
  const connect = async (session: Buffer | undefined) => {
    const options = { ...contextOptions(hostB), ALPNProtocols: ['understudy-channel/1'] };
    const socket = tls.connect({ ...address, ...options, ...(session === undefined ? {} : { session }) });
    t.after(() => socket.destroy());
    const sessions = new Arrivals<Buffer>();
    socket.on('session', sessions.put);
    await once(socket, 'secureConnect');
    await accepted.take();
    return { socket, session: await sessions.take() };
  };
  const first = await connect(undefined);
  const second = await connect(first.session);
  assert.equal(second.socket.isSessionReused(), false);
});

test('connections that say nothing neither keep a true peer out nor stay', async (t) => {
  const { accepted, refused, address } = await listener(t, { credentials: hostA });
  const silent: net.Socket[] = [];
  for (let count = 0; count < 100; count++) {
    const socket = net.connect(address).on('error', () => {});
    await once(socket, 'connect');
    silent.push(socket);
  }
  t.after(() => silent.map((socket) => socket.destroy()));
  const near = await connectChannel(address, quiet, { tls: { credentials: hostB } });
  await accepted.take();
  near.abort();
  for (let count = 0; count < 37; count++) assert.equal((await refused.take()).code, 'tls-cut');
});

test('a certificate that is renewed is shown to the next peer, and files out of order are not used', async (t) => {
  const problems = new Arrivals<string>();
  const { Credentials } = await import('../tls/credentials.ts');
  const renewing = Credentials.load(await authority.files('renewed'), problems.put);
  const { address } = await listener(t, { credentials: renewing });
  const shown = async () => {
    const channel = await connectChannel(address, quiet, { tls: { credentials: hostB } });
    channel.abort();
    return channel.identity?.fingerprint;
  };
  const first = await shown();
  const { fingerprint: second } = (await authority.host('renewed')).current; // the same files, written again
  assert.notEqual(second, first);
  assert.equal(await shown(), second);
  await authority.files('renewed', { validity: validity(-9, -1) });
  assert.equal(await shown(), second);
  assert.match(await problems.take(), /renewed TLS files are not used: .* expired/);
});
