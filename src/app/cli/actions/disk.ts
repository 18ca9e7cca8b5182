/** `understudy disk`: the disk server, in a process of its own. */
import { mkdir } from 'node:fs/promises';
import { openArbiter } from '../../../host/arbiter/open.ts';
import { startDiskServer } from '../../../host/disk/server.ts';
import { formatAddress } from '../../../host/net/address.ts';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { exitStatus } from '../failure.ts';
import type { DiskRequest } from '../requests.ts';
import { openSecurity } from './security.ts';

/** Runs until SIGTERM, SIGINT, or the end of its parent. */
export async function disk({ file, listen, stateDirectory, machine, arbiter, security }: DiskRequest): Promise<number> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const tls = openSecurity(security, [listen], say);
  await mkdir(stateDirectory, { recursive: true });
  const server = await startDiskServer({
    path: file,
    vm: machine,
    listen: [listen],
    tls,
    arbiter: arbiter === undefined ? undefined : await openArbiter(arbiter, { allowLocal: true }),
    stateDir: stateDirectory,
    onProblem: say,
    onEvent: say,
  });
  process.stdout.write(`the disk server listens on ${server.addresses.map(formatAddress).join(', ')}\n`);
  await untilToldToStop();
  await server.close();
  return exitStatus.success;
}
