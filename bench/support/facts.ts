/** What a figure depends on besides the code: the machine, its load, and the versions of everything. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Facts {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly hostKernel: string;
  readonly node: string;
  readonly qemu: string;
  readonly commit: string;
  /** Of the last minute, before the first measurement: what others did to the machine. */
  readonly load: number;
}

async function firstLine(program: string, words: readonly string[]): Promise<string> {
  try {
    return (await run(program, words)).stdout.split('\n')[0].trim();
  } catch {
    return 'none';
  }
}

export async function collectFacts(): Promise<Facts> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const family = /cpu family\s*: (\d+)[\s\S]*?model\s*: (\d+)/.exec(info);
  const model = cpus()[0]?.model ?? 'unknown';
  const dirty = (await firstLine('git', ['status', '--porcelain', '--untracked-files=no', 'src'])) !== '';
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    processor: family === null ? model : `${model} (family ${family[1]}, model ${family[2]})`,
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    hostKernel: release(),
    node: process.version,
    qemu: (await firstLine('qemu-system-riscv64', ['--version'])).replace(/^QEMU emulator version /, ''),
    commit: (await firstLine('git', ['rev-parse', '--short', 'HEAD'])) + (dirty ? ' and uncommitted changes' : ''),
    load: loadavg()[0],
  };
}
