/**
 * Pieces: batches of pages of RAM as bytes, for a snapshot's file and for the making of a new backup. Pages are named by runs
 * (page numbers count from the run before), pages of zeroes are only named, and the rest may be compressed by a function of
 * the host, where that pays. A CRC-32C stands at the end.
 *
 *     "UMPG" version(u8) method(u8) runs(varint) { gap(varint) count*2+zero(varint) } stored(varint) bytes crc32c(u32)
 *
 * Building and opening come in two halves, with the compression between them, so that it may be done elsewhere meanwhile.
 * Reading trusts nothing: checksum first, every count against its limit before anything is made of it.
 */
import { ByteReader, MalformedError } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { crc32c } from '../base/crc32c.ts';
import { isZero } from '../base/zeroes.ts';
import { MAX_RAM_BYTES, PAGE_BYTES } from '../machine/memory-map.ts';

const MAGIC = [0x55, 0x4d, 0x50, 0x47];
const VERSION = 1;
const STORED = 0;
const ZSTANDARD = 1;

/** Pages with content in one piece: 8 MiB. Pages of zeroes do not count. */
export const MAX_PIECE_PAGES = 2048;
/** Pages looked at for one piece, at most, as a multiple of its limit: zero pages cost a look, too. */
const LOOKS = 4;
/** The longest piece in bytes: its pages as they are, and a run for each of as many pages as there can be. */
export const MAX_PIECE_BYTES: number = MAX_PIECE_PAGES * PAGE_BYTES + (MAX_RAM_BYTES / PAGE_BYTES) * 8 + 64;

export interface PageRun {
  readonly first: number;
  readonly count: number;
  readonly zero: boolean;
}

