/**
 * Which Debian mirror to take packages from: the user's, else the one that this host's apt uses for Debian (its entry may be
 * the only one that can be reached from here), else the official one.
 */
import { runTool } from './run-tool.ts';

/** The official address, which redirects to a content delivery network near the caller. */
export const officialMirror = 'http://deb.debian.org/debian';

/** Debian's own release names and aliases, to tell its entries from those of derived or foreign archives. */
const debianSuite =
  /^(buster|bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-|\/|$)/;

/** One package index that apt knows, in the words of apt-get(8) "indextargets". */
export interface IndexTarget {
  readonly repoUri: string;
  readonly release: string;
  readonly component: string;
  /** From the archive's Release file; '' before the first "apt-get update". */
  readonly origin: string;
  readonly label: string;
}

const format = '$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(ORIGIN)\t$(LABEL)';

/** The Debian mirror of this host's apt, or the official one. Changes nothing. */
export async function hostMirror(signal?: AbortSignal): Promise<string> {
  const { stdout } = await runTool(
    'apt-get',
    ['indextargets', '--format', format, 'Created-By: Packages'],
    signal === undefined ? {} : { signal },
  );
  return chooseMirror(parseIndexTargets(stdout.toString())) ?? officialMirror;
}

/** Reads the lines that `format` asks for. */
export function parseIndexTargets(text: string): IndexTarget[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [repoUri = '', release = '', component = '', origin = '', label = ''] = line.split('\t');
      return { repoUri, release, component, origin, label };
    });
}

/** The first entry that is Debian's main archive: not its security archive, nobody else's, and reachable by address. */
export function chooseMirror(targets: readonly IndexTarget[]): string | undefined {
  const main = targets.find(
    (target) =>
      target.component === 'main' &&
      /^(https?|file):/.test(target.repoUri) &&
      (target.origin === '' ? debianSuite.test(target.release) : target.origin === 'Debian') &&
      (target.label === '' || target.label === 'Debian') &&
      !/-security$|\/updates$|-backports/.test(target.release) &&
      !/debian-security|debian-ports/.test(target.repoUri),
  );
  return main?.repoUri.replace(/\/+$/, '');
}
