/**
 * A machine of the demo image in a directory of its own, for a test or a benchmark: a fresh copy of the disk, free ports of this
 * host, a description. Removed with all that is in it.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySparse } from '../../../src/host/copy-sparse.ts';
import type { BuiltImage } from '../../../src/host/image/manifest.ts';

export interface MachineDirectory {
  readonly path: string;
  readonly descriptionFile: string;
  readonly disk: string;
  readonly commandLine: string;
  /** Port of this host that leads to the guest's redis. */
  readonly redisPort: number;
  remove(): Promise<void>;
}

export interface MachineWishes {
  /** Instead of the image's own. */
  readonly commandLine?: string;
  /** Keys of the description, over those that are there. */
  readonly description?: Readonly<Record<string, unknown>>;
}

export async function makeMachineDirectory(image: BuiltImage, wishes: MachineWishes = {}): Promise<MachineDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'understudy-guest-'));
  const disk = join(path, 'disk.img');
  const descriptionFile = join(path, 'machine.yaml');
  const commandLine = wishes.commandLine ?? image.manifest.commandLine;
  await copySparse(image.disk, disk);
  const redisPort = await freePort();
  const description = {
    name: 'guest',
    memory: '512M',
    kernel: image.kernel,
    initramfs: image.initramfs,
    commandLine,
    disk,
    network: { uplink: 'passt', forwards: [`127.0.0.1:${redisPort}:6379`] },
    ...wishes.description,
  };
  // JSON is YAML.
  await writeFile(descriptionFile, JSON.stringify(description, undefined, 2));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  return { path, descriptionFile, disk, commandLine, redisPort, remove };
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
