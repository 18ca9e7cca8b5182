/**
 * What a client of the disk server writes as the NBD export's name.
 *
 *     export  = [ vm ] [ "?generation=" decimal "&incarnation=" hex32 [ "&session=" hex32 ] ]
 *
 * Without a generation the export is read-only, for everybody and every standard client (PROTOCOL.md, 22); the empty name
 * is the one disk that the server has. With a generation the connection *admits* it: only its owner may, and from then on no
 * lower one lands a write. `session` names one client through all its connections: a newer connection of a session ends
 * the older one before it is answered, so that a request sent again cannot race with itself.
 */
import { OperatingError } from '../../core/base/error.ts';
import { isIdentifier, MACHINE_NAME } from '../arbiter/arbiter.ts';

export type ExportName = {
  /** '' for the server's only disk. */
  readonly vm: string;
  /** Undefined for a read-only export. */
  readonly writer:
    | { readonly generation: number; readonly incarnation: string; readonly session: string | undefined }
    | undefined;
};

/** Throws OperatingError `bad-export-name`. */
export function parseExportName(text: string): ExportName {
  const [vm, query, ...more] = text.split('?');
  if (more.length > 0 || (vm !== '' && !MACHINE_NAME.test(vm!))) throw badName(text);
  if (query === undefined) return { vm: vm!, writer: undefined };
  const match = /^generation=(0|[1-9]\d{0,14})&incarnation=([0-9a-f]+)(?:&session=([0-9a-f]+))?$/.exec(query);
  if (match === null || !isIdentifier(match[2])) throw badName(text);
  if (match[3] !== undefined && !isIdentifier(match[3])) throw badName(text);
  return { vm: vm!, writer: { generation: Number(match[1]), incarnation: match[2], session: match[3] } };
}

export function formatExportName({ vm, writer }: ExportName): string {
  if (writer === undefined) return vm;
  const session = writer.session === undefined ? '' : `&session=${writer.session}`;
  return `${vm}?generation=${writer.generation}&incarnation=${writer.incarnation}${session}`;
}

function badName(text: string): OperatingError<'bad-export-name'> {
  return new OperatingError(
    'bad-export-name',
    `'${text.slice(0, 200)}' is no export of a disk server`,
    'Write NAME to read, or NAME?generation=G&incarnation=HEX to write.',
  );
}
