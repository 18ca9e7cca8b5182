/** The command `understudy` as a whole: its verbs, and how commander's own errors look. */
import { Command } from 'commander';
import { command as backup } from './verbs/backup.ts';
import { command as demo } from './verbs/demo.ts';
import { command as disk } from './verbs/disk.ts';
import { command as exec } from './verbs/exec.ts';
import { command as failover } from './verbs/failover.ts';
import { command as host } from './verbs/host.ts';
import { command as hub } from './verbs/hub.ts';
import { command as image } from './verbs/image.ts';
import { command as keys } from './verbs/keys.ts';
import { command as pair } from './verbs/pair.ts';
import { command as primary } from './verbs/primary.ts';
import { command as protect } from './verbs/protect.ts';
import { command as record } from './verbs/record.ts';
import { command as replay } from './verbs/replay.ts';
import { command as replica } from './verbs/replica.ts';
import { command as resume } from './verbs/resume.ts';
import { command as run } from './verbs/run.ts';
import { command as snapshot } from './verbs/snapshot.ts';
import { command as start } from './verbs/start.ts';
import { command as status } from './verbs/status.ts';
import { command as stop } from './verbs/stop.ts';
import { command as version } from './verbs/version.ts';

/** Verbs import what they run only when they run, so that this stays quick and a broken part breaks one verb. */
export function program(): Command {
  const root = new Command('understudy')
    .description(
      'Runs one unmodified Linux machine on two hosts at once: kill either, and the clients of the guest see a short pause.',
    )
    .addHelpText(
      'after',
      `
First steps:
  $ understudy demo                  see a failover on this host
  $ understudy image build           make a Debian guest
  $ understudy run machine.yaml      run it

"understudy help <verb>" explains each verb, with examples.
`,
    );
  root.commandsGroup('One machine:');
  for (const verb of [run(), snapshot(), resume(), record(), replay(), exec(), image()]) root.addCommand(verb);
  root.commandsGroup('A machine on two hosts:');
  for (const verb of [demo(), pair(), primary(), backup(), hub(), disk(), keys()]) root.addCommand(verb);
  root.commandsGroup('Machines on your hosts:');
  for (const verb of [host(), protect(), status(), failover(), stop(), start()]) root.addCommand(verb);
  root.addCommand(replica(), { hidden: true });
  root.commandsGroup('Other:').helpCommand('help [verb]', 'explain a verb');
  root.addCommand(version());
  applyHouseStyle(root);
  return root;
}

/** Errors begin with the program's name, end in an exception instead of an exit, and point at the help. */
function applyHouseStyle(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'understudy: ')),
    });
  if (command.parent !== null) {
    command.showHelpAfterError(`  "understudy ${pathOf(command)} --help" explains it.`);
  }
  for (const inner of command.commands) applyHouseStyle(inner);
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
