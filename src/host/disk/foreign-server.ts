/**
 * What is asked of an NBD server that is not ours (PROTOCOL.md, 22). It knows nothing of generations: it has no fence, and
 * nobody but the arbiter keeps two primaries apart. It must promise CAN_MULTI_CONN, that a flush on one connection covers what was
 * answered on any other: else the backup's flush after a failover would not cover the dead primary's writes.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { BlockRequest } from '../../core/machine/doors.ts';
import type { DiskClientErrorCode } from './client.ts';
import { EXPORT_FLAG } from './nbd.ts';

/** For the log, once for each generation. */
export const NO_FENCE =
  'its server is not "understudy disk" and does not fence: after a failover, a write of the old primary that was under way can still land (docs/disks.md)';

/** Throws OperatingError `disk-refused` where the export cannot be a machine's disk. */
export function checkForeignExport(flags: number, { what, writes }: { what: string; writes: boolean }): void {
  const has = (flag: number) => (flags & flag) !== 0;
  if (writes && has(EXPORT_FLAG.readOnly)) {
    throw refused(`${what} is read-only`, 'Have the NBD server export it for writing.');
  }
  if (!has(EXPORT_FLAG.flush)) {
    throw refused(`${what} cannot be flushed`, 'Use an NBD server that has NBD_CMD_FLUSH.');
  }
  if (!has(EXPORT_FLAG.multiConnection)) {
    throw refused(
      `${what} does not promise that a flush covers all connections (NBD_FLAG_CAN_MULTI_CONN)`,
      'Two replicas need that. With qemu-nbd give --shared=0; with nbdkit leave out filters that take it away.',
    );
  }
}

/** The request in the commands that the server has. */
export function asSupported(request: BlockRequest, flags: number): BlockRequest {
  if (request.type !== 'write-zeroes' || (flags & EXPORT_FLAG.writeZeroes) !== 0) return request;
  const { id, offset, length } = request;
  return { type: 'write', id, offset, data: new Uint8Array(length) };
}

function refused(message: string, advice: string): OperatingError<DiskClientErrorCode> {
  return new OperatingError('disk-refused', message, advice);
}
