/**
 * Makes unpacked packages a system that runs: what the maintainer scripts of the base packages would have done, as far as anything in
 * use depends on it. Each step names the package whose postinst it stands for; all of them are idempotent with those scripts, so
 * "dpkg --configure -a" in the guest may still run them.
 */
import type { DebPackage } from './deb.ts';
import type { FileTree } from './file-tree.ts';

export interface SystemFacts {
  readonly hostname: string;
  readonly suite: string;
}

/** A system user with a group of the same name. */
export interface SystemUser {
  readonly name: string;
  readonly id: number;
  readonly home: string;
}

/** All steps that do not depend on the user's choice of packages. */
export function setUpBaseSystem(tree: FileTree, packages: readonly DebPackage[], facts: SystemFacts): void {
  setUpDirectories(tree);
  setUpAccounts(tree);
  setUpDefaults(tree);
  setUpAlternatives(tree, packages);
  setUpIdentity(tree, facts);
}

/** base-files: directories and links that are not in its payload because users may replace them. */
function setUpDirectories(tree: FileTree): void {
  for (const path of ['mnt', 'srv', 'opt', 'etc/opt', 'var/opt', 'media']) tree.directory(path);
  for (const path of ['', 'bin', 'etc', 'games', 'include', 'lib', 'libexec', 'sbin', 'share', 'share/man', 'src']) {
    tree.directory(`usr/local/${path}`);
  }
  tree.symlink('usr/local/man', 'share/man');
  for (const [path, target] of [
    ['var/run', '/run'],
    ['var/lock', '/run/lock'],
  ] as const) {
    tree.remove(path);
    tree.symlink(path, target);
  }
  tree.directory('var/mail', 0o2775, 0, groupIds.mail);
  tree.symlink('var/spool/mail', '../mail');
  tree.symlink('etc/dpkg/origins/default', 'debian');
  for (const [path, mode] of [
    ['var/log/wtmp', 0o664],
    ['var/log/btmp', 0o660],
    ['var/log/lastlog', 0o664],
  ] as const) {
    tree.write(path, '', mode, 0, groupIds.utmp);
  }
}

/** Ids that Debian fixes for ever (base-passwd). */
const groupIds = { mail: 8, shadow: 42, utmp: 43 } as const;

/** base-passwd and passwd: the accounts, all without a password; the console's shell asks for none. */
function setUpAccounts(tree: FileTree): void {
  const master = (name: string) => tree.readText(`usr/share/base-passwd/${name}.master`) ?? '';
  // The masters have "*" for "no password here"; with shadow passwords the field is "x".
  const passwd = master('passwd').replace(/^([^:]+):\*:/gm, '$1:x:');
  const group = master('group').replace(/^([^:]+):\*:/gm, '$1:x:');
  tree.write('etc/passwd', passwd);
  tree.write('etc/group', group);
  tree.write(
    'etc/shadow',
    names(passwd)
      .map((name) => `${name}:*:20000:0:99999:7:::\n`)
      .join(''),
    0o640,
    0,
    groupIds.shadow,
  );
  tree.write(
    'etc/gshadow',
    names(group)
      .map((name) => `${name}:*::\n`)
      .join(''),
    0o640,
    0,
    groupIds.shadow,
  );
}

/** What "adduser --system --group" does. */
export function addSystemUser(tree: FileTree, { name, id, home }: SystemUser): void {
  append(tree, 'etc/passwd', `${name}:x:${id}:${id}::${home}:/usr/sbin/nologin\n`);
  append(tree, 'etc/group', `${name}:x:${id}:\n`);
  append(tree, 'etc/shadow', `${name}:!:20000::::::\n`);
  append(tree, 'etc/gshadow', `${name}:!::\n`);
}

