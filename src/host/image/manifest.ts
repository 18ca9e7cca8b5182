/**
 * `image.json`: what a finished image was built from, and what it holds. It is written last, so a directory without it is no image.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

/** Raised when the files of an image or the meaning of its manifest change. */
export const imageFormat = 1;

const fileFacts = z.object({
  bytes: z.int().nonnegative(),
  /** Lower-case hex; null for a disk too large to be read in a moment. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});

const manifestSchema = z.object({
  format: z.literal(imageFormat),
  /** SHA-256 over everything that the build depended on; equal inputs make the image reusable. */
  inputs: z.string(),
  suite: z.string(),
  architecture: z.literal('riscv64'),
  mirror: z.string(),
  kernelRelease: z.string(),
  /** The kernel command line that this image is meant to be started with. */
  commandLine: z.string(),
  /** Kernel modules that the initramfs loads, in this order. */
  modules: z.array(z.string()),
  /** Versions of all packages on the root disk, and of the kernel's, by name. */
  packages: z.record(z.string(), z.string()),
  files: z.object({ kernel: fileFacts, initramfs: fileFacts, 'disk.img': fileFacts }),
});

export type ImageManifest = z.output<typeof manifestSchema>;
export type ImageFileName = keyof ImageManifest['files'];

/** A finished image on this host. */
export interface BuiltImage {
  readonly directory: string;
  /** Absolute paths. The disk is the pristine one: run a copy of it (see `copySparse`). */
  readonly kernel: string;
  readonly initramfs: string;
  readonly disk: string;
  readonly manifest: ImageManifest;
  /** Whether it was there already and was not built anew. */
  readonly reused: boolean;
}

/**
 * The image in a directory. Throws `file-unreadable` when there is none, it was made by another version, or a file of it is missing or has
 * another size than it was built with.
 */
export async function readImage(directory: string): Promise<BuiltImage> {
  const absolute = path.resolve(directory);
  const manifest = await readManifest(absolute);
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const size = await stat(path.join(absolute, name)).then(
      (facts) => facts.size,
      () => undefined,
    );
    if (size !== bytes) throw notAnImage(absolute, `${name} ${size === undefined ? 'is missing' : 'has another size'}`);
  }
  return locate(absolute, manifest, true);
}

/** The paths of an image's files. */
export function locate(directory: string, manifest: ImageManifest, reused: boolean): BuiltImage {
  return {
    directory,
    kernel: path.join(directory, 'kernel'),
    initramfs: path.join(directory, 'initramfs'),
    disk: path.join(directory, 'disk.img'),
    manifest,
    reused,
  };
}

async function readManifest(directory: string): Promise<ImageManifest> {
  let text: string;
  try {
    text = await readFile(path.join(directory, 'image.json'), 'utf8');
  } catch {
    throw notAnImage(directory, 'image.json is missing');
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw notAnImage(directory, 'image.json was written by another version, or is damaged');
  }
}

function notAnImage(directory: string, why: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>(
    'file-unreadable',
    `${directory} holds no guest image that can be used: ${why}`,
    'Build it with: understudy image build',
  );
}
