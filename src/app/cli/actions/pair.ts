/** `understudy pair`: both replicas and all around them on this host, with a line for whatever happens. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { Pair } from '../../../host/pair/pair.ts';
import { exitStatus } from '../failure.ts';
import type { PairRequest } from '../requests.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs until both replicas have ended (the guest powered off), or SIGINT or SIGTERM. */
export async function pair({ descriptionFile, description, stateDirectory }: PairRequest): Promise<number> {
  const file = resolve(descriptionFile);
  const state = resolve(stateDirectory ?? join(dirname(file), `understudy-${description.name}`));
  await mkdir(state, { recursive: true });
  const console = createWriteStream(join(state, 'console.log'), { flags: 'a' });
  const running = await Pair.start({
    descriptionFile: file,
    description,
    stateDirectory: state,
    onStatus: (member, line) => {
      if (line.type === 'console') console.write(Buffer.from(line.data, 'latin1'));
      else if (line.type === 'phase')
        say(`${member} ${line.pid}: generation ${line.generation}, ${line.phase} (${line.why})`);
      else if (line.type === 'halt') say(`${member} ${line.pid}: ended, ${line.message}`);
    },
    onNotice: (member, line) => {
      if (member === 'hub' || member === 'disk') say(`${member}: ${line}`);
    },
    onReplicaEnd: (member, { code, signal }) => say(`${member}: process ended (${signal ?? `status ${code}`})`),
  });
  say(`primary is process ${running.pid('primary')}, backup is process ${running.pid('backup')}`);
  say(`the guest's console is in ${join(state, 'console.log')}`);
  await Promise.race([running.ended(), untilToldToStop()]);
  await running.stop();
  console.end();
  return exitStatus.success;
}