/** base-files, libc-bin, debianutils: configuration files that start as copies of a default. */
function setUpDefaults(tree: FileTree): void {
  const copies = {
    'usr/share/base-files/dot.profile': 'root/.profile',
    'usr/share/base-files/dot.bashrc': 'root/.bashrc',
    'usr/share/base-files/profile': 'etc/profile',
    'usr/share/libc-bin/nsswitch.conf': 'etc/nsswitch.conf',
    'usr/share/debianutils/shells': 'etc/shells',
  };
  for (const [from, to] of Object.entries(copies)) {
    const data = tree.read(from);
    if (data !== undefined && tree.lookup(to) === undefined) tree.write(to, data);
  }
  for (const name of tree.list('usr/share/debianutils/shells.d')) {
    append(tree, 'etc/shells', tree.readText(`usr/share/debianutils/shells.d/${name}`) ?? '');
  }
}

/**
 * update-alternatives(1): the generic name leads to the choice of highest priority. The calls are read from the postinst scripts, as
 * far as their words are literal; of slaves, only commands matter (manual pages are not in the image).
 */
export function setUpAlternatives(tree: FileTree, packages: readonly DebPackage[]): void {
  const best = new Map<string, Alternative>();
  for (const { members } of packages) {
    const script = members.get('postinst');
    if (script === undefined) continue;
    for (const each of parseAlternatives(new TextDecoder().decode(script.data))) {
      const known = best.get(each.link);
      if (tree.follow(each.target) !== undefined && (known === undefined || known.priority < each.priority)) {
        best.set(each.link, each);
      }
    }
  }
  for (const { link, name, target } of best.values()) {
    if (tree.lookup(link) !== undefined) continue;
    tree.symlink(`etc/alternatives/${name}`, target);
    tree.symlink(link, `/etc/alternatives/${name}`);
  }
}

export interface Alternative {
  readonly link: string;
  readonly name: string;
  readonly target: string;
  readonly priority: number;
}

/** The "update-alternatives --install" calls of a shell script whose arguments are plain words. */
export function parseAlternatives(script: string): Alternative[] {
  const found: Alternative[] = [];
  const joined = script.replace(/\\\n/g, ' ');
  for (const call of joined.matchAll(/update-alternatives\s+(?:--quiet\s+)?--install\s+(.*)/g)) {
    const words = call[1]!.trim().split(/\s+/);
    const [link, name, target, priorityText] = words;
    const priority = Number(priorityText);
    if (!isPlainPath(link) || !isPlainPath(target) || name === undefined || Number.isNaN(priority)) continue;
    found.push({ link: link.slice(1), name, target, priority });
    for (let i = 4; i + 3 < words.length; i++) {
      if (words[i] !== '--slave') continue;
      const [slaveLink, slaveName, slaveTarget] = words.slice(i + 1, i + 4);
      if (isPlainPath(slaveLink) && isPlainPath(slaveTarget)) {
        found.push({ link: slaveLink.slice(1), name: slaveName!, target: slaveTarget, priority });
      }
    }
  }
  return found;
}

function isPlainPath(word: string | undefined): word is string {
  return word !== undefined && /^\/[A-Za-z0-9._/+-]+$/.test(word);
}

/** Who this machine is, and where it gets packages: what an installer asks and writes. */
function setUpIdentity(tree: FileTree, { hostname, suite }: SystemFacts): void {
  tree.write('etc/hostname', `${hostname}\n`);
  tree.write('etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`);
  tree.write('etc/fstab', '/dev/vda\t/\text4\tnoatime\t0\t1\n');
  tree.symlink('etc/resolv.conf', '/run/resolv.conf');
  tree.symlink('etc/localtime', '/usr/share/zoneinfo/Etc/UTC');
  // An empty one is filled in by software that wants it (machine-id(5)).
  tree.write('etc/machine-id', '', 0o444);
  tree.write('etc/apt/sources.list.d/debian.sources', aptSources(suite));
}

function aptSources(suite: string): string {
  const signed = 'Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.pgp\n';
  return [
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: ${suite} ${suite}-updates\n${signed}`,
    `Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: ${suite}-security\n${signed}`,
  ].join('\n');
}

function names(table: string): string[] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(0, line.indexOf(':')));
}

function append(tree: FileTree, path: string, text: string): void {
  const node = tree.follow(path);
  if (node?.kind === 'file') node.data = Buffer.concat([node.data, Buffer.from(text)]);
  else tree.write(path, text);
}
