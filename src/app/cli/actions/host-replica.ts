import { ReplicaDirectory } from '../../../host/daemon/replica-directory.ts';
import { runHostReplica } from '../../../host/daemon/replica-main.ts';
import { exitStatus } from '../failure.ts';

/** `understudy replica`. */
export async function replica(path: string): Promise<number> {
  return (await runHostReplica(new ReplicaDirectory(path))) ? exitStatus.success : exitStatus.failure;
}
