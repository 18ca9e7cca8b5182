#!/usr/bin/env node
// The entry of the installed package. It may be started by any Node, and hands over to the one that the package pins (on an
// older one translated code would be hopelessly slow); where that is not installed, the present one must do.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/app/cli/main.js', import.meta.url));

function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

const node = pinnedNode() ?? process.execPath;
if (node === process.execPath && Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`understudy: this is Node ${process.versions.node}, and understudy needs 24 or later\n`);
  process.stderr.write('  Install Node 24, or install the package with its optional dependencies.\n');
  process.exit(1);
}
// V8 compiles on several threads; with an arena for each the C library would keep some 150 MB that nobody uses.
const env = { MALLOC_ARENA_MAX: '2', ...process.env };
const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
