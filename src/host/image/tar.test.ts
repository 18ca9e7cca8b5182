import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readTar } from './tar.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'understudy-tar-'));
after(() => rmSync(directory, { recursive: true }));

const longName = `${'long-'.repeat(30)}name`;
mkdirSync(path.join(directory, 'in/sub'), { recursive: true });
writeFileSync(path.join(directory, 'in/sub/file'), 'contents', { mode: 0o640 });
writeFileSync(path.join(directory, 'in', longName), 'long');
linkSync(path.join(directory, 'in/sub/file'), path.join(directory, 'in/twin'));
symlinkSync('/somewhere/else', path.join(directory, 'in/link'));

/** What tar itself makes of the directory; names sorted, so that "sub/file" comes before its twin. */
function archive(format: string): Buffer {
  const flags = ['--sort=name', '--owner=12', '--group=34', '--mtime=@1700000000', '--numeric-owner'];
  return execFileSync('tar', ['-C', path.join(directory, 'in'), `--format=${format}`, ...flags, '-cf', '-', '.']);
}

for (const format of ['gnu', 'pax', 'posix']) {
  test(`an archive in ${format} format is read with all kinds of entries`, () => {
    const entries = new Map(readTar(archive(format), 'test').map((entry) => [entry.path, entry]));
    assert.deepEqual([...entries.keys()].sort(), ['', 'link', longName, 'sub', 'sub/file', 'twin']);
    const file = entries.get('sub/file')!;
    assert.equal(Buffer.from(file.data).toString(), 'contents');
    assert.deepEqual([file.kind, file.mode, file.uid, file.gid, file.mtimeS], ['file', 0o640, 12, 34, 1700000000]);
    assert.deepEqual([entries.get('twin')!.kind, entries.get('twin')!.target], ['hard-link', 'sub/file']);
    assert.deepEqual([entries.get('link')!.kind, entries.get('link')!.target], ['symlink', '/somewhere/else']);
    assert.equal(entries.get('sub')!.kind, 'directory');
    assert.equal(Buffer.from(entries.get(longName)!.data).toString(), 'long');
  });
}

test('damage is found: a changed header, a missing end', () => {
  const whole = archive('gnu');
  const changed = Buffer.from(whole);
  changed[100]! ^= 1;
  assert.throws(() => readTar(changed, 'the package'), { code: 'bad-package', message: /the package.*checksum/ });
  assert.throws(() => readTar(whole.subarray(0, 1024), 'the package'), { code: 'bad-package' });
});
