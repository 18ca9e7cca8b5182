import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImageOptions, defaultImageOptions, parseAddedFile } from './options.ts';

test('no options are the demo image', () => {
  assert.deepEqual(checkImageOptions({}), defaultImageOptions);
  assert.equal(defaultImageOptions.demo, true);
  assert.equal(defaultImageOptions.diskSizeMiB, 1024);
});

test('every fault is named with its place, all at once', () => {
  const wrong = { packages: ['good', 'Not Good'], diskSizeMiB: 3, files: [{ from: 'x', to: 'relative' }], colour: 1 };
  assert.throws(
    () => checkImageOptions(wrong),
    (error: Error & { code?: string; advice?: string }) => {
      assert.equal(error.code, 'bad-options');
      assert.match(error.message, /packages\[1\] is not the name of a Debian package/);
      assert.match(error.message, /diskSizeMiB must be 64 or more/);
      assert.match(error.message, /files\[0\]\.to must be an absolute path/);
      assert.match(error.message, /colour/);
      assert.match(error.advice!, /--help/);
      return true;
    },
  );
});

test('a path that climbs is refused', () => {
  assert.throws(() => checkImageOptions({ files: [{ from: 'x', to: '/etc/../../x' }] }), { code: 'bad-options' });
});

test('host:guest:mode is taken apart', () => {
  assert.deepEqual(parseAddedFile('./tool:/usr/local/bin/tool:755'), {
    from: './tool',
    to: '/usr/local/bin/tool',
    mode: 0o755,
  });
  assert.deepEqual(parseAddedFile('/a/b:/c'), { from: '/a/b', to: '/c' });
  assert.deepEqual(parseAddedFile('odd:name:/c'), { from: 'odd:name', to: '/c' });
});

test('text that does not say where a file goes is refused', () => {
  for (const text of ['file', 'file:', 'file:relative', ':/x', 'file:/x:9', 'file:/x:']) {
    assert.throws(() => parseAddedFile(text), { code: 'bad-options' }, text);
  }
});
