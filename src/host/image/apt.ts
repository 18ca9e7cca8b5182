/**
 * A private apt: package lists and packages of another release and architecture, in directories of our own. The host's apt
 * state (lists, status, cache, sources, trusted keys) is neither read nor changed; only its transport settings ("Acquire": proxies and the
 * like) are taken over, because the way to the mirror may need them.
 *
 * Signatures are always checked: the one source is bound to a key ring (sources.list(5), "signed-by"), and the settings that would
 * allow less are switched off.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatingError } from '../../core/base/error.ts';
import { parseControl } from './deb.ts';
import type { ImageErrorCode } from './errors.ts';
import { runTool, type ToolOptions } from './run-tool.ts';

export interface AptSettings {
  /** Where lists and packages are kept, shared by all builds. */
  readonly cacheDir: string;
  /** Where this build's configuration is written. */
  readonly workDir: string;
  readonly mirror: string;
  readonly suite: string;
  readonly architecture: string;
  /** Absolute path of the key ring. */
  readonly keyring: string;
  readonly signal?: AbortSignal;
}

/** One package as apt chose it. */
export interface ChosenPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Names that Debian's archive has for a release beside its own, as it grows older. */
const ALIASES = ['stable', 'oldstable'] as const;

export class PrivateApt {
  readonly #settings: AptSettings;
  readonly #configFile: string;

  private constructor(settings: AptSettings, configFile: string) {
    this.#settings = settings;
    this.#configFile = configFile;
  }

  /** Lays out the directories and writes the configuration. */
  static async create(settings: AptSettings): Promise<PrivateApt> {
    const { cacheDir, workDir } = settings;
    await mkdir(path.join(cacheDir, 'lists/partial'), { recursive: true });
    await mkdir(path.join(cacheDir, 'archives/partial'), { recursive: true });
    const host = await runTool('apt-config', ['dump', 'Acquire']);
    await writeFile(path.join(workDir, 'status'), '');
    const configFile = path.join(workDir, 'apt.conf');
    await writeFile(configFile, aptConfiguration(settings, host.stdout.toString()));
    return new PrivateApt(settings, configFile);
  }

  /**
   * Fetches the package lists. A mirror in the middle of an update has a Release file and lists that do not belong together; then
   * its copy under the release's other name (stable) may still be whole, and is taken if it says of itself that it is that release.
   * Gives the name under which the lists were found. Throws `mirror-unreachable`, `mirror-out-of-step`, `signature-refused`.
   */
  async update(): Promise<string> {
    const { suite } = this.#settings;
    try {
      await this.#update(suite);
      return suite;
    } catch (error) {
      if (!(error instanceof OperatingError) || error.code !== 'mirror-out-of-step') throw error;
      for (const alias of ALIASES) if (await this.#updateByAlias(alias)) return alias;
      throw error;
    }
  }

  async #update(name: string): Promise<void> {
    const settings = { ...this.#settings, suite: name };
    await writeFile(path.join(settings.workDir, 'sources.list'), sourceLine(settings));
    // A release that becomes old, or another one's turn to be stable, is no reason to ask a person.
    const words = ['update', '--allow-releaseinfo-change'];
    await this.#apt('apt-get', words, (output) => explainUpdate(output, settings));
  }

  async #updateByAlias(alias: string): Promise<boolean> {
    try {
      await this.#update(alias);
    } catch (error) {
      if (error instanceof OperatingError && error.code.startsWith('mirror-')) return false;
      throw error;
    }
    const { stdout } = await this.#apt('apt-get', ['indextargets', '--format', '$(CODENAME)'], () => undefined);
    const codenames = stdout.toString().split('\n').filter(Boolean);
    return codenames.length > 0 && codenames.every((codename) => codename === this.#settings.suite);
  }

  /** The packages that installing `names` needs (Recommends left out), from an empty system. Throws `package-unavailable`. */
  async resolve(names: readonly string[]): Promise<ChosenPackage[]> {
    const { stdout } = await this.#apt('apt-get', ['--simulate', 'install', ...names], explainResolve);
    return parseSimulation(stdout.toString());
  }

  /** The control fields of the newest version of one package. Throws `package-unavailable`. */
  async show(name: string): Promise<Map<string, string>> {
    const { stdout } = await this.#apt('apt-cache', ['show', '--no-all-versions', name], (output) =>
      /No packages found/.test(output) ? unavailable(`the mirror has no package "${name}"`) : undefined,
    );
    return parseControl(stdout.toString().split('\n\n')[0]!);
  }

  /**
   * Downloads exactly these packages, without their dependencies, and verifies them; those in the cache are not fetched again.
   * Gives their files in the same order. `onPercent` hears of the progress.
   */
  async download(packages: readonly ChosenPackage[], onPercent: (percent: number) => void): Promise<string[]> {
    const archives = path.join(this.#settings.cacheDir, 'archives');
    const wanted = packages.map(({ name, version }) => `${name}=${version}`);
    await this.#apt('apt-get', ['-o', 'APT::Status-Fd=1', 'download', ...wanted], explainDownload, {
      cwd: archives,
      onLine: (line) => {
        const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
        if (percent !== undefined) onPercent(Number(percent));
      },
    });
    return packages.map((chosen) => path.join(archives, debFileName(chosen)));
  }

  #apt(
    program: string,
    args: readonly string[],
    explain: NonNullable<ToolOptions['explain']>,
    more: ToolOptions = {},
  ): ReturnType<typeof runTool> {
    return runTool(program, ['-q', ...args], {
      env: { APT_CONFIG: this.#configFile, DEBIAN_FRONTEND: 'noninteractive' },
      explain: (output) => explainLock(output, this.#settings.cacheDir) ?? explain(output),
      ...(this.#settings.signal === undefined ? {} : { signal: this.#settings.signal }),
      ...more,
    });
  }
}

/** The name under which apt stores a package: an epoch's colon is escaped. */
export function debFileName({ name, version, architecture }: ChosenPackage): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
}

/** Reads "Inst NAME (VERSION ORIGIN [ARCH])" lines of "apt-get --simulate install". */
export function parseSimulation(text: string): ChosenPackage[] {
  const chosen: ChosenPackage[] = [];
  for (const match of text.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) [^[\n]*\[(\w+)\]\)/gm)) {
    chosen.push({ name: match[1]!.replace(/:.*/, ''), version: match[2]!, architecture: match[3]! });
  }
  return chosen;
}

