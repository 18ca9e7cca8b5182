/** The two clients accuse whoever loses or repeats something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountingClient } from './counting-client.ts';
import { LineClient } from './line-client.ts';
import { serve } from './testing.ts';

async function faultOfStream(port: number): Promise<{ fault: string; client: LineClient }> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const client = await LineClient.connect({ port, onLine: () => {}, onFault: resolve });
  return { fault: await promise, client };
}

test('lines that follow each other are counted, however they are cut', async (context) => {
  const port = await serve(context, (socket) => {
    for (const part of ['li', 'ne 1\nline 2\nl', 'ine 3\n']) socket.write(part);
  });
  const numbers: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = await LineClient.connect({
    port,
    onLine: (number) => {
      numbers.push(number);
      if (number === 3) resolve();
    },
    onFault: assert.fail,
  });
  await promise;
  client.close();
  assert.deepEqual(numbers, [1, 2, 3]);
  assert.equal(client.fault, undefined);
});

for (const [what, text, expected] of [
  ['is missing', 'line 1\nline 3\n', 'line 2 was due, and "line 3" came'],
  ['comes twice', 'line 1\nline 1\n', 'line 2 was due, and "line 1" came'],
  ['is damaged', 'line 1\nlime 2\n', 'line 2 was due, and "lime 2" came'],
] as const) {
  test(`a line that ${what} is a fault`, async (context) => {
    const port = await serve(context, (socket) => socket.write(text));
    const { fault, client } = await faultOfStream(port);
    assert.equal(fault, expected);
    assert.equal(client.last, 1);
  });
}

test('a stream that ends is a fault', async (context) => {
  const port = await serve(context, (socket) => socket.end('line 1\n'));
  assert.equal((await faultOfStream(port)).fault, 'the connection was closed');
});

/** A redis that knows SET, INCR and GET, and answers the third INCR as told. */
function counterServer(third: string, get: () => string) {
  let count = 0;
  return (socket: import('node:net').Socket): void => {
    socket.on('data', (data) => {
      const verb = data.toString().split('\r\n')[2];
      if (verb === 'SET') socket.write('+OK\r\n');
      if (verb === 'INCR') socket.write(++count === 3 ? third : `:${count}\r\n`);
      if (verb === 'GET') socket.write(`$${get().length}\r\n${get()}\r\n`);
    });
  };
}

for (const [what, third, expected] of [
  ['falls back', ':2\r\n', '3 was due, and redis answered 2'],
  ['jumps ahead', ':4\r\n', '3 was due, and redis answered 4'],
  ['answers with an error', '-OOM\r\n', 'the connection broke: redis says: OOM'],
] as const) {
  test(`a counter that ${what} is a fault`, async (context) => {
    const port = await serve(
      context,
      counterServer(third, () => ''),
    );
    const { promise, resolve } = Promise.withResolvers<string>();
    const client = await CountingClient.connect(port, resolve);
    context.after(() => client.close());
    client.start();
    assert.equal(await promise, expected);
    assert.equal(client.value, 2);
  });
}

for (const [stored, fault] of [
  ['0', undefined],
  ['1', 'redis acknowledged 0, and holds 1'],
] as const) {
  test(`at the end a counter of 0 that is stored as ${stored} is ${fault === undefined ? 'right' : 'a fault'}`, async (context) => {
    const port = await serve(
      context,
      counterServer(':3\r\n', () => stored),
    );
    const client = await CountingClient.connect(port, () => {});
    context.after(() => client.close());
    await client.finish();
    assert.equal(client.fault, fault);
  });
}
