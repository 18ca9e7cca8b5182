/**
 * How fast a machine boots: the demo image to its `understudy: ready`, on Understudy (a plain run) and on QEMU, in turn. Alone:
 *
 *     node bench/boot.ts [--pairs N] [--whole]
 *
 * --whole: with the kernel's self-tests and all else that the image's command line leaves out, about 2 G instructions.
 */
import { parseArgs } from 'node:util';
import { buildImage } from '../src/host/image/build-image.ts';
import type { BuiltImage } from '../src/host/image/manifest.ts';
import { Guest, READY } from '../test/integration/support/guest.ts';
import { makeMachineDirectory } from '../test/integration/support/machine-directory.ts';
import type { BootReport } from './support/boot-guest.ts';
import { median, spread, table } from './support/numbers.ts';
import { startQemu } from './support/qemu.ts';
import { threadUse } from './support/threads.ts';

export const WHOLE_COMMAND_LINE = 'console=ttyS0 root=/dev/vda rw';
const BOOT_GUEST = new URL('./support/boot-guest.ts', import.meta.url).pathname;

/** From the start of the process, seconds. */
export interface Boot {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface BootPair {
  readonly understudy: Boot & BootReport;
  readonly qemu: Boot;
}

export interface BootFigures {
  readonly commandLine: string;
  readonly pairs: readonly BootPair[];
}

async function bootUnderstudy(image: BuiltImage, commandLine: string): Promise<Boot & BootReport> {
  const machine = await makeMachineDirectory(image, { commandLine });
  const begun = performance.now();
  const guest = new Guest(process.execPath, [BOOT_GUEST, machine.descriptionFile]);
  try {
    await guest.says('\n');
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, ...(JSON.parse(guest.console) as BootReport) };
  } finally {
    await guest.ended;
    await machine.remove();
  }
}

async function bootQemu(image: BuiltImage, commandLine: string): Promise<Boot> {
  const machine = await makeMachineDirectory(image, { commandLine });
  const begun = performance.now();
  const guest = startQemu(image, machine, { kind: 'user' });
  try {
    await guest.says(READY);
    const seconds = (performance.now() - begun) / 1000;
    const cpuSeconds = Object.values(threadUse([guest.pid])).reduce((sum, use) => sum + use.cpuSeconds, 0);
    return { seconds, cpuSeconds };
  } finally {
    await guest.kill();
    await machine.remove();
  }
}

/** `count` pairs of boots, one after the other; undefined command line: the image's own. */
export async function measureBoot(image: BuiltImage, count: number, commandLine?: string): Promise<BootFigures> {
  const line = commandLine ?? image.manifest.commandLine;
  const pairs: BootPair[] = [];
  for (let i = 0; i < count; i++) {
    pairs.push({ understudy: await bootUnderstudy(image, line), qemu: await bootQemu(image, line) });
  }
  return { commandLine: line, pairs };
}

/** A Markdown table; medians, and ranges in brackets. */
export function showBoot({ pairs }: BootFigures): string {
  const ours = pairs.map((pair) => pair.understudy);
  const theirs = pairs.map((pair) => pair.qemu);
  const seconds = (boots: readonly Boot[]) =>
    spread(
      boots.map((boot) => boot.seconds),
      2,
    );
  const cpu = (boots: readonly Boot[]) =>
    spread(
      boots.map((boot) => boot.cpuSeconds),
      2,
    );
  const ratio = median(pairs.map((pair) => pair.understudy.seconds / pair.qemu.seconds));
  return table([
    ['', 'Understudy', 'QEMU (TCG)'],
    ['seconds to `understudy: ready`', seconds(ours), seconds(theirs)],
    ['ratio to QEMU (median of the pairs)', `${ratio.toFixed(2)} x`, '1'],
    ['CPU seconds (our CPU thread; all of QEMU)', cpu(ours), cpu(theirs)],
    [
      'CPU thread ready without a core, seconds',
      spread(
        ours.map((boot) => boot.waitedSeconds),
        2,
      ),
      '',
    ],
    [
      'guest instructions (steps), millions',
      spread(
        ours.map((boot) => boot.steps / 1e6),
        0,
      ),
      '',
    ],
    [
      'MIPS by CPU seconds',
      spread(
        ours.map((boot) => boot.steps / 1e6 / boot.cpuSeconds),
        0,
      ),
      '',
    ],
    [
      'MIPS by seconds of the clock',
      spread(
        ours.map((boot) => boot.steps / 1e6 / boot.seconds),
        0,
      ),
      '',
    ],
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { pairs: { type: 'string', default: '5' }, whole: { type: 'boolean', default: false } },
  });
  const figures = await measureBoot(
    await buildImage(),
    Number(values.pairs),
    values.whole ? WHOLE_COMMAND_LINE : undefined,
  );
  console.log(showBoot(figures));
}
