import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { decodeLetter, encodeLetter, type Letter } from './fixtures/letter.ts';
import { MailboxReceiver, MailboxSender, mailboxMemory, WAKE } from './mailbox.ts';

/** A small linear congruential generator: the same letters in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function letters(count: number, longest: number, random: () => number): Letter[] {
  return Array.from({ length: count }, (_, number) => {
    // Most are short, some do not fit, and some have no form as bytes.
    const length = random() < 0.9 ? Math.floor(random() * 2000) : Math.floor(random() * longest);
    return { number, asObject: random() < 0.1, content: new Uint8Array(length).fill(number & 255), last: false };
  });
}

/** Sends everything from a full event loop to a thread that sends it back, `atOnce` letters without a look at what returns. */
async function echoed(sent: readonly Letter[], atOnce: number): Promise<Letter[]> {
  const there = mailboxMemory();
  const back = mailboxMemory();
  const worker = new Worker(new URL('./fixtures/echo-thread.ts', import.meta.url), { workerData: { there, back } });
  const sender = new MailboxSender<Letter>(there, encodeLetter);
  const arrived: Letter[] = [];
  const receiver = new MailboxReceiver<Letter>(back, decodeLetter, () => arrived.shift());
  const got: Letter[] = [];
  const send = (letter: Letter): boolean => sender.send(letter, () => worker.postMessage(letter));
  let next = 0;
  const all = Promise.withResolvers<void>();
  const turn = (): void => {
    do {
      for (let letter = receiver.receive(); letter !== undefined; letter = receiver.receive()) got.push(letter);
    } while (!receiver.sleep());
    if (got.length === sent.length) return all.resolve();
    for (const until = Math.min(got.length + atOnce, sent.length); next < until; next++) send(sent[next]);
  };
  worker.on('message', (message: Letter | typeof WAKE) => {
    if (message !== WAKE) arrived.push(message);
    turn();
  });
  worker.on('error', all.reject);
  turn();
  await all.promise;
  send({ number: 0, asObject: false, content: new Uint8Array(0), last: true });
  await once(worker, 'exit');
  return got;
}

for (const { name, count, longest, atOnce } of [
  { name: 'one at a time, each wakes who sleeps', count: 2000, longest: 10_000, atOnce: 1 },
  { name: 'many at once, more than the ring holds', count: 6000, longest: 300_000, atOnce: 2000 },
]) {
  test(`messages arrive in order whichever way they take: ${name}`, async () => {
    const sent = letters(count, longest, seeded(7));
    const got = await echoed(sent, atOnce);
    assert.equal(got.length, sent.length);
    for (const [i, { number, content }] of got.entries()) {
      assert.equal(number, i);
      assert.equal(content.length, sent[i].content.length);
      assert.ok(content.every((byte) => byte === (i & 255)));
    }
  });
}

test('a full ring says so, loses nothing, and has room again when it was read', () => {
  const memory = mailboxMemory();
  const sender = new MailboxSender<Letter>(memory, encodeLetter);
  const fromPort: Letter[] = [];
  const receiver = new MailboxReceiver<Letter>(memory, decodeLetter, () => fromPort.shift());
  const content = new Uint8Array(100_000).fill(5);
  let number = 0;
  const send = (): boolean => {
    const letter = { number: number++, asObject: false, content, last: false };
    return sender.send(letter, () => fromPort.push(letter));
  };
  while (send());
  assert.ok(number > 5);
  send();
  for (let i = 0; i < number; i++) assert.equal(receiver.receive()?.number, i);
  assert.equal(receiver.receive(), undefined);
  assert.equal(receiver.isBehind, false);
  assert.ok(send());
  assert.deepEqual(receiver.receive()?.content, content);
});

test('who falls asleep is woken once, and not at all if something is there', () => {
  const memory = mailboxMemory();
  const sender = new MailboxSender<Letter>(memory, encodeLetter);
  const receiver = new MailboxReceiver<Letter>(memory, decodeLetter, () => undefined);
  const letter: Letter = { number: 1, asObject: false, content: new Uint8Array(3), last: false };
  const send = (): void => assert.ok(sender.send(letter, () => {}));
  send();
  assert.equal(sender.mustWake, false, 'nobody sleeps yet');
  assert.equal(receiver.sleep(), false);
  assert.ok(receiver.receive());
  assert.equal(receiver.sleep(), true);
  send();
  assert.equal(sender.mustWake, true);
  send();
  assert.equal(sender.mustWake, false);
});