/** Pages on their way into a piece. */
export interface GatheredPages {
  readonly runs: readonly PageRun[];
  /** The content of the pages that are not zero, one after the other. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/**
 * Reads pages (in ascending order) for one piece, from `pages[from]` on, until it holds `limit` pages with content; `next` is
 * the index of the first page that has no place in it. `read` may give a view of memory that changes meanwhile.
 */
export function gatherPages(
  pages: Uint32Array,
  from: number,
  read: (page: number) => Uint8Array,
  limit: number = MAX_PIECE_PAGES,
): { readonly gathered: GatheredPages; readonly next: number } {
  const runs: { first: number; count: number; zero: boolean }[] = [];
  const chunks = new Uint8Array(Math.min(limit, pages.length - from) * PAGE_BYTES);
  let filled = 0;
  let next = from;
  const end = Math.min(pages.length, from + LOOKS * limit);
  for (; next < end; next++) {
    const page = pages[next]!;
    // A page that changes meanwhile is read once: what is looked at is what is sent.
    const place = filled < limit ? chunks.subarray(filled * PAGE_BYTES, (filled + 1) * PAGE_BYTES) : undefined;
    if (place === undefined) break;
    place.set(read(page));
    const zero = isZero(place);
    if (!zero) filled++;
    const last = runs.at(-1);
    if (last !== undefined && last.zero === zero && last.first + last.count === page) last.count++;
    else runs.push({ first: page, count: 1, zero });
  }
  return { gathered: { runs, content: chunks.subarray(0, filled * PAGE_BYTES) }, next };
}

/** The piece. `compressed` is the content by Zstandard; it is used if it is smaller. */
export function sealPiece({ runs, content }: GatheredPages, compressed?: Uint8Array): Uint8Array<ArrayBuffer> {
  const pays = compressed !== undefined && compressed.length < content.length;
  const stored = pays ? compressed : content;
  const writer = new ByteWriter(stored.length + runs.length * 6 + 64);
  for (const byte of MAGIC) writer.u8(byte);
  writer.u8(VERSION);
  writer.u8(pays ? ZSTANDARD : STORED);
  writer.varint(runs.length);
  let at = 0;
  for (const run of runs) {
    writer.varint(run.first - at);
    writer.varint(run.count * 2 + (run.zero ? 1 : 0));
    at = run.first + run.count;
  }
  writer.bytes(stored);
  writer.u32(crc32c(writer.peek()));
  return writer.take();
}

/** A piece whose frame is right, and whose content may have to be decompressed. */
export interface OpenedPiece {
  readonly runs: readonly PageRun[];
  /** Pages named by the runs, and bytes of content that they must have. */
  readonly pages: number;
  readonly contentBytes: number;
  readonly compressed: boolean;
  /** A view of the piece. */
  readonly stored: Uint8Array;
}

/** For a machine of `ramPages`. Throws MalformedError. */
export function openPiece(bytes: Uint8Array, ramPages: number): OpenedPiece {
  if (bytes.length > MAX_PIECE_BYTES) throw new MalformedError(0, `${bytes.length} bytes are too many for a piece`);
  if (bytes.length < 12) throw new MalformedError(0, `${bytes.length} bytes are too few for a piece`);
  const sealed = bytes.subarray(0, bytes.length - 4);
  if (MAGIC.some((byte, i) => sealed[i] !== byte)) throw new MalformedError(0, 'this is no piece of memory');
  if (crc32c(sealed) !== new ByteReader(bytes.subarray(sealed.length)).u32()) {
    throw new MalformedError(sealed.length, 'the checksum is wrong');
  }
  const reader = new ByteReader(sealed);
  reader.raw(MAGIC.length);
  const version = reader.u8();
  if (version !== VERSION) throw new MalformedError(4, `pieces have version ${VERSION}, not ${version}`);
  const method = reader.u8();
  if (method !== STORED && method !== ZSTANDARD) throw new MalformedError(5, `an unknown compression ${method}`);
  const { runs, pages, filled } = readRuns(reader, ramPages);
  const contentBytes = filled * PAGE_BYTES;
  const stored = reader.bytes(contentBytes);
  reader.end();
  if (method === STORED && stored.length !== contentBytes) {
    throw new MalformedError(reader.offset, `${filled} pages do not have ${stored.length} bytes`);
  }
  return { runs, pages, contentBytes, compressed: method === ZSTANDARD, stored };
}

function readRuns(reader: ByteReader, ramPages: number): { runs: PageRun[]; pages: number; filled: number } {
  const runs: PageRun[] = [];
  let at = 0;
  let pages = 0;
  let filled = 0;
  for (let left = reader.varint(Math.min(ramPages, reader.left)); left > 0; left--) {
    const start = reader.offset;
    const first = at + reader.varint(ramPages);
    const coded = reader.varint(ramPages * 2 + 1);
    const count = coded >>> 1;
    const zero = (coded & 1) === 1;
    if (count === 0 || first + count > ramPages) throw new MalformedError(start, `there are ${ramPages} pages only`);
    pages += count;
    if (!zero) filled += count;
    if (filled > MAX_PIECE_PAGES) throw new MalformedError(start, 'too many pages for a piece');
    runs.push({ first, count, zero });
    at = first + count;
  }
  return { runs, pages, filled };
}

const ZERO_PAGE = new Uint8Array(PAGE_BYTES);

/** Calls `visit` for each page of a piece; `content` is what was stored, decompressed. Throws MalformedError. */
export function visitPages(
  piece: OpenedPiece,
  content: Uint8Array,
  visit: (page: number, bytes: Uint8Array) => void,
): void {
  if (content.length !== piece.contentBytes) {
    throw new MalformedError(0, `${piece.contentBytes} bytes of pages were said, and ${content.length} are there`);
  }
  let at = 0;
  for (const { first, count, zero } of piece.runs) {
    for (let page = first; page < first + count; page++) {
      if (zero) visit(page, ZERO_PAGE);
      else {
        visit(page, content.subarray(at, at + PAGE_BYTES));
        at += PAGE_BYTES;
      }
    }
  }
}
