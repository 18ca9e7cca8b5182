/**
 * Reads tar archives, the payload of Debian packages: ustar headers (POSIX.1-1988) with the GNU long-name entries ('L', 'K')
 * and the pax records 'path' and 'linkpath' (POSIX.1-2001, "pax Interchange Format"). Only what dpkg accepts is needed: files, directories, links and
 * character devices.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

export interface TarEntry {
  /** Relative path without a leading "./" or trailing slash; '' is the archive's root. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hard-link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeS: number;
  /** The target of a link: text for a symbolic one, a path in the archive for a hard one. */
  readonly target: string;
  /** A view of the archive's own bytes, empty for all but files. */
  readonly data: Uint8Array;
}

const blockBytes = 512;
const decoder = new TextDecoder();

/** All entries of an archive, in its order. Throws `bad-package` on damage; `name` is what the message calls the archive. */
export function readTar(archive: Uint8Array, name: string): TarEntry[] {
  const entries: TarEntry[] = [];
  let longPath: string | undefined;
  let longTarget: string | undefined;
  let offset = 0;
  while (offset + blockBytes <= archive.length) {
    const header = archive.subarray(offset, offset + blockBytes);
    if (header.every((byte) => byte === 0)) return entries;
    if (!checksumHolds(header)) throw damaged(name, `the header at byte ${offset} has a wrong checksum`);
    const size = number(header, 124, 12);
    const start = offset + blockBytes;
    if (start + size > archive.length) throw damaged(name, `it ends inside the entry at byte ${offset}`);
    const data = archive.subarray(start, start + size);
    offset = start + Math.ceil(size / blockBytes) * blockBytes;

    const type = String.fromCharCode(header[156]!);
    if (type === 'L') longPath = text(data, 0, data.length);
    else if (type === 'K') longTarget = text(data, 0, data.length);
    else if (type === 'x') {
      const records = paxRecords(data);
      longPath = records.get('path') ?? longPath;
      longTarget = records.get('linkpath') ?? longTarget;
    } else if (type !== 'g') {
      entries.push(entry(header, type, data, longPath, longTarget, name));
      longPath = undefined;
      longTarget = undefined;
    }
  }
  throw damaged(name, 'it has no end mark');
}

function entry(
  header: Uint8Array,
  type: string,
  data: Uint8Array,
  longPath: string | undefined,
  longTarget: string | undefined,
  name: string,
): TarEntry {
  const path = longPath ?? ustarPath(header);
  const kind = kinds[type];
  if (kind === undefined) throw damaged(name, `${path} has the type "${type}", which packages do not use`);
  const clean = path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  const normal = clean === '.' ? '' : clean;
  if (normal.split('/').includes('..')) throw damaged(name, `${path} leads out of the archive`);
  const target = longTarget ?? text(header, 157, 100);
  return {
    path: normal,
    kind,
    mode: number(header, 100, 8) & 0o7777,
    uid: number(header, 108, 8),
    gid: number(header, 116, 8),
    mtimeS: number(header, 136, 12),
    target: kind === 'hard-link' ? target.replace(/^(\.?\/)+/, '') : target,
    data: kind === 'file' ? data : data.subarray(0, 0),
  };
}

const kinds: Record<string, TarEntry['kind'] | undefined> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hard-link',
  '2': 'symlink',
  '5': 'directory',
};

function ustarPath(header: Uint8Array): string {
  const path = text(header, 0, 100);
  // GNU archives ("ustar  ") use the prefix field for other things.
  const posix = text(header, 257, 6) === 'ustar' && header[262] === 0;
  const prefix = posix ? text(header, 345, 155) : '';
  return prefix === '' ? path : `${prefix}/${path}`;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

/** A number field: octal digits, or base 256 when the first bit is set (GNU). */
function number(header: Uint8Array, at: number, length: number): number {
  if ((header[at]! & 0x80) === 0) return Number.parseInt(text(header, at, length).trim() || '0', 8);
  let value = header[at]! & 0x7f;
  for (let i = 1; i < length; i++) value = value * 256 + header[at + i]!;
  return value;
}

function checksumHolds(header: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  return sum === number(header, 148, 8);
}

/** Records of the form "LENGTH KEY=VALUE\n", LENGTH counting the whole record in bytes. */
function paxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const length = Number.parseInt(decoder.decode(data.subarray(at, space)), 10);
    if (space < 0 || !(length > 0)) break;
    const record = decoder.decode(data.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function damaged(name: string, why: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>(
    'bad-package',
    `the archive of ${name} cannot be read: ${why}`,
    'Remove the download cache and build again.',
  );
}
