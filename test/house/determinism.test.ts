/** The lint that keeps src/core deterministic must fail on each banned thing, there and nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTree, runProgram, tool } from './tree.ts';

const banned: Readonly<Record<string, string>> = {
  date: 'export const a = new Date();',
  now: 'export const a = Date.now();',
  performance: 'export const a = performance.now();',
  intl: "export const a = new Intl.Collator('en');",
  'weak-ref': 'export const a = new WeakRef({});',
  finalization: 'export const a = new FinalizationRegistry(() => {});',
  timeout: 'setTimeout(() => {}, 1);',
  interval: 'setInterval(() => {}, 1);',
  immediate: 'setImmediate(() => {});',
  microtask: 'queueMicrotask(() => {});',
  crypto: 'export const a = crypto.getRandomValues(new Uint8Array(1));',
  process: 'export const a = process.hrtime();',
  buffer: 'export const a = Buffer.alloc(1);',
  console: "console.log('a');",
  fetch: "export const a = fetch('a');",
  'global-this': "export const a = globalThis['Da' + 'te'];",
  eval: "export const a = new Function('return Date')();",
  random: 'export const a = Math.random();',
  sin: 'export const a = Math.sin(1);',
  cos: 'export const a = Math.cos(1);',
  exp: 'export const a = Math.exp(1);',
  log: 'export const a = Math.log(1);',
  pow: 'export const a = Math.pow(1, 2);',
  hypot: 'export const a = Math.hypot(1, 2);',
  'math-computed': "const name = 'sin' as const;\nexport const a = Math[name](1);",
  'math-alias': 'const { tan } = Math;\nexport const a = tan(1);',
  'math-uncalled': 'export const a = [1].map(Math.cbrt);',
  locale: 'export const a = (1).toLocaleString();',
  compare: "export const a = 'a'.localeCompare('b');",
  wait: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  'import-meta': 'export const a = import.meta.url;',
};

const allowed = `
const words = new Int32Array(new SharedArrayBuffer(8));
export const a = Math.max(Math.imul(3, 4), Math.clz32(1), Math.floor(1.5), Math.trunc(2.5), Math.abs(-1), Math.min(1, 2));
export const b = Math.fround(1.1) + Math.sqrt(2);
export const c = new TextEncoder().encode('a');
export const d = Atomics.load(words, 0);
export const e = 2n ** 64n;
`;

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly severity: string;
    readonly location: { readonly path: string | { readonly file: string } | null };
  }[];
}

/** The files with an error of the determinism rules. */
async function filesRefused(context: Parameters<typeof makeTree>[0], files: Readonly<Record<string, string>>) {
  const tree = await makeTree(context, { copies: ['biome.json', 'tools/deterministic-core.grit'], files });
  const words = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = await runProgram(tool('biome'), words, { cwd: tree });
  const { diagnostics } = JSON.parse(stdout) as Report;
  const refused = diagnostics
    .filter(
      ({ severity, category }) => severity === 'error' && /^(plugin|lint\/style\/noRestrictedGlobals)$/.test(category),
    )
    .map(({ location: { path } }) => (typeof path === 'string' ? path : (path?.file ?? '')));
  return [...new Set(refused)].sort();
}

const inFolder = (folder: string, suffix: string) =>
  Object.fromEntries(Object.entries(banned).map(([name, code]) => [`${folder}/${name}${suffix}`, `${code}\n`]));

test('each banned thing is refused in src/core', async (context) => {
  const files = inFolder('src/core/machine', '.ts');
  assert.deepEqual(await filesRefused(context, files), Object.keys(files).sort());
});

test('what is exact on every host is allowed in src/core', async (context) => {
  assert.deepEqual(await filesRefused(context, { 'src/core/machine/good.ts': allowed }), []);
});

test('tests beside the core, and the layers around it, may use the world', async (context) => {
  const files = { ...inFolder('src/core/machine', '.test.ts'), ...inFolder('src/host/disk', '.ts') };
  assert.deepEqual(await filesRefused(context, files), []);
});
