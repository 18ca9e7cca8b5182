/** `understudy pair`: both replicas and all around them on this host, with a line for whatever happens. */
import { createWriteStream } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperatingError } from '../../../core/base/error.ts';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { makeStateDirectory, Pair } from '../../../host/pair/pair.ts';
import { exitStatus } from '../failure.ts';
import type { PairRequest } from '../requests.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs until both replicas have ended (the guest powered off), or SIGINT or SIGTERM. Throws if both ended badly. */
export async function pair({ engine, descriptionFile, description, stateDirectory }: PairRequest): Promise<number> {
  const file = resolve(descriptionFile);
  const state = resolve(stateDirectory ?? join(dirname(file), `understudy-${description.name}`));
  await makeStateDirectory(state);
  const console = createWriteStream(join(state, 'console.log'), { flags: 'a' });
  let well = false;
  const running = await Pair.start({
    descriptionFile: file,
    engines: { primary: engine, backup: engine },
    description,
    stateDirectory: state,
    onStatus: (member, line) => {
      if (line.type === 'console') console.write(Buffer.from(line.data, 'latin1'));
      else if (line.type === 'phase')
        say(`${member} ${line.pid}: generation ${line.generation}, ${line.phase} (${line.why})`);
      else if (line.type === 'halt') say(`${member} ${line.pid}: ended, ${line.message}`);
    },
    onNotice: (member, line) => {
      // What a replica reports as its phase has been said already.
      if (!line.startsWith('generation ')) say(`${member}: ${line}`);
    },
    onReplicaEnd: (member, { code, signal }) => {
      if (code === 0) well = true;
      say(`${member}: process ended (${signal ?? `status ${code}`})`);
    },
  });
  say(`primary is process ${running.pid('primary')}, backup is process ${running.pid('backup')}`);
  say(`the guest's console is in ${join(state, 'console.log')}`);
  const end = await Promise.race([running.ended(), untilToldToStop()]);
  await running.stop();
  console.end();
  if (end === undefined && !well) {
    throw new OperatingError('pair-lost', `both replicas of ${description.name} have ended, neither of them well`);
  }
  return exitStatus.success;
}
