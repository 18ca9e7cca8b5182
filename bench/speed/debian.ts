/** Debian packages for the benchmark, fetched as the image builder fetches them: by a private apt, from the mirror that the host's apt uses. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ChosenPackage, PrivateApt } from '../../src/host/image/apt.ts';
import { checkHostTools, debianKeyring } from '../../src/host/image/host-tools.ts';
import { hostMirror } from '../../src/host/image/mirror.ts';

const PACKAGES = path.resolve(import.meta.dirname, '../../.cache/apt');

/** Where the benchmark keeps what it has built. */
export const CACHE = path.resolve(import.meta.dirname, '../../.cache/bench');

/** The .deb files of the packages that `choose` picks, in that order. */
export async function fetchDebs(
  suite: string,
  architecture: string,
  choose: (apt: PrivateApt) => Promise<readonly ChosenPackage[]>,
): Promise<string[]> {
  await checkHostTools();
  const workDir = await mkdtemp(path.join(tmpdir(), 'understudy-bench-apt-'));
  try {
    const keyring = (await debianKeyring())!;
    const mirror = await hostMirror();
    const apt = await PrivateApt.create({ cacheDir: PACKAGES, workDir, mirror, suite, architecture, keyring });
    await apt.update();
    return await apt.download(await choose(apt), () => {});
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
