/**
 * How a person names an arbiter (docs/arbiters.md):
 *
 *   /path, ./path, dir:/path                      a directory
 *   etcd://host[:port][,host[:port]...]/prefix    etcd; etcds:// with TLS
 *   postgres://user@host[:port]/database          PostgreSQL, in its own notation
 *
 * etcd takes a user (`etcd://user@...`) and, as a query, `password-file`, `ca`, `cert` and `key`: paths of files.
 */
import { OperatingError } from '../../core/base/error.ts';
import type { EtcdTls } from './etcd-client.ts';

export type ArbiterAddress =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'etcd';
      /** host:port each; an IPv6 address in brackets. */
      readonly members: readonly string[];
      readonly prefix: string;
      readonly tls: EtcdTls | undefined;
      readonly user: string | undefined;
      readonly passwordFile: string | undefined;
    }
  | { readonly kind: 'postgres'; readonly url: string };

const ETCD_PORT = 2379;
const ETCD_OPTIONS = new Set(['password-file', 'ca', 'cert', 'key']);

/** Throws OperatingError `bad-arbiter-address`. */
export function parseArbiterAddress(text: string): ArbiterAddress {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return directory(text, text);
    case 'dir':
      return directory(text.slice('dir:'.length), text);
    case 'etcd':
    case 'etcds':
      return etcd(text, scheme === 'etcds');
    case 'postgres':
    case 'postgresql':
      return postgres(text);
    default:
      throw bad(text, `there is no arbiter of the kind '${scheme}'`);
  }
}

function directory(path: string, text: string): ArbiterAddress {
  if (path === '') throw bad(text, 'the path is empty');
  return { kind: 'directory', path };
}

/** Not a URL of the standard: it names several hosts. */
function etcd(text: string, secure: boolean): ArbiterAddress {
  const parts = /^etcds?:\/\/(?:([^@/?]+)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/i.exec(text);
  if (parts === null) throw bad(text, 'no host is named');
  const [, user, hosts, path = '', query = ''] = parts;
  const options = new URLSearchParams(query);
  for (const name of options.keys()) {
    if (!ETCD_OPTIONS.has(name)) throw bad(text, `'${name}' is no option of an etcd address`);
  }
  const get = (name: string): string | undefined => options.get(name) ?? undefined;
  const tls = { ca: get('ca'), cert: get('cert'), key: get('key') };
  if (!secure && Object.values(tls).some((file) => file !== undefined)) {
    throw bad(text, 'certificates need etcds://');
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw bad(text, 'cert and key belong together');
  if (user?.includes(':')) throw bad(text, 'the password of etcd comes from a file (password-file=)');
  const members = hosts!.split(',').map((host) => {
    const found = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(host);
    if (found === null || Number(found[2] ?? 1) > 65_535) throw bad(text, `'${host}' is no host or host:port`);
    return `${found[1]}:${found[2] ?? ETCD_PORT}`;
  });
  const prefix = path.replace(/\/+$/, '');
  if (!/^[\w./-]*$/.test(prefix)) throw bad(text, 'a prefix is letters, digits, dots, dashes and slashes');
  return {
    kind: 'etcd',
    members,
    prefix: prefix === '' ? 'understudy' : prefix,
    tls: secure ? tls : undefined,
    user,
    passwordFile: get('password-file'),
  };
}

function postgres(text: string): ArbiterAddress {
  if (!URL.canParse(text)) throw bad(text, 'it is no URL');
  return { kind: 'postgres', url: text };
}

function bad(text: string, why: string): OperatingError {
  // What stands before an @ may be a password.
  const shown = text.replace(/:\/\/[^@/]*@/, '://...@');
  return new OperatingError(
    'bad-arbiter-address',
    `'${shown}' is no address of an arbiter: ${why}`,
    'Write a directory, etcd://host:port/prefix (etcds:// with TLS), or postgres://user@host/database.',
  );
}
