import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { buildImage } from './build-image.ts';
import { readImage } from './manifest.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-build-'));
after(() => rmSync(directory, { recursive: true }));
const cacheDir = path.join(directory, 'cache');
const nobody = `file://${directory}/nowhere`;

test('a build that fails leaves the image that was there, and nothing else', async () => {
  const outputDir = path.join(directory, 'images/demo');
  mkdirSync(outputDir, { recursive: true });
  writeFileSync(path.join(outputDir, 'image.json'), 'the older one');
  await assert.rejects(buildImage({ outputDir, cacheDir, mirror: nobody }), { code: 'mirror-unreachable' });
  assert.deepEqual(readdirSync(path.join(directory, 'images')), ['demo']);
  assert.equal(readFileSync(path.join(outputDir, 'image.json'), 'utf8'), 'the older one');
});

test('a file to be added that is not there is named before anything is fetched', async () => {
  const files = [{ from: path.join(directory, 'absent'), to: '/x' }];
  const outputDir = path.join(directory, 'none');
  await assert.rejects(buildImage({ outputDir, cacheDir, files, mirror: nobody }), {
    code: 'file-unreadable',
    message: /absent.*no such file/,
  });
});

test('a place that cannot be written is named', async () => {
  writeFileSync(path.join(directory, 'file'), '');
  const outputDir = path.join(directory, 'file/images/demo');
  await assert.rejects(buildImage({ outputDir, cacheDir, mirror: nobody }), { code: 'cannot-write', message: /file/ });
});

test('a cancelled build says so and leaves nothing', async () => {
  const outputDir = path.join(directory, 'cancelled/demo');
  const build = buildImage({ outputDir, cacheDir, mirror: nobody }, { signal: AbortSignal.abort() });
  await assert.rejects(build, { code: 'cancelled' });
  assert.deepEqual(readdirSync(path.join(directory, 'cancelled')), []);
});

test('a directory without a whole image is refused with its reason', async () => {
  const place = path.join(directory, 'half');
  mkdirSync(place);
  await assert.rejects(readImage(place), { code: 'file-unreadable', message: /image\.json is missing/ });
  writeFileSync(path.join(place, 'image.json'), '{"format": 0}');
  await assert.rejects(readImage(place), { code: 'file-unreadable', message: /another version/ });
  const files = {
    kernel: { bytes: 3, sha256: null },
    initramfs: { bytes: 3, sha256: null },
    'disk.img': { bytes: 3, sha256: null },
  };
  const manifest = {
    format: 1,
    inputs: '',
    suite: 'trixie',
    architecture: 'riscv64',
    mirror: '',
    kernelRelease: '',
    commandLine: '',
    modules: [],
    packages: {},
    files,
  };
  writeFileSync(path.join(place, 'image.json'), JSON.stringify(manifest));
  writeFileSync(path.join(place, 'kernel'), 'abc');
  writeFileSync(path.join(place, 'initramfs'), 'ab');
  await assert.rejects(readImage(place), { code: 'file-unreadable', message: /initramfs has another size/ });
});
