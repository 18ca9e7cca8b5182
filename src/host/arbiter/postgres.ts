/**
 * The arbiter in PostgreSQL: one row a record, in one table (record-arbiter.ts has the records' names).
 *
 * A record is published by one insert: the primary key (vm, name) is the test-and-set, and the statement returns the row that
 * stands there afterwards, ours or the earlier one. An existing row is "updated" to what it is. That looks odd and is the point:
 * whoever learns what stands there, *lost* included, has committed a transaction of its own after the one that wrote it, so
 * the answer is as durable as a commit is: on disk, and at the synchronous standbys if there are any. Reads do the same, so a
 * former primary that its synchronous standby has left answers nothing. Read committed is isolation enough: rows never change
 * and never go, and what is asked of others than the inserted one is only that they exist.
 *
 * Each connection is looked at before it is used: `fsync` and `full_page_writes` must be on, the server no standby, the table not
 * unlogged. Commits are synchronous whatever the server's default is, as each connection sets that for itself.
 */
import net from 'node:net';
import pg from 'pg';
import { OperatingError } from '../../core/base/error.ts';
import type { Arbiter } from './arbiter.ts';
import { reasonOf } from './reason.ts';
import { parseRecord, RecordArbiter, type Records } from './record-arbiter.ts';

export type PostgresArbiterOptions = {
  /** postgres://user@host:port/database?...; a password may come from PGPASSWORD or a password file (PGPASSFILE) instead. */
  readonly url: string;
  /** Bound of one operation, in milliseconds. */
  readonly timeoutMs: number;
};

/**
 * Where the server is, in PostgreSQL's terms: `host` is a directory for a unix socket. Throws OperatingError `arbiter-refuses`
 * where a certificate's file cannot be read.
 */
export function postgresServer(url: string): { readonly host: string; readonly port: number } {
  try {
    const { host, port } = new pg.Client({ connectionString: url });
    return { host, port };
  } catch (error) {
    throw new OperatingError(
      'arbiter-refuses',
      `the address of the PostgreSQL arbiter cannot be used: ${reasonOf(error)}`,
      'Check its options, and the paths of certificates and keys in it.',
    );
  }
}

/** Does not wait for the server: whoever cannot reach it learns so by `trouble`. */
export function openPostgresArbiter({ url, timeoutMs }: PostgresArbiterOptions): Arbiter {
  return new RecordArbiter(new PostgresRecords(url, timeoutMs), timeoutMs + ENCLOSING_MS);
}

const ENCLOSING_MS = 500;

const CREATE_TABLE = `create table if not exists understudy_arbiter (
  vm text not null, name text not null, content text not null, written timestamptz not null default now(),
  primary key (vm, name))`;

const PUBLISH = `insert into understudy_arbiter as standing (vm, name, content)
  select $1, $2, $3 where $4::text is null or exists (select from understudy_arbiter where vm = $1 and name = $4)
  on conflict (vm, name) do update set content = standing.content
  returning content`;

const READ = 'update understudy_arbiter set content = content where vm = $1 and name = $2 returning content';

const NAMES = 'select name from understudy_arbiter where vm = $1 and starts_with(name, $2)';

/** `remote_apply` is more than `on`; all else is less. */
const SYNCHRONOUS = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') not in ('on', 'remote_apply')`;

const PROMISES = `select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
  pg_is_in_recovery() as standby, to_regclass('understudy_arbiter') is not null as table_exists,
  (select relpersistence::text from pg_class where oid = to_regclass('understudy_arbiter')) as persistence`;

type Promises = {
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly standby: boolean;
  readonly table_exists: boolean;
  readonly persistence: string | null;
};

type Connection = { readonly client: pg.Client; readonly socket: net.Socket; readonly tableExists: boolean };

/** A connection that has been idle for long may be dead at the other end, which costs a time-out: it is not kept. */
const IDLE_MS = 10_000;

const UNDEFINED_TABLE = '42P01';

