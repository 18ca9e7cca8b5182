import type { PrimaryRequest } from '../requests.ts';
import { runReplica } from './replica.ts';

/** `understudy primary`: the replica that runs the machine for real. */
export function primary(request: PrimaryRequest): Promise<number> {
  const { listen, create, alone } = request;
  return runReplica(request, { kind: 'primary', listen, create, alone });
}
