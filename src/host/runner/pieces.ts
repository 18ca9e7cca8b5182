/**
 * Pieces of memory with Zstandard (level 1: about as fast as a disk, and guest memory is full of air), compressed by the thread
 * pool.
 */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { MalformedError } from '../../core/base/byte-reader.ts';
import { OperatingError } from '../../core/base/error.ts';
import type { StateErrorCode } from '../../core/devices/state.ts';
import type { ReplicatedMachine } from '../../core/vm/machine-interface.ts';
import { type GatheredPages, openPiece, sealPiece, visitPages } from '../../core/vm/page-pieces.ts';

const compressAsync = promisify(zstdCompress);
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The piece, compressed where that pays, without holding this thread up. */
export async function compressedPiece(gathered: GatheredPages): Promise<Uint8Array<ArrayBuffer>> {
  if (gathered.content.length === 0) return sealPiece(gathered);
  return sealPiece(gathered, await compressAsync(gathered.content, OPTIONS));
}

/** Writes a piece's pages into a machine that has not run. Throws OperatingError on bytes that make no sense. */
export function installPiece(machine: ReplicatedMachine, bytes: Uint8Array): void {
  try {
    const piece = openPiece(bytes, machine.ramPages);
    const content = piece.compressed ? decompressed(piece.stored, piece.contentBytes) : piece.stored;
    visitPages(piece, content, (page, pageBytes) => machine.writePage(page, pageBytes));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new OperatingError<StateErrorCode>(
      'state-malformed',
      `a piece of memory makes no sense at byte ${error.offset}: ${error.message}`,
      'It is damaged; take a new snapshot.',
      { cause: error },
    );
  }
}

/** Never more than was said, whatever the bytes are. */
function decompressed(stored: Uint8Array, length: number): Uint8Array {
  try {
    return zstdDecompressSync(stored, { maxOutputLength: Math.max(length, 1) });
  } catch (error) {
    throw new MalformedError(
      0,
      `the compressed pages do not come apart (${error instanceof Error ? error.message : ''})`,
    );
  }
}
