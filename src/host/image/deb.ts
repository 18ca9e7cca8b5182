/**
 * Debian packages (deb(5)): their control files and their payload, read through dpkg-deb, which knows every compression that
 * packages use. Nothing is unpacked on the host, and no maintainer script is run.
 */
import { runTool } from './run-tool.ts';
import { readTar, type TarEntry } from './tar.ts';

export interface DebPackage {
  /** Path of the .deb file on the host. */
  readonly file: string;
  /** The fields of its control file, in order; a field's text may have several lines. */
  readonly control: ReadonlyMap<string, string>;
  /** The other control members (maintainer scripts, conffiles, md5sums, triggers...), by name. */
  readonly members: ReadonlyMap<string, { readonly mode: number; readonly data: Uint8Array }>;
  /** The payload. */
  readonly entries: readonly TarEntry[];
}

/** Reads a package whole into memory. Throws `bad-package`. */
export async function readDeb(file: string, signal?: AbortSignal): Promise<DebPackage> {
  const options = signal === undefined ? {} : { signal };
  const [controlTar, payloadTar] = await Promise.all([
    runTool('dpkg-deb', ['--ctrl-tarfile', file], options),
    runTool('dpkg-deb', ['--fsys-tarfile', file], options),
  ]);
  const members = new Map<string, { mode: number; data: Uint8Array }>();
  for (const entry of readTar(controlTar.stdout, file)) {
    if (entry.kind === 'file') members.set(entry.path, { mode: entry.mode, data: entry.data });
  }
  const control = members.get('control');
  members.delete('control');
  return {
    file,
    control: parseControl(control === undefined ? '' : new TextDecoder().decode(control.data)),
    members,
    entries: readTar(payloadTar.stdout, file),
  };
}

/** The fields of one control paragraph (Debian Policy, 5.1); continuation lines are kept as they are, newline included. */
export function parseControl(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (name !== undefined) fields.set(name, `${fields.get(name)}\n${line}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    name = line.slice(0, colon);
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}
