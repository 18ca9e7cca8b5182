import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatingError } from '../../core/base/error.ts';
import { choosePort } from './ports.ts';
import { serve } from './testing.ts';

const option = '--redis-port';

test('a usual port that is taken gives way to a free one', async (context) => {
  const taken = await serve(context, () => {});
  const chosen = await choosePort({ wanted: undefined, usual: taken, option });
  assert.notEqual(chosen, taken);
  assert.equal(await choosePort({ wanted: undefined, usual: chosen, option }), chosen);
});

test('a port that the user named is refused when it is taken, with the option that changes it', async (context) => {
  const taken = await serve(context, () => {});
  await assert.rejects(choosePort({ wanted: taken, usual: 6379, option }), (error) => {
    assert.ok(error instanceof OperatingError);
    assert.equal(error.code, 'port-in-use');
    assert.match(error.message, new RegExp(`port ${taken} on 127\\.0\\.0\\.1 is in use`));
    assert.match(error.advice ?? '', /--redis-port/);
    return true;
  });
});
