/** What a user can say about a guest image: the options, their defaults, and the checks that name what is wrong. */
import { z } from 'zod';
import { OperatingError } from '../../core/base/error.ts';
import type { ImageErrorCode } from './errors.ts';

/** A package's name as Debian Policy 5.6.1 allows it. */
const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, 'is not the name of a Debian package (lower-case letters, digits, "+", "-", ".")');

const addedFile = z.strictObject({
  /** A file on the host. */
  from: z.string().min(1, 'must name a file on this host'),
  /** Where it goes in the guest: an absolute path. */
  to: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'must be an absolute path of a file in the guest, like /usr/local/bin/tool')
    .refine((path) => !path.split('/').includes('..'), 'must not contain ".."'),
  /** Permission bits; 0o755 for a program and 0o644 for the rest when it is left out (as the host's file is). */
  mode: z.int().min(0, 'must be 0 or more').max(0o7777, 'must be 7777 (octal) or less').optional(),
});

export const imageOptionsSchema = z.strictObject({
  /** Directory of the finished image. */
  outputDir: z.string().min(1).default('.cache/images/demo'),
  /** Directory of downloaded package lists and packages, shared by all builds. */
  cacheDir: z.string().min(1).default('.cache/apt'),
  /** With the demo: redis-server, python3 and the streaming service. */
  demo: z.boolean().default(true),
  /** Debian packages to install beside the base system. */
  packages: z.array(packageName).default([]),
  /** Files of the host to add. They come last, so they may replace files of packages. */
  files: z.array(addedFile).default([]),
  /** Kernel modules to have on the root disk beside those that the boot needs, with their dependencies. */
  modules: z.array(z.string().regex(/^[A-Za-z0-9_-]+$/, 'is not the name of a kernel module')).default([]),
  /** Size of the root disk in MiB. The file is sparse: only what is written takes room on the host. */
  diskSizeMiB: z
    .int()
    .min(64, 'must be 64 or more')
    .max(1 << 20, 'must be 1048576 (1 TiB) or less')
    .default(1024),
  hostname: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be letters, digits and "-", at most 63')
    .default('understudy'),
  /** The Debian release. */
  suite: z.enum(['trixie']).default('trixie'),
  /** The mirror's address; the one that the host's apt uses when left out. */
  mirror: z
    .string()
    .regex(/^(https?|file):\/\/\S+$/, 'must be an address like http://mirror.example.org/debian')
    .optional(),
  /** The key ring that the mirror's signature is checked with; the one of debian-archive-keyring when left out. */
  keyring: z.string().min(1).optional(),
  /** Build even if an image of the same inputs is there. */
  rebuild: z.boolean().default(false),
});

/** The options as a caller gives them: all have defaults. */
export type ImageOptions = z.input<typeof imageOptionsSchema>;
/** The options with every default filled in. */
export type CheckedImageOptions = z.output<typeof imageOptionsSchema>;
export type AddedFile = CheckedImageOptions['files'][number];

/** The defaults of all options. */
export const defaultImageOptions: CheckedImageOptions = imageOptionsSchema.parse({});

/** Checks the options and fills in defaults. Throws `bad-options` with one line for each fault. */
export function checkImageOptions(options: unknown): CheckedImageOptions {
  const result = imageOptionsSchema.safeParse(options);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${where(issue.path)}${issue.message}`);
  throw new OperatingError<ImageErrorCode>(
    'bad-options',
    `the options of the image are wrong: ${faults.join('; ')}`,
    'See "understudy image build --help" for what each option takes.',
  );
}

/**
 * Reads "HOST:GUEST" or "HOST:GUEST:MODE" (mode in octal), the command line's way to name a file to add. The host's path may
 * contain colons as long as the guest's path starts with "/". Throws `bad-options`.
 */
export function parseAddedFile(text: string): AddedFile {
  const match = /^(.+?):(\/[^:]+)(?::([0-7]{3,4}))?$/.exec(text);
  if (match === null) {
    throw new OperatingError<ImageErrorCode>(
      'bad-options',
      `"${text}" does not say which file goes where`,
      'Write HOST_PATH:/GUEST/PATH or HOST_PATH:/GUEST/PATH:MODE, for example ./tool:/usr/local/bin/tool:755.',
    );
  }
  const [, from, to, mode] = match;
  return { from: from!, to: to!, ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }) };
}

function where(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  return `${path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')} `;
}
