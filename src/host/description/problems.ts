/**
 * What is wrong with a description, independent of where it came from: each problem names the key by its path. The
 * caller shows it where the user wrote it: a line of the YAML file, or an option.
 */
import type { z } from 'zod';
import { keysAt, knownAliases } from './schema.ts';

export interface Problem {
  /** `['network', 'forwards', 0]`; empty for the description as a whole. */
  readonly path: readonly PropertyKey[];
  /** Whether the key itself is wrong (unknown), or what it holds. */
  readonly at: 'key' | 'value';
  /** `file`: what the description says is well formed, but a file that it names is missing or wrong. */
  readonly kind?: 'file';
  /** Goes on from the path: `memory: "512" has no unit`. */
  readonly message: string;
}

/** `network.forwards[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? String(part) : `.${String(part)}`))
    .join('');
}

/** The edits (insert, delete, replace) that turn one word into the other (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

/** The known word that the user most likely meant; undefined if none is near. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const alias = knownAliases[word];
  if (alias !== undefined && known.includes(alias)) return alias;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

function unknownKey(parent: readonly PropertyKey[], key: string): Problem {
  const known = keysAt(parent);
  const suggestion = suggest(key, known);
  const hint = suggestion === undefined ? `the keys are ${known.join(', ')}` : `did you mean "${suggestion}"?`;
  return { path: [...parent, key], at: 'key', message: `is no key of a machine description; ${hint}` };
}

/** The schema's findings in our words. */
export function problemsOf(error: z.ZodError, isMissing: (path: readonly PropertyKey[]) => boolean): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key));
    const at = 'value' as const;
    if (isMissing(issue.path)) return [{ path: issue.path, at, message: 'is missing, and every machine needs one' }];
    switch (issue.code) {
      case 'invalid_value':
        return [{ path: issue.path, at, message: `must be ${issue.values.map(String).join(' or ')}` }];
      case 'invalid_type':
        return [{ path: issue.path, at, message: `must be ${nameOfType(issue.expected)}` }];
      default:
        return [{ path: issue.path, at, message: issue.message }];
    }
  });
}

function nameOfType(expected: string): string {
  switch (expected) {
    case 'object':
      return 'a mapping of keys to values';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${expected}`;
  }
}
