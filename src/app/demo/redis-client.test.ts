import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { RedisClient } from './redis-client.ts';
import { serve } from './testing.ts';

test('answers of every kind reach their requests in order, however the bytes are cut', async (context) => {
  const answers = '+OK\r\n:42\r\n$5\r\na\r\nb\r\r\n$-1\r\n-ERR no such thing\r\n$0\r\n\r\n';
  const port = await serve(context, async (socket) => {
    socket.setNoDelay(true);
    await once(socket, 'data');
    for (const byte of answers) await new Promise<void>((resolve) => socket.write(byte, () => setImmediate(resolve)));
  });
  const client = await RedisClient.connect(port);
  context.after(() => client.close());
  const replies = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map((word) => client.request('ECHO', word)));
  assert.deepEqual(
    replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : String(reply.reason.message))),
    ['OK', 42, 'a\r\nb\r', undefined, 'redis says: ERR no such thing', ''],
  );
});

test('a request is an array of bulk strings, their lengths in bytes', async (context) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const port = await serve(context, (socket) => {
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.write('+OK\r\n');
    });
  });
  const client = await RedisClient.connect(port);
  context.after(() => client.close());
  assert.equal(await client.request('SET', 'k', 'ü'), 'OK');
  assert.equal(await promise, '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nü\r\n');
});

test('a connection that ends rejects what waits and all that comes later', async (context) => {
  const port = await serve(context, (socket) => socket.once('data', () => socket.end()));
  const client = await RedisClient.connect(port);
  await assert.rejects(client.request('PING'), /the connection was closed/);
  await assert.rejects(client.request('PING'), /the connection was closed/);
});

test('an answer that is none of redis breaks the connection', async (context) => {
  const port = await serve(context, (socket) => socket.once('data', () => socket.write('HTTP/1.1 400\r\n')));
  const client = await RedisClient.connect(port);
  await assert.rejects(client.request('PING'), /not one of redis/);
});
