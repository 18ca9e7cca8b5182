/** A scratch directory for the tests of the house: files by their paths, and programs run in it. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** The repository that these tests are part of. */
export const root = join(import.meta.dirname, '../..');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with nothing on its standard input. */
export async function runProgram(
  program: string,
  words: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

/** A program of node_modules/.bin. */
export function tool(name: string): string {
  return join(root, 'node_modules/.bin', name);
}

/** A directory that is removed after the test, with copies of files of the repository and files of its own. */
export async function makeTree(
  context: TestContext,
  contents: { readonly copies?: readonly string[]; readonly files?: Readonly<Record<string, string>> },
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-house-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  for (const path of contents.copies ?? []) {
    await cp(join(root, path), join(directory, path), { recursive: true });
  }
  for (const [path, content] of Object.entries(contents.files ?? {})) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  return directory;
}
