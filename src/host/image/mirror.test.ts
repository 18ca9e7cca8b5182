import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMirror, parseIndexTargets } from './mirror.ts';

/** Lines as "apt-get indextargets" prints them: address, release, component, origin, label. */
function choose(...lines: string[]): string | undefined {
  return chooseMirror(parseIndexTargets(`${lines.map((line) => line.replaceAll('|', '\t')).join('\n')}\n`));
}

test("the host's Debian mirror is taken, its other archives are not", () => {
  const chosen = choose(
    'https://packages.example.org/|stable|main|Example|Example',
    'http://security.debian.org/debian-security/|bookworm-security|main|Debian|Debian-Security',
    'http://mirror.example.org/debian/|bookworm|contrib|Debian|Debian',
    'http://mirror.example.org/debian/|bookworm|main|Debian|Debian',
    'http://other.example.org/debian/|bookworm-updates|main|Debian|Debian',
  );
  assert.equal(chosen, 'http://mirror.example.org/debian');
});

test('before the first update, when origins are unknown, the release names decide', () => {
  assert.equal(
    choose('http://archive.example.org/ubuntu/|noble|main||', 'http://mirror.example.org/debian/|bookworm|main||'),
    'http://mirror.example.org/debian',
  );
});

test('a derived system has no Debian mirror', () => {
  assert.equal(choose('http://archive.example.org/ubuntu/|noble|main|Ubuntu|Ubuntu'), undefined);
  assert.equal(choose(), undefined);
});

test('a medium that cannot hold another architecture is passed over', () => {
  assert.equal(choose('cdrom://[Debian 12]/|bookworm|main|Debian|Debian'), undefined);
});
