import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedWork } from './shared-work.ts';

test('whoever asks while it is being done gets the same, and the next one has it done again', async () => {
  let done = 0;
  const look = sharedWork(async () => {
    await Promise.resolve();
    return ++done;
  });
  assert.deepEqual(await Promise.all([look(), look(), look()]), [1, 1, 1]);
  assert.equal(await look(), 2);
});

test('a failure is everybody’s who has asked, and is not kept', async () => {
  let tries = 0;
  const look = sharedWork(async () => {
    if (++tries === 1) throw new Error('away');
    return tries;
  });
  await Promise.all([look(), look()].map((asked) => assert.rejects(asked, /away/)));
  assert.equal(await look(), 2);
});
