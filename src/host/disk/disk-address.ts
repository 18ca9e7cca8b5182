/**
 * Where a shared disk is: a disk server of ours by its address, or any other NBD server by the URI that NBD's programs share
 * (doc/uri.md of the NBD project): `nbd://HOST[:PORT]/EXPORT`, `nbd+unix:///EXPORT?socket=PATH`. So whoever writes a URI
 * has said that the server is another's, and that it lacks the fence (PROTOCOL.md, 22).
 */
import { OperatingError } from '../../core/base/error.ts';
import { type AddressErrorCode, parseAddress, type StreamAddress } from '../net/address.ts';

export type DiskAddress = StreamAddress & {
  /** The name of the export on a server that is not ours; undefined for `understudy disk`. */
  readonly foreignExport?: string | undefined;
};

const NBD_PORT = 10_809;

/** Throws OperatingError `bad-address`. */
export function parseDiskAddress(text: string): DiskAddress {
  if (!/^nbds?(\+\w+)?:/.test(text)) return parseAddress(text);
  const uri = URL.canParse(text) ? new URL(text) : undefined;
  const foreignExport = decodeURIComponent(uri?.pathname.replace(/^\//, '') ?? '');
  const socket = uri?.searchParams.get('socket') ?? '';
  if (uri?.protocol === 'nbd+unix:' && uri.host === '' && socket !== '') {
    return { ...parseAddress(`unix:${socket}`), foreignExport };
  }
  if (uri?.protocol === 'nbd:' && uri.hostname !== '' && uri.search === '') {
    return { ...parseAddress(`${uri.hostname}:${uri.port === '' ? NBD_PORT : uri.port}`), foreignExport };
  }
  throw new OperatingError<AddressErrorCode>(
    'bad-address',
    `'${text}' is no NBD server that can be used`,
    'Write nbd://HOST:PORT/EXPORT or nbd+unix:///EXPORT?socket=PATH; TLS (nbds) is for "understudy disk" alone.',
  );
}
