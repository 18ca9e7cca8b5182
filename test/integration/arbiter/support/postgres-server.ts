/**
 * A real PostgreSQL (Debian's postgresql) on the loopback, in a temporary directory. It refuses to run as root; then another
 * user runs it.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type ArbiterServer, freePort, ServerProcess } from './server-process.ts';

export type PostgresServer = ArbiterServer & {
  /** Runs SQL as the superuser, with a connection of its own. */
  sql(text: string): Promise<pg.QueryResult>;
};

const LIBRARY = '/usr/lib/postgresql';

export type PostgresOptions = {
  /** Of postgresql.conf, such as `fsync=off`. */
  readonly settings?: readonly string[];
  /** PEM files: TLS, on which all but the superuser need a password and a certificate of `ca`. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
};

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { settings = [], tls } = options;
  const programs = programDirectory();
  const directory = mkdtempSync(join(tmpdir(), 'understudy-postgres-'));
  const data = join(directory, 'data');
  const as = otherUser(directory);
  const inItsName = (program: string, words: readonly string[]): [string, string[]] =>
    as.length === 0 ? [program, [...words]] : [as[0]!, [...as.slice(1), program, ...words]];
  const words = ['--pgdata', data, '--username', 'postgres', '--auth', 'trust', '--no-sync', '--no-locale'];
  execFileSync(...inItsName(join(programs, 'initdb'), [...words, '--encoding', 'UTF8']), { stdio: 'pipe', cwd: '/' });
  const tlsSettings = tls === undefined ? [] : useTls(data, tls);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const all = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    ...tlsSettings,
    ...settings,
  ];
  const start = inItsName(join(programs, 'postgres'), ['-D', data, ...all.flatMap((setting) => ['-c', setting])]);
  const sql = async (text: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    return client.query(text).finally(() => client.end());
  };
  const isReady = async (): Promise<boolean> => (await sql('select 1')).rowCount === 1;
  let server = new ServerProcess(...start);
  await server.ready(isReady);
  return {
    port,
    sql,
    version: String((await sql('show server_version')).rows[0].server_version),
    newStore: async () => {
      const schema = `test_${crypto.randomUUID().replaceAll('-', '')}`;
      await sql(`create schema ${schema}`);
      return {
        addressAt: (at) => `postgres://postgres@127.0.0.1:${at}/postgres?options=-c%20search_path%3D${schema}`,
        clear: async () => {
          await sql(`truncate ${schema}.understudy_arbiter`);
        },
      };
    },
    kill: () => server.kill(),
    restart: async () => {
      server = new ServerProcess(...start);
      await server.ready(isReady);
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    remove: async () => {
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Gives the server its certificate; returns the settings for it. */
function useTls(data: string, tls: NonNullable<PostgresOptions['tls']>): readonly string[] {
  writeFileSync(
    join(data, 'pg_hba.conf'),
    [
      'host all postgres 127.0.0.1/32 trust',
      'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
      '',
    ].join('\n'),
  );
  for (const name of ['ca', 'cert', 'key'] as const) {
    const copy = join(data, `${name}.pem`);
    copyFileSync(tls[name], copy);
    chmodSync(copy, 0o600);
    const { uid, gid } = statSync(data);
    chownSync(copy, uid, gid);
  }
  return ['ssl=on', 'ssl_cert_file=cert.pem', 'ssl_key_file=key.pem', 'ssl_ca_file=ca.pem'];
}

/** The newest of the versions that Debian has put side by side. */
function programDirectory(): string {
  const versions = existsSync(LIBRARY) ? readdirSync(LIBRARY) : [];
  const newest = versions.sort((one, two) => Number(two) - Number(one))[0];
  if (newest === undefined) throw new Error('PostgreSQL is not installed (Debian: apt-get install postgresql)');
  return join(LIBRARY, newest, 'bin');
}

/** How root becomes somebody else, who gets the directory; nothing where we are no root. */
function otherUser(directory: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const [uid, gid] = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' })));
  chownSync(directory, uid!, gid!);
  chmodSync(directory, 0o700);
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}
