/** A pair whose arbiter is a server: it fails over with it, and waits for it when it is away. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openArbiter } from '../../../src/host/arbiter/open.ts';
import { type Child, startChild } from '../../../src/host/processes.ts';
import { assemble } from '../../conformance/testing/assembler.ts';
import { makeElf } from '../../conformance/testing/elf.ts';
import { startEtcd } from './support/etcd-server.ts';
import { startPostgres } from './support/postgres-server.ts';
import type { ArbiterServer } from './support/server-process.ts';

/** A replica, and what it has said so far on its standard error. */
type Speaker = { readonly child: Child; heard(pattern: RegExp): Promise<string> };

async function speaker(words: readonly string[]): Promise<Speaker> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const child = await startChild(words, {
    onError: (line) => {
      lines.push(line);
      for (const wake of waiting) wake();
    },
  });
  const heard = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const line = lines.find((text) => pattern.test(text));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  return { child, heard };
}

for (const start of [startEtcd, startPostgres] as readonly (() => Promise<ArbiterServer>)[]) {
  const name = start === startEtcd ? 'etcd' : 'PostgreSQL';
  test(`a pair with ${name}: the backup waits while it is away, and says so; then it goes on`, {
    timeout: 60_000,
  }, async (t: TestContext) => {
    const server = await start();
    const directory = await mkdtemp(join(tmpdir(), 'understudy-replica-'));
    t.after(async () => {
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    });
    await writeFile(join(directory, 'idle.elf'), makeElf(assemble('_start:\n wfi\n j _start\n')));
    const description = join(directory, 'machine.yaml');
    const machine = { name: 'web', memory: '32M', firmware: 'none', kernel: 'idle.elf', network: null };
    await writeFile(description, JSON.stringify(machine));
    const address = (await server.newStore()).addressAt(server.port);
    const arbiter = ['--arbiter', address, '--unsafe-arbiter'];
    const socket = `unix:${join(directory, 'log')}`;

    const primary = await speaker(['primary', description, '--listen', socket, '--create', ...arbiter]);
    t.after(() => primary.child.stop());
    const backup = await speaker(['backup', description, '--primary', socket, ...arbiter]);
    t.after(() => backup.child.stop());
    await Promise.all([primary.heard(/: paired/), backup.heard(/: paired/)]);

    await server.kill();
    process.kill(primary.child.pid, 'SIGKILL');
    const notice = await backup.heard(/waiting, and asking again/);
    assert.match(notice, new RegExp(`127\\.0\\.0\\.1:${server.port}.*ECONNREFUSED.*Look whether ${name} runs`));
    await server.restart();
    await backup.heard(/answers again/);
    await backup.heard(/generation 1: /);
    const reader = await openArbiter(address, { allowLocal: true });
    t.after(() => reader.close());
    assert.equal((await reader.owner('web'))?.generation, 1);
  });
}
