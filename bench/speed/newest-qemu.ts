/**
 * The newest QEMU that Debian has (its unstable release), beside the host's own: unpacked with all its libraries, C library included, into
 * the benchmark's cache, and started through its own dynamic loader. Nothing of the host changes.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CACHE, fetchDebs } from './debian.ts';

const run = promisify(execFile);

const SUITE = 'sid';
const PLACE = path.join(CACHE, 'qemu');

/** Debian's name of this host's architecture, and where its loader and libraries are. */
const HOSTS = {
  x64: { architecture: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
} as const;

/** Large, and not used by an emulator of one riscv64 machine. */
const LEFT_OUT = /^(systemd|ipxe-qemu|seabios|debconf|passwd|login\.defs|adduser|base-passwd)$/;

export interface InstalledQemu {
  readonly program: string;
  /** Go before all other words. */
  readonly words: readonly string[];
  readonly version: string;
}

/** Installed on first use; then the one that is there, until .cache/bench/qemu is removed. */
export async function newestQemu(): Promise<InstalledQemu> {
  const version = await readFile(path.join(PLACE, 'version'), 'utf8').catch(() => undefined);
  if (version !== undefined) return locate(version);
  const { architecture } = hostFacts();
  let chosenVersion = '';
  const debs = await fetchDebs(SUITE, architecture, async (apt) => {
    const chosen = (await apt.resolve(['qemu-system-riscv'])).filter(({ name }) => !LEFT_OUT.test(name));
    chosenVersion = chosen.find(({ name }) => name === 'qemu-system-riscv')!.version;
    return chosen;
  });
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(path.join(CACHE, 'building-'));
  try {
    for (const file of debs) await run('dpkg-deb', ['--extract', file, work]);
    await writeFile(path.join(work, 'version'), chosenVersion);
    await rename(work, PLACE);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return locate(chosenVersion);
}

function hostFacts(): (typeof HOSTS)[keyof typeof HOSTS] {
  const facts = Object.entries(HOSTS).find(([name]) => name === process.arch)?.[1];
  if (facts === undefined) throw new Error(`no QEMU is known for a host of architecture ${process.arch}`);
  return facts;
}

function locate(version: string): InstalledQemu {
  const { triplet, loader } = hostFacts();
  const libraries = path.join(PLACE, 'usr/lib', triplet);
  return {
    program: path.join(libraries, loader),
    words: [
      ...['--library-path', libraries, path.join(PLACE, 'usr/bin/qemu-system-riscv64')],
      ...['-L', path.join(PLACE, 'usr/share/qemu'), '-L', path.join(PLACE, 'usr/share/seabios')],
      ...['-bios', path.join(PLACE, 'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin')],
    ],
    version,
  };
}
