/** `understudy run`: one machine with its console here. */
import type { MachineStop } from '../../../core/vm/machine-interface.ts';
import { PlainRun, type PlainRunOptions } from '../../../host/plain/plain-run.ts';
import { Terminal } from '../../../host/plain/terminal.ts';
import { exitStatus } from '../failure.ts';
import type { RunRequest } from '../requests.ts';

/** Status 0 when the guest powers off. */
export function run({ description, engine, control, resume }: RunRequest): Promise<number> {
  return runWithConsole({
    description,
    engine,
    ...(control !== undefined && { control: { path: control } }),
    ...(resume !== undefined && { resume }),
  });
}

/** Runs a machine with its console in this terminal or on this process's pipes, to the end. */
export async function runWithConsole(options: Omit<PlainRunOptions, 'onConsole' | 'onNotice'>): Promise<number> {
  const terminal = new Terminal({ onInput: (data) => machine.type(data), onQuit: () => machine.powerOff() });
  const machine = await PlainRun.start({
    ...options,
    onConsole: (data) => terminal.write(data),
    onNotice: (line) => process.stderr.write(`understudy: ${line}\n`),
  });
  const quit = (): void => machine.powerOff();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, quit);
  terminal.open();
  try {
    return statusOf(await machine.ended);
  } finally {
    terminal.close();
    await machine.close();
  }
}

function statusOf(stop: MachineStop): number {
  if (stop.reason === 'fault') {
    process.stderr.write(`understudy: the machine stopped: ${stop.message}\n`);
    return exitStatus.failure;
  }
  if (stop.action === 'reset') process.stderr.write('understudy: the guest asked for a reboot; start it again\n');
  return exitStatus.success;
}
