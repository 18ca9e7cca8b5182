/**
 * Tells the service manager how the daemon is (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. Node has
 * no unix datagrams, so systemd's own program `systemd-notify` sends it; hence NotifyAccess=all in the unit.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Does nothing where no service manager asks. Returns why it could not be told; undefined if all is well. */
export async function notifyManager(state: 'READY=1' | 'STOPPING=1'): Promise<string | undefined> {
  if (process.env.NOTIFY_SOCKET === undefined) return undefined;
  try {
    await promisify(execFile)('systemd-notify', [`--pid=${process.pid}`, state]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}
