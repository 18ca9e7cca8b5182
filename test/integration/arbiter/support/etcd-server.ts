/** A real etcd (Debian's etcd-server), of one member or of several, on the loopback, in a temporary directory. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperatingError } from '../../../../src/core/base/error.ts';
import { EtcdClient, encodeText, rangeEnd } from '../../../../src/host/arbiter/etcd-client.ts';
import { type ArbiterServer, freePort, ServerProcess } from './server-process.ts';

export type EtcdServer = ArbiterServer & {
  readonly client: EtcdClient;
  /** With TLS: the certificate that it made for itself. */
  readonly certificate: string;
};

/** 'auto': a certificate that etcd makes for itself. PEM files: those, and clients must have a certificate of `ca`, too. */
export type EtcdTlsMode = 'auto' | { readonly ca: string; readonly cert: string; readonly key: string };

export async function startEtcd(options: { readonly tls?: EtcdTlsMode } = {}): Promise<EtcdServer> {
  const { tls } = options;
  const directory = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const words = [
    ...['--name', 'one', '--data-dir', join(directory, 'data')],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
    ...['--initial-cluster', `one=${peerUrl}`, ...tlsWords(tls)],
  ];
  const certificate = join(directory, 'data', 'fixtures', 'client', 'cert.pem');
  const newClient = (): EtcdClient =>
    new EtcdClient({
      members: [`127.0.0.1:${port}`],
      tls: tls === 'auto' ? { ca: certificate, cert: undefined, key: undefined } : tls,
      user: undefined,
      passwordFile: undefined,
      timeoutMs: 2000,
    });
  const isReady = async (): Promise<boolean> => {
    const client = newClient();
    const asked = client.call('kv/range', { key: encodeText('ready') });
    return asked
      .then(
        () => true,
        // With users, an anonymous question is refused by a server that is ready.
        (error: OperatingError) => error.code === 'arbiter-refuses',
      )
      .finally(() => client.close());
  };
  let server = new ServerProcess('etcd', words);
  await server.ready(isReady);
  const client = newClient();
  return {
    port,
    client,
    certificate,
    version: execFileSync('etcd', ['--version'], { encoding: 'utf8' }).split('\n')[0]!,
    newStore: async () => {
      const prefix = `test/${crypto.randomUUID()}`;
      return {
        addressAt: (at) => `etcd://127.0.0.1:${at}/${prefix}`,
        clear: async () => {
          await client.call('kv/deleterange', { key: encodeText(prefix), range_end: encodeText(rangeEnd(prefix)) });
        },
      };
    },
    kill: () => server.kill(),
    restart: async () => {
      server = new ServerProcess('etcd', words);
      await server.ready(isReady);
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    remove: async () => {
      client.close();
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function tlsWords(tls: EtcdTlsMode | undefined): readonly string[] {
  if (tls === undefined) return [];
  if (tls === 'auto') return ['--auto-tls'];
  const own = ['--cert-file', tls.cert, '--key-file', tls.key];
  return [...own, '--client-cert-auth', '--trusted-ca-file', tls.ca];
}

export type EtcdCluster = {
  /** Each member's port, for clients. */
  readonly ports: readonly number[];
  readonly members: readonly ServerProcess[];
  remove(): Promise<void>;
};

export async function startEtcdCluster(size: number): Promise<EtcdCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
  const places: { name: string; port: number; url: string; peerUrl: string }[] = [];
  for (let at = 0; at < size; at++) {
    const port = await freePort();
    const peerUrl = `http://127.0.0.1:${await freePort()}`;
    places.push({ name: `m${at}`, port, url: `http://127.0.0.1:${port}`, peerUrl });
  }
  const cluster = places.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const members = places.map(
    ({ name, url, peerUrl }) =>
      new ServerProcess('etcd', [
        ...['--name', name, '--data-dir', join(directory, name), '--initial-cluster', cluster],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ]),
  );
  for (const [at, { port }] of places.entries()) {
    await members[at]!.ready(async () => {
      const client = new EtcdClient({
        members: [`127.0.0.1:${port}`],
        tls: undefined,
        user: undefined,
        passwordFile: undefined,
        timeoutMs: 2000,
      });
      await client.call('kv/range', { key: encodeText('ready') }).finally(() => client.close());
      return true;
    });
  }
  return {
    ports: places.map(({ port }) => port),
    members,
    remove: async () => {
      for (const member of members) await member.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
