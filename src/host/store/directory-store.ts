/**
 * The store in the arbiter's directory, for two hosts or a few.
 *
 *   <directory>/.store/leases/<key>              one file a lease, replaced by rename
 *   <directory>/.store/documents/<key>@<n>       one file a version of a document, published by link, as the arbiter's records
 *
 * (A slash in a key is a plus in the name.) The newest version counts; a change from version n is the publishing of n+1, which
 * only one can do. The last `KEPT_VERSIONS` versions stay: were n+1 removed at once, a writer that slept since it read n could
 * publish n+1 again. A removed document is a version without content.
 *
 * **Time** of a lease is the file server's: the age of a lease is the difference between the modification times of two files that
 * it wrote, the lease's and one made now. So the hosts' clocks need not agree.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { errorCode } from '../net/address.ts';
import { byKey, checkKey, checkValue, type Document, type Lease, NO_VERSION, type Store } from './store.ts';

const KEPT_VERSIONS = 64;
const VERSION_NAME = /^(.+)@(\d{1,15})$/;
/** A version may be removed between the listing and the reading; then there are newer ones to list. */
const MAX_TRIES = 20;

type Version = { readonly key: string; readonly number: number };

export class DirectoryStore implements Store {
  readonly description: string;
  readonly #leases: string;
  readonly #documents: string;

  private constructor(directory: string) {
    this.#leases = join(directory, '.store', 'leases');
    this.#documents = join(directory, '.store', 'documents');
    this.description = `the store in the directory ${directory}`;
  }

  /** In `directory`, which must exist. Throws OperatingError `store-away`. */
  static async open(directory: string): Promise<DirectoryStore> {
    const path = resolve(directory);
    const store = new DirectoryStore(path);
    await store.#telling(async () => {
      await stat(path);
      await mkdir(store.#leases, { recursive: true });
      await mkdir(store.#documents, { recursive: true });
    });
    return store;
  }

  putLease(key: string, value: string, ttlMs: number): Promise<void> {
    checkKey(key);
    checkValue(value);
    return this.#telling(async () => {
      const temporary = await writeTemporary(this.#leases, JSON.stringify({ value, ttlMs }));
      await rename(temporary, join(this.#leases, fileName(key)));
    });
  }

  dropLease(key: string): Promise<void> {
    checkKey(key);
    return this.#telling(() => unlinkIfThere(join(this.#leases, fileName(key))));
  }

  leases(prefix: string): Promise<readonly Lease[]> {
    return this.#telling(async () => {
      const nowMs = await this.#serverTimeMs();
      const found: Lease[] = [];
      for (const name of await readdir(this.#leases)) {
        if (name.startsWith('.') || !keyOf(name).startsWith(prefix)) continue;
        const lease = await readLease(join(this.#leases, name), nowMs);
        if (lease !== undefined) found.push({ key: keyOf(name), value: lease });
      }
      return found.sort(byKey);
    });
  }

  get(key: string): Promise<Document | undefined> {
    checkKey(key);
    return this.#telling(async () => (await this.#newest(key)).document);
  }

  compareAndSet(key: string, value: string | null, expected: string | null): Promise<{ version: string } | undefined> {
    checkKey(key);
    checkValue(value ?? '');
    return this.#telling(async () => {
      const { number, document } = await this.#newest(key);
      if ((document?.version ?? null) === expected) await this.#publish(key, number + 1, value);
      // What stands there now counts: the publishing may have been another's, or its answer lost.
      const standing = (await this.#newest(key)).document;
      if ((standing?.value ?? null) !== value) return undefined;
      return { version: standing?.version ?? NO_VERSION };
    });
  }

  list(prefix: string): Promise<readonly Document[]> {
    return this.#telling(async () => {
      const keys = new Set((await this.#versions()).map(({ key }) => key).filter((key) => key.startsWith(prefix)));
      const documents: Document[] = [];
      for (const key of keys) {
        const { document } = await this.#newest(key);
        if (document !== undefined) documents.push(document);
      }
      return documents.sort(byKey);
    });
  }

  async close(): Promise<void> {}

  /** The newest version's number (0: there never was one), and the document if that version is one. */
  async #newest(key: string): Promise<{ number: number; document: Document | undefined }> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const numbers = (await this.#versions()).filter((version) => version.key === key).map(({ number }) => number);
      const number = Math.max(0, ...numbers);
      if (number === 0) return { number, document: undefined };
      const text = await readIfThere(join(this.#documents, `${fileName(key)}@${number}`));
      if (text === undefined) continue;
      const { value } = JSON.parse(text) as { value: string | null };
      return { number, document: value === null ? undefined : { key, value, version: String(number) } };
    }
    throw new Error(`${key} changes faster than it can be read`);
  }

  async #versions(): Promise<Version[]> {
    const names = (await readdir(this.#documents)).map((name) => VERSION_NAME.exec(name));
    return names.flatMap((found) =>
      found === null || found[1]!.startsWith('.') ? [] : [{ key: keyOf(found[1]!), number: Number(found[2]) }],
    );
  }

  async #publish(key: string, number: number, value: string | null): Promise<void> {
    const temporary = await writeTemporary(this.#documents, JSON.stringify({ value }));
    const path = (at: number): string => join(this.#documents, `${fileName(key)}@${at}`);
    // Its answer decides nothing: what is read afterwards does.
    await link(temporary, path(number)).catch(() => {});
    await unlinkIfThere(temporary);
    await syncDirectory(this.#documents);
    if (number > KEPT_VERSIONS) await unlinkIfThere(path(number - KEPT_VERSIONS));
  }

  async #serverTimeMs(): Promise<number> {
    const probe = await writeTemporary(this.#leases, '.');
    const { mtimeMs } = await stat(probe);
    await unlinkIfThere(probe);
    return mtimeMs;
  }

  async #telling<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      throw new OperatingError(
        'store-away',
        `${this.description} cannot be used: ${errorCode(error) || String(error)}`,
        'Look at the mount and its server, and at the rights to the directory.',
        { cause: error },
      );
    }
  }
}

/** Its value, or undefined where it is over or gone. */
async function readLease(path: string, nowMs: number): Promise<string | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    const { value, ttlMs } = JSON.parse(await readFile(path, 'utf8')) as { value: string; ttlMs: number };
    return nowMs - mtimeMs < ttlMs ? value : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeTemporary(directory: string, text: string): Promise<string> {
  const path = join(directory, `.new-${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

function fileName(key: string): string {
  return key.replaceAll('/', '+');
}

function keyOf(name: string): string {
  return name.replaceAll('+', '/');
}
