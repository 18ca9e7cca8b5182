/** `understudy host`: the daemon, until it is told to stop. Replicas go on without it. */
import { readFile } from 'node:fs/promises';
import { loadHostConfig } from '../../../host/daemon/host-config.ts';
import { HostDaemon } from '../../../host/daemon/host-daemon.ts';
import { openLog } from '../../../host/daemon/log.ts';
import { notifyManager } from '../../../host/daemon/notify.ts';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { exitStatus } from '../failure.ts';

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

export async function host(configFile: string): Promise<number> {
  const config = await loadHostConfig(configFile);
  const log = openLog(config.log, config.name);
  const toldToStop = untilToldToStop();
  const daemon = await HostDaemon.start(config, await ownVersion(), log);
  process.stdout.write(`host ${config.name} listens on ${daemon.address}\n`);
  const problem = await notifyManager('READY=1');
  if (problem !== undefined) log.warn(`the service manager cannot be told that this host is ready: ${problem}`);
  log.info(await toldToStop);
  await notifyManager('STOPPING=1');
  await daemon.close();
  log.info('stopped; replicas go on');
  return exitStatus.success;
}
