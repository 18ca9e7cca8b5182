/**
 * The demo image with the benchmark's agent in it (guest-agent.c): a service beside the others, on a copy of the disk. The image itself stays as it
 * is; what the guest runs otherwise does too.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copySparse } from '../../src/host/copy-sparse.ts';
import type { BuiltImage } from '../../src/host/image/manifest.ts';

const run = promisify(execFile);

const SOURCE = join(import.meta.dirname, 'guest-agent.c');

/** Where the agent listens in the guest. */
export const AGENT_PORT = 7100;

const PROGRAM = '/usr/local/bin/bench-agent';
const SERVICE = `#!/bin/busybox sh\n# ready: tcp ${AGENT_PORT}\nexec ${PROGRAM} ${AGENT_PORT}\n`;

/** Leaves disk, program and service in `directory`. Rejects if the compiler for riscv64 or debugfs (e2fsprogs) is missing. */
export async function imageWithAgent(image: BuiltImage, directory: string): Promise<BuiltImage> {
  const [disk, program, service] = ['agent-disk.img', 'bench-agent', 'service'].map((name) => join(directory, name));
  await copySparse(image.disk, disk);
  await run('riscv64-linux-gnu-gcc', ['-O2', '-Wall', '-static', '-s', '-o', program, SOURCE]);
  await writeFile(service, SERVICE, { mode: 0o755 });
  await put(disk, program, PROGRAM);
  await put(disk, service, '/etc/understudy/services.d/bench');
  return { ...image, disk };
}

/** Writes an executable file into an ext4 image that nobody has mounted. debugfs ends with status 0 whatever happens: only its words tell. */
async function put(disk: string, from: string, to: string): Promise<void> {
  for (const request of [`write ${from} ${to}`, `set_inode_field ${to} mode 0100755`]) {
    const { stderr } = await run('debugfs', ['-w', '-R', request, disk]);
    const complaints = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('debugfs '));
    if (complaints.length > 0) throw new Error(`debugfs cannot put ${to} on the disk: ${complaints.join(' ')}`);
  }
}
