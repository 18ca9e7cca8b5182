/**
 * The demo's guest with another first process: it reads files with a cold cache, turn after turn, and prints their checksum; in
 * between it writes over a file, reads that back from the disk, and prints whether it found what it wrote.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';

const run = promisify(execFile);
/** debugfs is in a directory that not every user's PATH has. */
const SBIN = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

/** Read in each turn. */
export const TURN_MIB = 16;

const SCRIPT = `#!/bin/sh
exec </dev/console >/dev/console 2>&1
PATH=/usr/sbin:/usr/bin
cold() { sync; echo 3 >/proc/sys/vm/drop_caches; }
files=$(find /usr/lib -type f -size +100k | sort)
head -c 1M /dev/urandom >/scratch
turn=0
while true; do
  turn=$((turn + 1))
  cold
  sum=$(cat $files | head -c ${TURN_MIB}M | sha256sum | cut -c 1-16)
  head -c 64k /dev/urandom >/new
  dd if=/new of=/scratch bs=64k seek=$((turn % 16)) conv=notrunc 2>/dev/null
  cold
  dd if=/scratch of=/found bs=64k skip=$((turn % 16)) count=1 2>/dev/null
  cmp /new /found || sum="the disk has other bytes"
  echo "turn $turn: $sum"
done
`;

/** Makes the guest's disk at `disk`; returns what its description says besides. */
export async function makeReadingGuest(image: BuiltImage, disk: string): Promise<object> {
  await run('cp', ['--sparse=always', image.disk, disk]);
  // A mirrored one is copied from host to host, empty as it may be.
  await run('resize2fs', [disk, '256M'], SBIN);
  const local = `${disk}.script`;
  await writeFile(local, SCRIPT);
  const commands = [`write ${local} /turns`, 'set_inode_field /turns mode 0100755', 'set_inode_field /turns uid 0'];
  for (const command of commands) await run('debugfs', ['-w', '-R', command, disk], SBIN);
  const { kernel, initramfs, manifest } = image;
  return { memory: '256M', kernel, initramfs, commandLine: `${manifest.commandLine} init=/turns`, network: null };
}
