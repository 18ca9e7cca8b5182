import type { BackupRequest } from '../requests.ts';
import { runReplica } from './replica.ts';

/** `understudy backup`: the replica that follows, and goes on when the primary is gone. */
export function backup(request: BackupRequest): Promise<number> {
  const { primary, listen } = request;
  return runReplica(request, { kind: 'backup', primary, ...(listen !== undefined && { listen }) });
}
