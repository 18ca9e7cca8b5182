/**
 * The power of everything is cut under load: the guest's file system is whole, and every write that redis had acknowledged is there.
 * The same with a disk that does not flush shows that the test would notice. test/e2e/power-cut-campaign.ts does more rounds.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { buildImage } from '../../src/host/image/build-image.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';
import { DISK_KINDS } from './support/hosts-disk.ts';
import { whyNoPowerCut } from './support/power-cut.ts';
import { runPowerCut } from './support/power-cut-round.ts';

const skip = (await whyNoPowerCut()) ?? false;
let image: BuiltImage;
before(async () => {
  if (skip === false) image = await buildImage();
});

const LIMIT = { timeout: 400_000, skip };

for (const disk of DISK_KINDS) {
  test(`after a power cut of everything no flushed write of a ${disk} disk is lost`, LIMIT, async () => {
    const result = await runPowerCut({ image, disk, seed: 1, connections: 4, answers: 300 });
    assert.deepEqual(result.problems, []);
    assert.ok(result.acknowledgedWrites > 100);
  });
}

/** Programs that are started from here on are loaded with `file`. */
function withImport(t: TestContext, file: string): void {
  const words = ['--import', join(import.meta.dirname, file)];
  process.execArgv.push(...words);
  t.after(() => process.execArgv.splice(-words.length));
}

for (const disk of DISK_KINDS) {
  test(`a ${disk} disk that answers flushes without doing them loses writes, and that is seen`, LIMIT, async (t) => {
    withImport(t, 'support/lying-disk.ts');
    const outcome = await runPowerCut({ image, disk, seed: 2, connections: 4, answers: 300 }).then(
      ({ problems }) => problems.find((problem) => /lost|half there|fsck/.test(problem)),
      (error: unknown) => String(error).match(/the guest has not come up|refused|ECONNREFUSED/)?.[0],
    );
    assert.notEqual(outcome, undefined, 'writes without a flush survived a power cut');
  });
}
