/** The pieces of a state transfer as the CPU thread takes them in (vm/page-pieces.ts), with the host's decompression. */
import { MalformedError } from '../base/byte-reader.ts';
import type { ReplicatedMachine } from '../vm/machine-interface.ts';
import { openPiece, visitPages } from '../vm/page-pieces.ts';
import type { InstallPiece } from './cpu-copy.ts';

/** Undoes the compression of a piece whose content has `length` bytes; throws anything on bytes that make no sense. */
export type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

export function pieceInstaller(decompress: Decompress): InstallPiece {
  return (machine: ReplicatedMachine, bytes: Uint8Array): void => {
    const piece = openPiece(bytes, machine.ramPages);
    visitPages(piece, contentOf(piece, decompress), (page, content) => machine.writePage(page, content));
  };
}

function contentOf(piece: ReturnType<typeof openPiece>, decompress: Decompress): Uint8Array {
  if (!piece.compressed) return piece.stored;
  try {
    return decompress(piece.stored, piece.contentBytes);
  } catch {
    throw new MalformedError(0, 'a compressed piece cannot be decompressed');
  }
}
