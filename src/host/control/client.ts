/** Asks a running machine something by its control socket. */
import { OperatingError } from '../../core/base/error.ts';
import { connectTo, errorCode } from '../net/address.ts';
import { readLines } from './lines.ts';
import { answerSchema, type ControlAnswer, type ControlRequest } from './messages.ts';

type Done = Extract<ControlAnswer, { type: 'done' }>;
type Progress = Extract<ControlAnswer, { type: 'progress' }>['progress'];

/** Throws OperatingError if there is no machine, or if it says so. */
export function askMachine(
  path: string,
  request: ControlRequest,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Done> {
  const socket = connectTo({ path });
  const answer = new Promise<Done>((resolve, reject) => {
    const gone = (why: string): void => reject(noAnswer(path, why));
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('error', (error) => gone(errorCode(error) || error.message));
    socket.on('close', () => gone('it has ended'));
    readLines(
      socket,
      (line) => {
        const said = understood(line);
        if (said === undefined) gone('its answer is not understood');
        else if (said.type === 'progress') onProgress(said.progress);
        else if (said.type === 'done') resolve(said);
        else reject(new OperatingError(said.code, said.message, said.advice));
      },
      () => gone('its answer is not understood'),
    );
  });
  return answer.finally(() => socket.destroy());
}

function understood(line: string): ControlAnswer | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function noAnswer(path: string, why: string): OperatingError {
  return new OperatingError(
    'control-unreachable',
    `no machine answers at ${path}: ${why}`,
    'Name the socket that the machine was started with (--control unix:PATH), or replicas/NAME/machine in the state directory of its host.',
  );
}
