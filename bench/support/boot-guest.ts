/**
 * One boot on Understudy, as `understudy run` does it, in a process of its own: node bench/support/boot-guest.ts machine.yaml.
 * Prints one line of JSON (`BootReport`) the moment that the guest is ready, and ends.
 */
import { loadDescription } from '../../src/host/description/load.ts';
import { PlainRun } from '../../src/host/plain/plain-run.ts';
import { READY } from '../../test/integration/support/guest.ts';
import { threadUse } from './threads.ts';

export interface BootReport {
  /** Steps of the machine: retired instructions, traps, interrupts. */
  readonly steps: number;
  /** Of the CPU thread, building the machine included. */
  readonly cpuSeconds: number;
  /** That the CPU thread was ready to run and had no core. */
  readonly waitedSeconds: number;
}

const { promise, resolve } = Promise.withResolvers<void>();
let console = '';
const run = await PlainRun.start({
  description: await loadDescription(process.argv[2]),
  onConsole: (data) => {
    console += Buffer.from(data).toString('latin1');
    if (console.includes(READY)) resolve();
  },
  onNotice: () => {},
});
await Promise.race([promise, run.ended.then(() => Promise.reject(new Error(`the guest ended: ${console}`)))]);
const use = Object.entries(threadUse([process.pid])).find(([role]) => role.endsWith(', CPU thread'))?.[1];
if (use === undefined) throw new Error('the CPU thread is not in /proc');
const report: BootReport = { steps: Number(run.position), ...use };
process.stdout.write(`${JSON.stringify(report)}\n`);
await run.close();
