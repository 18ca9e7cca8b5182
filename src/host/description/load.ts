/**
 * A machine description from its YAML file. Everything that is wrong is reported at once, each with the line it is on:
 *
 *     machine.yaml:3:9: memory: "512" has no unit: write 512M
 *         3 | memory: 512
 *           |         ^^^
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve as resolvePath } from 'node:path';
import { type Document, isCollection, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { OperatingError } from '../../core/base/error.ts';
import type { Description } from './description.ts';
import { formatPath, type Problem } from './problems.ts';
import { resolveDescription } from './resolve.ts';
import { isWrong, parseName } from './values.ts';

/** No honest description is longer; a disk image given by mistake is refused before it is read. */
const longestFileBytes = 256 * 1024;

export interface LoadOptions {
  /** False where the disk's file belongs to a disk server on another host: it is not looked at. Default true. */
  readonly diskIsHere?: boolean;
  /** False where no file of the machine is needed, as by its hub: none is looked at. Default true. */
  readonly filesAreHere?: boolean;
}

/**
 * Reads, checks and completes the description in the YAML file at `path`. Paths in it are relative to the file.
 * Throws OperatingError('description', ...) for whatever a user can get wrong.
 */
export async function loadDescription(path: string, options: LoadOptions = {}): Promise<Description> {
  const text = await readDescriptionFile(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const source: Source = { path, text, lines };
  if (document.errors.length > 0) {
    throw failure(
      path,
      document.errors.map((error) => excerpt(source, error.pos, firstLine(error.message))),
    );
  }
  const resolved = await resolveDescription(plainValue(document, source), {
    baseDirectory: dirname(resolvePath(path)),
    defaultName: nameFromFile(path),
    filesAreHere: options.filesAreHere ?? true,
    diskIsHere: options.diskIsHere ?? true,
  });
  if ('description' in resolved) return resolved.description;
  const placed = resolved.problems
    .map((problem) => ({ problem, range: rangeOf(document, problem) }))
    .sort((a, b) => a.range[0] - b.range[0]);
  throw failure(
    path,
    placed.map(({ problem, range }) => excerpt(source, range, `${formatPath(problem.path)}: ${problem.message}`)),
  );
}

function failure(path: string, blocks: readonly string[]): OperatingError<'description'> {
  const shown = blocks.slice(0, 10);
  if (blocks.length > shown.length) shown.push(`and ${blocks.length - shown.length} more`);
  const what = blocks.length === 1 ? '' : `${path} has ${blocks.length} errors:\n`;
  return new OperatingError('description', what + shown.join('\n'), 'docs/machine-description.md lists all keys.');
}

async function readDescriptionFile(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new OperatingError(
      'description',
      `the machine description ${path} ${why}`,
      'Give the path of a YAML file that describes a machine.',
      { cause },
    );
  try {
    const status = await stat(path);
    if (status.isDirectory()) throw refuse('is a directory');
    if (status.size > longestFileBytes) throw refuse(`has ${status.size} bytes: that is no description`);
    const bytes = await readFile(path);
    if (bytes.includes(0)) throw refuse('is a binary file');
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw refuse(code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`, error);
  }
}

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: LineCounter;
}

function firstLine(message: string): string {
  return message.split('\n')[0];
}

/** The document as plain data. An alias bomb, or a key that is no text, is the user's error too. */
function plainValue(document: Document.Parsed, source: Source): unknown {
  const contents = document.contents;
  if (contents === null) return {};
  if (!isMap(contents)) {
    throw failure(source.path, [
      excerpt(source, contents.range, 'a machine description is a mapping of keys to values'),
    ]);
  }
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    throw failure(source.path, [excerpt(source, [0, 0], error instanceof Error ? error.message : String(error))]);
  }
}

/** `web-1.yaml` names the machine `web-1`; a file name that is no machine name gives `machine`. */
function nameFromFile(path: string): string {
  const name = parseName(
    basename(path)
      .replace(/[.]ya?ml$/i, '')
      .toLowerCase()
      .replaceAll(/[_.]/g, '-'),
  );
  return isWrong(name) ? 'machine' : name;
}

type Range = readonly [start: number, end: number, ...rest: number[]];

/** Where in the text a problem is: its key, its value, or the nearest thing around it that the user wrote. */
function rangeOf(document: Document.Parsed, problem: Problem): Range {
  for (let depth = problem.path.length; depth > 0; depth--) {
    const path = problem.path.slice(0, depth);
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isCollection(parent)) continue;
    const key = isMap(parent)
      ? parent.items
          .map((pair) => pair.key)
          .find((node) => isScalar(node) && String(node.value) === String(path.at(-1)))
      : undefined;
    const value: unknown = parent.get(path.at(-1), true);
    const wantsKey = problem.at === 'key' && depth === problem.path.length;
    // A value that is a block of its own lines is better shown by its key.
    const node = wantsKey || !isScalar(value) ? (key ?? value) : value;
    if (isNode(node) && node.range)
      return node.range[0] === node.range[1] && isNode(key) && key.range ? key.range : node.range;
  }
  return [0, 0];
}

/** `file:line:column: message`, the line itself, and a row of carets under the range. */
function excerpt(source: Source, range: Range, message: string): string {
  const { line, col } = source.lines.linePos(range[0]);
  const start = source.lines.lineStarts[line - 1] ?? 0;
  const content = source.text.slice(start).split(/\r?\n/, 1)[0];
  const head = `${source.path}:${line}:${col}: ${message}`;
  if (content.trim() === '') return head;
  const width = Math.max(1, Math.min(range[1], start + content.length) - range[0]);
  const gutter = String(line).padStart(5);
  const indent = content.slice(0, col - 1).replaceAll(/[^\t]/g, ' ');
  return `${head}\n${gutter} | ${content}\n${' '.repeat(gutter.length)} | ${indent}${'^'.repeat(width)}`;
}
