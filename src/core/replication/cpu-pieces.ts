/** The pieces of a state transfer as the CPU thread makes and takes them (vm/page-pieces.ts), with the host's decompression. */
import { MalformedError } from '../base/byte-reader.ts';
import type { ReplicatedMachine } from '../vm/machine-interface.ts';
import { gatherPages, openPiece, sealPiece, visitPages } from '../vm/page-pieces.ts';
import type { PieceCodec } from './cpu-copy.ts';

/** Undoes the compression of a piece whose content has `length` bytes; throws anything on bytes that make no sense. */
export type Decompress = (bytes: Uint8Array, length: number) => Uint8Array;

export function pagePieces(decompress: Decompress): PieceCodec {
  return {
    // Not compressed: the guest stands still meanwhile.
    encode(machine: ReplicatedMachine, pages: Uint32Array): Uint8Array<ArrayBuffer> {
      return sealPiece(gatherPages(pages, 0, (page) => machine.readPage(page)).gathered);
    },
    install(machine: ReplicatedMachine, bytes: Uint8Array): void {
      const piece = openPiece(bytes, machine.ramPages);
      visitPages(piece, contentOf(piece, decompress), (page, content) => machine.writePage(page, content));
    },
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