class PostgresRecords implements Records {
  readonly description: string;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #where: string;
  #connection: Connection | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    const { host, port, database } = new pg.Client({ connectionString: url });
    this.#where = `PostgreSQL at ${host}:${port}`;
    this.description = `the arbiter ${this.#where}, database ${database}`;
  }

  makePlace(): Promise<void> {
    return this.#with(async ({ client, tableExists }) => {
      // Asked for only where it is missing: it needs the right to create, which whoever goes on need not have.
      if (!tableExists) await client.query(CREATE_TABLE).catch(unlessMadeByAnother);
    });
  }

  async publish(vm: string, name: string, content: object, beside: string | undefined): Promise<unknown> {
    return this.#content(PUBLISH, [vm, name, JSON.stringify(content), beside ?? null]);
  }

  read(vm: string, name: string): Promise<unknown> {
    return this.#content(READ, [vm, name]);
  }

  async names(vm: string, prefix: string): Promise<readonly string[]> {
    return (await this.#rows<{ name: string }>(NAMES, [vm, prefix])).map(({ name }) => name);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    this.#drop(this.#connection);
  }

  async #content(statement: string, values: readonly (string | null)[]): Promise<unknown> {
    const rows = await this.#rows<{ content: string }>(statement, values);
    return rows[0] === undefined ? undefined : parseRecord(rows[0].content);
  }

  /** Without the table there are no rows: nothing was created here yet. */
  #rows<Row extends pg.QueryResultRow>(statement: string, values: readonly (string | null)[]): Promise<Row[]> {
    return this.#with(async ({ client }) => {
      try {
        return (await client.query<Row>(statement, [...values])).rows;
      } catch (error) {
        if (sqlState(error) === UNDEFINED_TABLE) return [];
        throw error;
      }
    });
  }

  /** Runs `work` on the connection, made if there is none, within the time-out. A connection that failed is not used again. */
  async #with<Answer>(work: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    clearTimeout(this.#idle);
    const kept = this.#connection;
    const socket = kept?.socket ?? new net.Socket();
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), this.#timeoutMs);
    try {
      const connection = kept ?? (await this.#connect(socket));
      this.#connection = connection;
      return await work(connection);
    } catch (error) {
      socket.destroy();
      this.#drop(kept ?? this.#connection);
      throw error instanceof OperatingError ? error : this.#explain(error);
    } finally {
      clearTimeout(timer);
      this.#idle = setTimeout(() => this.#drop(this.#connection), IDLE_MS).unref();
    }
  }

  async #connect(socket: net.Socket): Promise<Connection> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'understudy',
      keepAlive: true,
      stream: () => socket,
    });
    // A connection that dies while nobody asks anything: the next question makes a new one.
    client.on('error', () => {
      if (this.#connection?.client === client) this.#drop(this.#connection);
    });
    await client.connect();
    const { rows } = await client.query<Promises>(PROMISES);
    const objection = objectionTo(rows[0]!);
    if (objection !== undefined) {
      throw new OperatingError(
        'arbiter-not-durable',
        `${this.#where} cannot be the arbiter: ${objection}`,
        'An answer of the arbiter must outlive a power failure: change that setting, or name another server.',
      );
    }
    await client.query(SYNCHRONOUS);
    return { client, socket, tableExists: rows[0]!.table_exists };
  }

  #drop(connection: Connection | undefined): void {
    if (connection === undefined) return;
    if (this.#connection === connection) this.#connection = undefined;
    connection.socket.destroy();
  }

  #explain(error: unknown): OperatingError {
    const state = sqlState(error);
    // Classes 28 (who are you), 3D (no such database), 42 (no right, or another table of this name).
    if (/^(28|3D|42)/.test(state)) {
      return new OperatingError(
        'arbiter-refuses',
        `${this.#where} refuses: ${reasonOf(error)}`,
        'Check user, password and database; the user needs to select, insert and update in the table understudy_arbiter, and to create it the first time.',
      );
    }
    return new OperatingError(
      'arbiter-away',
      `${this.#where} does not answer (${reasonOf(error)})`,
      'Look whether PostgreSQL runs there and can be reached from this host.',
    );
  }
}

function objectionTo(promises: Promises): string | undefined {
  if (promises.fsync !== 'on') return 'fsync is off';
  if (promises.full_page_writes !== 'on') return 'full_page_writes is off';
  if (promises.standby) return 'it is a standby, which cannot be written';
  if (promises.persistence !== null && promises.persistence !== 'p') {
    return 'its table understudy_arbiter is unlogged or temporary';
  }
  return undefined;
}

/** Two that create a table at the same time: one of them is told of the other by an error. */
function unlessMadeByAnother(error: unknown): void {
  const state = sqlState(error);
  if (state !== '42P07' && state !== '23505' && state !== '42710') throw error;
}

function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : '';
}