/** The apt.conf(5) of a private apt; `hostAcquire` is what the host's "apt-config dump Acquire" prints. */
export function aptConfiguration(settings: AptSettings, hostAcquire: string): string {
  const { cacheDir, workDir, architecture } = settings;
  // Not the host's index targets: they may ask for lists that nobody here reads (desktop metadata, file contents).
  const transport = hostAcquire.split('\n').filter((line) => /^Acquire::(?!IndexTargets\b)/.test(line));
  return [
    ...transport,
    'Dir::Etc::Parts "/dev/null";',
    'Dir::Etc::Main "/dev/null";',
    `Dir::Etc::SourceList "${path.join(workDir, 'sources.list')}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    'Dir::Etc::Trusted "/dev/null";',
    'Dir::Etc::TrustedParts "/dev/null";',
    `Dir::State "${cacheDir}";`,
    `Dir::State::Lists "${path.join(cacheDir, 'lists')}";`,
    `Dir::State::status "${path.join(workDir, 'status')}";`,
    `Dir::State::extended_states "${path.join(workDir, 'extended_states')}";`,
    `Dir::Cache "${cacheDir}";`,
    `Dir::Cache::archives "${path.join(cacheDir, 'archives')}";`,
    'Dir::Log "/dev/null";',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Get::Assume-Yes "true";',
    'APT::Get::AllowUnauthenticated "false";',
    // The unprivileged user that apt otherwise drops to may not reach these directories.
    'APT::Sandbox::User "root";',
    'APT::Update::Error-Mode "any";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowWeakRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    '',
  ].join('\n');
}

function sourceLine({ architecture, keyring, mirror, suite }: AptSettings): string {
  return `deb [arch=${architecture} signed-by=${keyring}] ${mirror} ${suite} main\n`;
}

type Explained = OperatingError<ImageErrorCode> | undefined;

function explainUpdate(output: string, { mirror, suite, architecture, keyring }: AptSettings): Explained {
  const reason = firstReason(output);
  if (
    /NO_PUBKEY|couldn't be verified|BADSIG|EXPKEYSIG|Missing key|signature verification|sqv|key.*expired/i.test(output)
  ) {
    return new OperatingError<ImageErrorCode>(
      'signature-refused',
      `the signature of ${mirror} (${suite}) could not be verified with ${keyring}: ${reason}`,
      'Bring the key ring up to date (apt-get install debian-archive-keyring), or name another one.',
    );
  }
  if (/Hash Sum mismatch|unexpected size|Mirror sync in progress/i.test(output)) {
    return new OperatingError<ImageErrorCode>(
      'mirror-out-of-step',
      `the package lists of ${suite} for ${architecture} on the mirror ${mirror} are not those that its Release file names: it is being updated`,
      'Try again in an hour, or name another one with --mirror, for example http://mirror.example.org/debian.',
    );
  }
  if (/Failed to fetch|does not have a Release file|is not signed|Could not resolve|Unable to/i.test(output)) {
    return new OperatingError<ImageErrorCode>(
      'mirror-unreachable',
      `the mirror ${mirror} did not give the package lists of ${suite} for ${architecture}: ${reason}`,
      'Check the network and the mirror, or name another one with --mirror, for example http://mirror.example.org/debian.',
    );
  }
  return undefined;
}

function explainResolve(output: string): Explained {
  const unknown = [...output.matchAll(/Unable to locate package (\S+)/g)].map((match) => match[1]);
  if (unknown.length > 0) return unavailable(`the mirror has no package "${unknown.join('", "')}"`);
  if (/has no installation candidate|unmet dependencies|held broken packages|is not available/.test(output)) {
    const lines = output.split('\n').filter((line) => /^E:|Depends:|no installation candidate/.test(line));
    return unavailable(`the packages cannot be installed together: ${lines.map((line) => line.trim()).join('; ')}`);
  }
  return undefined;
}

function explainDownload(output: string): Explained {
  if (!/Failed to fetch|Unable to fetch|Hash Sum mismatch|Could not/i.test(output)) return undefined;
  if (/no space left/i.test(output)) return undefined;
  return new OperatingError<ImageErrorCode>(
    'mirror-unreachable',
    `a package could not be downloaded: ${firstReason(output)}`,
    'Check the network and try again; what was downloaded already is kept.',
  );
}

function explainLock(output: string, cacheDir: string): Explained {
  if (!/Could not get lock|Unable to lock/.test(output)) return undefined;
  return new OperatingError<ImageErrorCode>(
    'cache-busy',
    `another build is using the package cache in ${cacheDir}`,
    'Wait until it has finished, or choose another cache directory.',
  );
}

function unavailable(message: string): OperatingError<ImageErrorCode> {
  return new OperatingError<ImageErrorCode>(
    'package-unavailable',
    message,
    'Packages are searched for at https://packages.debian.org (trixie, riscv64, section main).',
  );
}

function firstReason(output: string): string {
  const line = output.split('\n').find((each) => /^[EW]: /.test(each));
  return (line ?? output.trim().split('\n').at(-1) ?? '').replace(/^[EW]: /, '').trim();
}
