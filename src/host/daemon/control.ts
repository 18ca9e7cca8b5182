/**
 * A replica's control socket: a request is a line of JSON, and so is its answer. The socket is in a directory that only its user
 * can enter.
 */
import net from 'node:net';
import { createInterface } from 'node:readline';
import { OperatingError } from '../../core/base/error.ts';
import { connectTo, listenOn } from '../net/address.ts';
import { type ControlAnswer, type ControlRequest, controlAnswerSchema, controlRequestSchema } from './messages.ts';

const ANSWER_TIMEOUT_MS = 2000;

export async function serveControl(
  path: string,
  answer: (request: ControlRequest) => Promise<ControlAnswer>,
): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    // It repeats the errors of its socket, such as an answer to somebody who is gone.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (line) => {
      const request = controlRequestSchema.safeParse(jsonOf(line));
      const reply = request.success ? answer(request.data) : Promise.resolve(NOT_UNDERSTOOD);
      void reply.then((said) => socket.write(`${JSON.stringify(said)}\n`));
    });
  });
  await listenOn(server, { path });
  return server;
}

const NOT_UNDERSTOOD: ControlAnswer = { ok: false, code: 'bad-request', message: 'the request is not understood' };

/** Throws OperatingError `replica-silent` where nobody answers in time, or with the code that the replica gives. */
export function askReplica(path: string, request: ControlRequest): Promise<ControlAnswer & { ok: true }> {
  const socket = connectTo({ path });
  const silent = (why: string): OperatingError =>
    new OperatingError(
      'replica-silent',
      `the replica at ${path} does not answer: ${why}`,
      'Look at the log beside it.',
    );
  return new Promise<ControlAnswer & { ok: true }>((resolve, reject) => {
    const timer = setTimeout(() => reject(silent('its process may be stopped')), ANSWER_TIMEOUT_MS);
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('error', (error) => reject(silent(error.message)));
    socket.on('close', () => {
      clearTimeout(timer);
      reject(silent('it has ended'));
    });
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => {
        const { data } = controlAnswerSchema.safeParse(jsonOf(line));
        if (data === undefined) reject(silent('its answer is not understood'));
        else if (data.ok) resolve(data);
        else reject(new OperatingError(data.code, data.message, data.advice));
      });
  }).finally(() => socket.destroy());
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
