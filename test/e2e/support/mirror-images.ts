/** The images of a mirrored disk as files: when nobody writes them any more, and where two of them differ. */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Longer than the guest's kernel and its redis keep anything to themselves without a reason. */
const QUIET_MS = 7000;
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** Resolves when nobody has written them for a while; false if somebody never ceases. There may be none at a path. */
export async function untilIdle(paths: readonly string[]): Promise<boolean> {
  const writtenMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; ) {
    if (Date.now() - Math.max(...paths.map(writtenMs)) > QUIET_MS) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

/** What is wrong with two images that should hold the same, by regions of `regionBytes`; empty if nothing is. */
export async function differences(one: string, other: string, regionBytes: number): Promise<string[]> {
  const files = await Promise.all([open(one, 'r'), open(other, 'r')]);
  try {
    const buffers = [Buffer.alloc(regionBytes), Buffer.alloc(regionBytes)] as const;
    const differ: number[] = [];
    for (let region = 0; ; region++) {
      const at = region * regionBytes;
      const [a, b] = await Promise.all(files.map((file, i) => file.read(buffers[i]!, 0, regionBytes, at)));
      if (a!.bytesRead === 0 && b!.bytesRead === 0) {
        if (differ.length === 0) return [];
        return [`${one} and ${other} differ in ${differ.length} regions: ${differ.slice(0, 20).join(' ')}`];
      }
      const equal = buffers[0].subarray(0, a!.bytesRead).equals(buffers[1].subarray(0, b!.bytesRead));
      if (!equal) differ.push(region);
    }
  } finally {
    for (const file of files) await file.close();
  }
}
