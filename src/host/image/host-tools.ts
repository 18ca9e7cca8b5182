/** What a build needs of its host: a Debian-family system with a few small programs, all of them ordinary packages. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

/** The packages that hold everything a build runs or reads on the host; a set-up installs these. */
export const hostPackages = ['apt', 'dpkg', 'debian-archive-keyring', 'e2fsprogs', 'xz-utils'] as const;

/** The programs, each with its package. */
const programs = {
  'apt-get': 'apt',
  'apt-cache': 'apt',
  'apt-config': 'apt',
  'dpkg-deb': 'dpkg',
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  xz: 'xz-utils',
} as const;

/** Where the key ring of debian-archive-keyring is, newest naming first. */
const keyrings = [
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyrings/debian-archive-keyring.gpg',
] as const;

/** The packages of `hostPackages` that are missing here; empty when a build can start. */
export async function missingHostPackages(): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, holder] of Object.entries(programs)) {
    if (!(await isInstalled(program))) missing.add(holder);
  }
  if ((await debianKeyring()) === undefined) missing.add('debian-archive-keyring');
  return [...missing].sort();
}

/** Throws `tools-missing`, naming everything that is missing at once and how to install it. */
export async function checkHostTools(): Promise<void> {
  const missing = await missingHostPackages();
  if (missing.length === 0) return;
  const debianFamily = !missing.includes('apt');
  throw new OperatingError<ImageErrorCode>(
    'tools-missing',
    `this host lacks what building a guest image needs: ${missing.join(', ')}`,
    debianFamily
      ? `Install it with: apt-get install --no-install-recommends ${missing.join(' ')}`
      : 'Images are built on Debian and systems derived from it; build on one of those and copy the image here.',
  );
}

/** The host's key ring of the Debian archive. */
export async function debianKeyring(): Promise<string | undefined> {
  for (const file of keyrings) {
    if (await isReadable(file)) return file;
  }
  return undefined;
}

/** Whether a file can be read by this user. */
export async function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

async function isInstalled(program: string): Promise<boolean> {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  for (const directory of directories) {
    const found = await access(path.join(directory || '.', program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
