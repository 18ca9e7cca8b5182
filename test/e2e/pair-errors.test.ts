/** What can be wrong when a pair starts: each gets one clear error, the right exit status, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeMessage } from '../../src/core/replication/message-codec.ts';
import { connectChannel, listenForChannels } from '../../src/host/channel/channel.ts';
import { type Child, startChild } from '../../src/host/processes.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';

const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));

let directory = '';
const inDirectory = (name: string): string => join(directory, name);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'understudy-errors-'));
  await writeFile(inDirectory('idle.elf'), makeElf(assemble('_start:\n wfi\n j _start\n')));
  await writeFile(inDirectory('disk.img'), new Uint8Array(1024 * 1024));
  await mkdir(inDirectory('arbiter'));
});

after(() => rm(directory, { recursive: true, force: true }));

/** Writes a description of a machine that does nothing; returns its path. */
async function describe(name: string, more: object = {}): Promise<string> {
  const machine = { name, memory: '32M', firmware: 'none', kernel: 'idle.elf', network: null, ...more };
  const path = inDirectory(`${name}-${Object.keys(more).join('-')}.yaml`);
  await writeFile(path, JSON.stringify(machine));
  return path;
}

interface Ending {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs `understudy <words>` until it ends by itself. */
async function understudy(...words: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

/** One error, with advice, and no stack. Other lines may tell what came before. */
function assertRefused({ status, stderr }: Ending, message: RegExp): void {
  assert.equal(status, 1, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.match(/^understudy: /gm)?.length, 1, stderr);
  assert.match(stderr, /\n {2}[A-Z]/, 'there is advice');
  assert.doesNotMatch(stderr, /This is a bug/);
}

function primaryWords(description: string, socket: string): string[] {
  const arbiter = ['--arbiter', inDirectory('arbiter'), '--unsafe-arbiter'];
  return ['primary', description, '--listen', `unix:${inDirectory(socket)}`, ...arbiter];
}

function backupWords(description: string, socket: string): string[] {
  const arbiter = ['--arbiter', inDirectory('arbiter'), '--unsafe-arbiter'];
  return ['backup', description, '--primary', `unix:${inDirectory(socket)}`, ...arbiter];
}

async function withChild(words: readonly string[], work: (child: Child) => Promise<void>): Promise<void> {
  const child = await startChild(words);
  try {
    await work(child);
  } finally {
    await child.stop();
  }
}

test('a machine that is to start again by itself is for hosts', async () => {
  const description = await describe('by-itself', { onTotalLoss: 'restart' });
  const advice = /by-itself is to be started again by itself [\s\S]*Use "understudy host"/;
  assertRefused(await understudy('pair', description, '--state', inDirectory('by-itself')), advice);
  assertRefused(await understudy(...primaryWords(description, 'by-itself.socket'), '--create'), advice);
});

test('a pair whose disk another one has is told who has it', async () => {
  const disk = inDirectory('disk.img');
  const description = await describe('second', { disk });
  const server = ['disk', disk, '--listen', `unix:${inDirectory('disk-server')}`, '--name', 'first'];
  await withChild(server, async ({ pid }) => {
    const end = await understudy('pair', description, '--state', inDirectory('second-state'));
    assertRefused(end, new RegExp(`the disk ${disk} is already in use by process ${pid} `));
  });
});

test('a state directory holds one pair at a time, and the machine starts again in it', async () => {
  const description = await describe('twice');
  const state = inDirectory('twice-state');
  const first = spawn(process.execPath, [MAIN, 'pair', description, '--state', state], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(first, 'close');
  await once(createInterface({ input: first.stdout }), 'line');
  assertRefused(
    await understudy('pair', description, '--state', state),
    new RegExp(`the state directory ${state} is already in use by process ${first.pid} `),
  );
  first.stdin.end();
  const [status] = await ended;
  assert.equal(status, 0, 'a pair ends well when its parent is gone');
  const again = spawn(process.execPath, [MAIN, 'pair', description, '--state', state], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const endedAgain = once(again, 'close');
  await new Promise<void>((resolve) => {
    createInterface({ input: again.stdout }).on('line', (line) => {
      if (/^primary .*generation 1, paired/.test(line)) resolve();
    });
  });
  again.stdin.end();
  const [statusAgain] = await endedAgain;
  assert.equal(statusAgain, 0, 'it starts again where it was, in the next generation');
});

test('a pair needs a place for its state', async () => {
  const description = await describe('placeless');
  assertRefused(
    await understudy('pair', description, '--state', '/dev/null/state'),
    /the directory \/dev\/null\/state.* cannot be made/,
  );
});

test('a port in use, for the log or for the guest, is named', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const words = primaryWords(await describe('port'), 'unused');
  words[words.indexOf('--listen') + 1] = `127.0.0.1:${port}`;
  assertRefused(await understudy(...words, '--create'), new RegExp(`port ${port} on 127.0.0.1 is in use`));
  const forwarding = await describe('forward', { network: { forwards: [`127.0.0.1:${port}:80`] } });
  assertRefused(
    await understudy('pair', forwarding, '--state', inDirectory('forward-state')),
    new RegExp(`port ${port} .*is in use already`),
  );
  server.close();
});

test('an arbiter directory that is missing, or cannot be written, or is on this host, is refused', async () => {
  const description = await describe('arbiter');
  const words = ['primary', description, '--listen', `unix:${inDirectory('unused')}`, '--create', '--arbiter'];
  assertRefused(await understudy(...words, inDirectory('nowhere')), /there is no directory .*nowhere for the arbiter/);
  assertRefused(await understudy(...words, '/proc', '--unsafe-arbiter'), /arbiter directory \/proc cannot be written/);
  assertRefused(await understudy(...words, inDirectory('arbiter')), /is on this host's own storage/);
});

test('a replica does not start without its disk server or its hub', async () => {
  const nowhere = `unix:${inDirectory('nobody-listens')}`;
  const withDisk = await describe('diskless', { disk: inDirectory('disk.img') });
  assertRefused(
    await understudy(...primaryWords(withDisk, 'unused'), '--create', '--disk', nowhere),
    /the disk of diskless at .*nobody-listens cannot be reached/,
  );
  const withNetwork = await describe('hubless', { network: {} });
  assertRefused(
    await understudy(...primaryWords(withNetwork, 'unused'), '--create', '--hub', nowhere),
    /the hub at .*nobody-listens cannot be reached/,
  );
});

test('a backup of another machine is refused, and the primary waits on for the right one', async () => {
  const description = await describe('same');
  const other = await describe('same', { memory: '64M' });
  await withChild([...primaryWords(description, 'same'), '--create'], async () => {
    assertRefused(await understudy(...backupWords(other, 'same')), /the primary runs another machine .*\(hash/);
    const name = await describe('other-name');
    assertRefused(await understudy(...backupWords(name, 'same')), /this is the primary of same/);
    const paired = Promise.withResolvers<void>();
    const right = await startChild(backupWords(description, 'same'), {
      onError: (line) => line.includes(': paired') && paired.resolve(),
    });
    await paired.promise;
    await right.stop();
  });
});

test('a machine is created once', async () => {
  const description = await describe('once');
  await withChild([...primaryWords(description, 'once'), '--create'], async () => {
    assertRefused(
      await understudy(...primaryWords(description, 'once-more'), '--create'),
      /the arbiter knows this machine already/,
    );
  });
});

test('a machine that the arbiter has never seen is not started without --create, and a person is told', async () => {
  const words = primaryWords(await describe('unknown'), 'unknown');
  const { promise: told, resolve } = Promise.withResolvers<string>();
  const primary = await startChild(words, { onError: (line) => line.includes('--create') && resolve(line) });
  assert.match(await told, /the arbiter directory .* shows no record of unknown .*asking again/);
  await primary.stop();
});

/** A replica, and a wait for what it says of itself. */
async function startReplica(words: readonly string[]): Promise<Child & { says(text: string): Promise<void> }> {
  const lines: string[] = [];
  const looks = new Set<() => void>();
  const onError = (line: string): void => {
    lines.push(line);
    for (const look of looks) look();
  };
  const child = await startChild(words, { onError });
  const says = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (lines.some((line) => line.includes(text))) resolve();
      };
      looks.add(look);
      look();
    });
  return { ...child, says };
}

test('who has run already makes a copy for a new backup, which goes on when it is killed, and makes one in its turn', async () => {
  const description = await describe('late');
  await withChild([...primaryWords(description, 'late'), '--create', '--alone'], async (primary) => {
    const heir = `unix:${inDirectory('heir')}`;
    const second = await startReplica([...backupWords(description, 'late'), '--listen', heir]);
    await second.says('generation 0: paired (the copy is complete)');
    primary.process.kill('SIGKILL');
    await second.says('generation 1: alone');
    const words = backupWords(description, 'late').map((word, at, all) => (all[at - 1] === '--primary' ? heir : word));
    const third = await startReplica(words);
    await third.says('generation 1: paired (the copy is complete)');
    await second.says('generation 1: paired');
    second.process.kill('SIGKILL');
    await third.says('generation 2: alone');
    await third.stop();
  });
});

/** A message as the next version might send it. */
function ofNextVersion(): Uint8Array {
  const message = encodeMessage({ type: 'bye', generation: 0, reason: 'shutdown' });
  message[0]++;
  return message;
}

test('a backup of another version hears why it is refused, and the primary waits on', async () => {
  const description = await describe('version');
  await withChild([...primaryWords(description, 'version'), '--create'], async () => {
    const { promise: answer, resolve } = Promise.withResolvers<Uint8Array>();
    const events = { onMessage: resolve, onClose: () => {} };
    const channel = await connectChannel({ path: inDirectory('version') }, events);
    channel.send(ofNextVersion());
    assert.match(Buffer.from(await answer).toString('latin1'), /this primary speaks version/);
    channel.abort();
    assertRefused(
      await understudy(...backupWords(await describe('version', { memory: '64M' }), 'version')),
      /another machine/,
    );
  });
});

test('a backup that meets a primary of another version ends', async () => {
  const path = inDirectory('next-version');
  const listener = await listenForChannels({ path }, (channel) => {
    return { onMessage: () => channel.send(ofNextVersion()), onClose: () => {} };
  });
  const description = await describe('next');
  assertRefused(await understudy(...backupWords(description, 'next-version')), /the peer speaks protocol version/);
  await listener.close();
});

test('nothing is left behind by what did not start', async () => {
  const sockets = (await readdir(directory)).filter((name) => name === 'unused');
  assert.deepEqual(sockets, []);
});
