import { readFile } from 'node:fs/promises';
import { Command } from 'commander';

/** `understudy version`. */
export function command(): Command {
  return new Command('version')
    .summary('print the version')
    .description('Prints the version of Understudy and of the runtime under it.')
    .action(async () => {
      const text = await readFile(new URL('../../../../package.json', import.meta.url), 'utf8');
      const { version } = JSON.parse(text) as { readonly version: string };
      process.stdout.write(`understudy ${version} (Node ${process.version}, ${process.platform} ${process.arch})\n`);
    });
}
