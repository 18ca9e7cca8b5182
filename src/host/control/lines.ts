/** Lines of a socket, of bounded length. */
import type { Socket } from 'node:net';
import { MAX_LINE_BYTES } from './messages.ts';

/** Calls `onLine` for each; a line that is too long is given to `onTooLong`, and nothing more is read. */
export function readLines(socket: Socket, onLine: (line: string) => void, onTooLong: () => void): void {
  let rest = Buffer.alloc(0);
  let over = false;
  socket.on('data', (data: Buffer) => {
    if (over) return;
    rest = Buffer.concat([rest, data]);
    for (let end = rest.indexOf(10); end >= 0 && end <= MAX_LINE_BYTES; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8');
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    if (rest.length <= MAX_LINE_BYTES) return;
    over = true;
    onTooLong();
  });
}
