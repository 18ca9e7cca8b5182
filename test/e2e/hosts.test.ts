/**
 * Hosts as real daemons on this one, with replicas as real processes: a machine is protected, watched, handed over, and stopped; a
 * daemon is killed, and its successor finds what it left. The guest only waits, so that this is about the hosts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { askMachine } from '../../src/host/control/client.ts';
import type { HostReport } from '../../src/host/daemon/messages.ts';
import { assemble } from '../conformance/testing/assembler.ts';
import { makeElf } from '../conformance/testing/elf.ts';
import { LocalHosts } from './support/local-hosts.ts';

const MAIN = fileURLToPath(new URL('../../src/app/cli/main.ts', import.meta.url));

let directory = '';
const inDirectory = (name: string): string => join(directory, name);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'us-hosts-'));
  await writeFile(inDirectory('idle.elf'), makeElf(assemble('_start:\n wfi\n j _start\n')));
});

after(() => rm(directory, { recursive: true, force: true }));

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function understudy(...words: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const text = { value: '' };
    stream.setEncoding('utf8').on('data', (part: string) => {
      text.value += part;
    });
    return text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: stdout.value, stderr: stderr.value };
}

async function succeeds(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await understudy(...words);
  assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

function assertRefused({ status, stderr }: Ending, message: RegExp): void {
  assert.equal(status, 1, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.match(/^understudy: /gm)?.length, 1, stderr);
  assert.match(stderr, /\n {2}[A-Z"]/, 'there is advice');
  assert.doesNotMatch(stderr, /This is a bug/);
}

async function withHosts(name: string, work: (hosts: LocalHosts) => Promise<void>): Promise<void> {
  const hosts = new LocalHosts(directory, `${name}-`);
  try {
    await work(hosts);
  } finally {
    await hosts.close();
  }
}

async function describeMachine(name: string, more: object = {}): Promise<string> {
  const path = inDirectory(`${name}.yaml`);
  const machine = { name, memory: '32M', firmware: 'none', kernel: 'idle.elf', network: null, ...more };
  await writeFile(path, JSON.stringify(machine));
  return path;
}

const LIMIT = { timeout: 120_000 };

test('a machine is protected, shown, handed over, stopped and started again', LIMIT, () =>
  withHosts('life', async (hosts) => {
    await Promise.all(['a', 'b', 'c'].map((name) => hosts.start(name)));
    const contact = ['--host', hosts.address('c')];
    const machine = await describeMachine('web');
    assert.match(
      await succeeds('protect', machine, '--hosts', `b,a=${hosts.address('a')},c`, ...contact),
      /web is redundant: /,
    );
    const [primary, backup] = [await hosts.replica('b'), await hosts.replica('a')];
    assert.equal(primary.status?.role, 'primary');
    assert.equal(backup.status?.role, 'backup');
    assert.equal((await hosts.report('a')).freeBytes, 2 ** 30 - backup.memoryBytes);
    assert.match(await succeeds('status', ...contact), /\nweb +0 +b +a +paired +\d+ ms\n/);
    const told = JSON.parse(await succeeds('status', '--json', ...contact)) as { machines: object[]; hosts: object[] };
    assert.equal(told.machines.length, 1);
    assert.equal(told.hosts.length, 3);
    assertRefused(await understudy('protect', machine, '--hosts', 'c,a', ...contact), /has a replica of web already/);
    assert.match(await succeeds('failover', 'web', ...contact), /web has moved from b to a, in generation 1/);
    assert.equal((await hosts.replica('a')).pid, backup.pid, 'the backup is the primary now');
    assert.match(await succeeds('stop', 'web', ...contact), /web is stopped/);
    for (const name of ['a', 'b', 'c']) await hosts.until(name, ({ freeBytes }) => freeBytes === 2 ** 30);
    assert.match(await succeeds('start', 'web', ...contact), /web runs: /);
    await hosts.until('b', ({ replicas }) => (replicas[0]?.status?.generation ?? 0) === 2);
    await succeeds('stop', 'web', ...contact);
  }),
);

test('replicas go on without their daemon, and the next one adopts them before it offers memory', LIMIT, () =>
  withHosts('adopt', async (hosts) => {
    await Promise.all(['a', 'b'].map((name) => hosts.start(name)));
    await succeeds('protect', await describeMachine('kept'), '--hosts', 'a,b', '--host', hosts.address('a'));
    const before = await hosts.replica('a');
    await hosts.killDaemon('a');
    await hosts.until('b', ({ replicas }) => replicas[0]?.status?.phase === 'paired');
    await hosts.start('a');
    const after = await hosts.replica('a');
    assert.equal(after.pid, before.pid);
    assert.equal(after.status?.phase, 'paired');
    assert.equal((await hosts.report('a')).freeBytes, 2 ** 30 - before.memoryBytes);
    await succeeds('stop', 'kept', '--host', hosts.address('a'));
  }),
);

test('after the death of a primary its backup goes on, and makes itself a new backup on the spare host', LIMIT, () =>
  withHosts('spare', async (hosts) => {
    await Promise.all(['a', 'b', 'c'].map((name) => hosts.start(name)));
    const contact = ['--host', hosts.address('c')];
    await succeeds('protect', await describeMachine('again'), '--hosts', 'a,b,c', ...contact);
    const { pid } = await hosts.replica('a');
    await hosts.killDaemon('a');
    process.kill(pid, 'SIGKILL');
    const paired = (report: HostReport): boolean => report.replicas[0]?.status?.phase === 'paired';
    await hosts.until('c', paired);
    const { status } = await hosts.replica('b');
    assert.deepEqual([status?.role, status?.phase, status?.generation], ['primary', 'paired', 1]);
    await succeeds('stop', 'again', ...contact);
  }),
);

test('while a machine is not redundant, status and metrics say why, and what to do', LIMIT, () =>
  withHosts('why', async (hosts) => {
    await Promise.all([hosts.start('a'), hosts.start('b'), hosts.start('small', { memory: '64M' })]);
    const contact = ['--host', hosts.address('a')];
    await succeeds('protect', await describeMachine('why'), '--hosts', 'a,b,small', ...contact);
    type Told = { machines: { redundant: boolean; reasons: { code: string }[] }[] };
    const told = async (): Promise<Told> => JSON.parse(await succeeds('status', '--json', ...contact)) as Told;
    assert.deepEqual([(await told()).machines[0].redundant, (await told()).machines[0].reasons], [true, []]);
    const { pid } = await hosts.replica('b');
    await hosts.killDaemon('b');
    process.kill(pid, 'SIGKILL');
    const codes = ({ replicas }: HostReport) => replicas[0]?.status?.reasons?.map(({ code }) => code) ?? [];
    await hosts.until('a', (report) => codes(report).join() === 'host-failed,no-memory');
    const table = await succeeds('status', ...contact);
    assert.match(table, /^why is not redundant:\n {2}host b has given no backup: .* cannot be reached: /m);
    assert.match(
      table,
      / {2}host small has 64 MiB free, and a replica of why needs 224 MiB\n {4}Offer more memory there/,
    );
    assert.equal((await told()).machines[0].redundant, false);
    const metrics = await (await fetch(`http://${hosts.address('a')}/metrics`)).text();
    assert.match(metrics, /^understudy_replica_redundant\{machine="why"\} 0$/m);
    assert.match(metrics, /^understudy_replica_reason\{machine="why",code="no-memory"\} 1$/m);
    await hosts.until('a', (report) => codes(report).join() === 'host-absent,no-memory');
    await hosts.start('b');
    await hosts.until('a', (report) => report.replicas[0]?.status?.phase === 'paired');
    await succeeds('stop', 'why', ...contact);
  }),
);

test('the loss of both replicas is for a person to declare', LIMIT, () =>
  withHosts('loss', async (hosts) => {
    await Promise.all(['a', 'b'].map((name) => hosts.start(name)));
    const contact = ['--host', hosts.address('a')];
    await succeeds('protect', await describeMachine('lost'), '--hosts', 'a,b', ...contact);
    const pids = [(await hosts.replica('a')).pid, (await hosts.replica('b')).pid];
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    for (const name of ['a', 'b']) await hosts.until(name, (report) => report.replicas.length === 0);
    assert.match(await succeeds('status', ...contact), /\nlost .* LOST [\s\S]*understudy start lost --after-loss/);
    assertRefused(await understudy('start', 'lost', ...contact), /lost was not stopped: its replicas were lost/);
    assert.match(await succeeds('start', 'lost', '--after-loss', '--alone', ...contact), /lost runs: .*primary on a/);
    assertRefused(await understudy('start', 'lost', '--after-loss', ...contact), /lost has a replica on a/);
    await succeeds('stop', 'lost', ...contact);
  }),
);

test('what a person can get wrong about hosts is one clear error', LIMIT, () =>
  withHosts('wrong', async (hosts) => {
    await Promise.all([hosts.start('a'), hosts.start('small', { memory: '64M' })]);
    const contact = ['--host', hosts.address('a')];
    const machine = await describeMachine('wrong');
    const protect = (chosen: string) => understudy('protect', machine, '--hosts', chosen, ...contact);
    assertRefused(await protect('a'), /protected by two hosts at least/);
    assertRefused(await protect('a,nobody'), /there is no host nobody at .* \(there are: a, small\)/);
    assertRefused(await protect('a,small'), /host small has 64 MiB free, and a replica of wrong needs 224 MiB/);
    assertRefused(await protect(`a,small=${hosts.address('a')}`), /the host at .* is a, not small/);
    assertRefused(await understudy('status', '--host', '127.0.0.1:1'), /the host at 127.0.0.1:1 cannot be reached/);
    assertRefused(await understudy('stop', 'nothing', ...contact), /there is no machine nothing/);
    assertRefused(await understudy('host', inDirectory('none.yaml')), /none.yaml cannot be read: ENOENT/);
    const { port } = new URL(`http://${hosts.address('a')}`);
    const inUse = await hosts.configure('second', { listen: `127.0.0.1:${port}` });
    assertRefused(await understudy('host', inUse), new RegExp(`port ${port} on 127.0.0.1 is in use`));
    assertRefused(await understudy('host', inDirectory('wrong-a.yaml')), /the state directory .* is already in use/);
    const open = await hosts.configure('open', { listen: '0.0.0.0:0' });
    assertRefused(
      await understudy('host', open),
      /other hosts reach 0.0.0.0:0, and there are no keys[\s\S]*insecure: true/,
    );
    const typo = await hosts.configure('typo', { memmory: '1G' });
    assertRefused(await understudy('host', typo), /there is no key memmory; the keys are name, listen/);
    assertRefused(
      await understudy('host', await hosts.configure('size', { memory: '12' })),
      /memory: "12" has no unit/,
    );
  }),
);

test('the API refuses what is not meant for it, and goes on', LIMIT, () =>
  withHosts('api', async (hosts) => {
    await hosts.start('a');
    const call = async (method: string, path: string, body = ''): Promise<{ status: number; text: string }> => {
      const request = http.request(`http://${hosts.address('a')}${path}`, { method, agent: false });
      request.end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const text = (await response.setEncoding('utf8').toArray()).join('');
      return { status: response.statusCode!, text };
    };
    const codeOf = ({ text }: { text: string }): string => (JSON.parse(text) as { error: { code: string } }).error.code;
    assert.equal(codeOf(await call('GET', '/v1/nothing')), 'no-such-path');
    assert.equal(codeOf(await call('POST', '/v1/replicas', '{')), 'bad-request');
    assert.equal(codeOf(await call('POST', '/v1/replicas', '{"machine":"../up","role":"backup"}')), 'bad-request');
    assert.equal(codeOf(await call('POST', '/v1/replicas/%2e%2e%2fup/stop')), 'bad-machine-name');
    assert.equal(codeOf(await call('POST', '/v1/replicas/web/stop')), 'no-replica');
    assert.equal(codeOf(await call('PUT', '/v1/machines/web', `{"x":"${'y'.repeat(100_000)}"}`)), 'too-long');
    const unknown = await call('POST', '/v1/replicas', '{"machine":"web","role":"primary","start":"create"}');
    assert.deepEqual([unknown.status, codeOf(unknown)], [404, 'no-such-machine']);
    assert.match((await call('GET', '/metrics')).text, /^understudy_host_memory_bytes\{kind="free"\} 1073741824$/m);
    assert.equal((await call('GET', '/healthz')).text, 'ok\n');
    const raw = net.connect({ host: '127.0.0.1', port: Number(hosts.address('a').split(':')[1]) });
    raw.end('no HTTP at all\r\n\r\n');
    await once(raw.resume(), 'close');
    assert.deepEqual((await hosts.report('a')).replicas, []);
  }),
);

test('a replica that cannot start says why, and gives its memory back', LIMIT, () =>
  withHosts('files', async (hosts) => {
    await Promise.all(['a', 'b'].map((name) => hosts.start(name)));
    const machine = await describeMachine('gone', { kernel: 'no-such.elf' });
    const end = await understudy('protect', machine, '--hosts', 'a,b', '--host', hosts.address('a'));
    assertRefused(end, /kernel: .*no-such.elf/);
    assert.equal((await hosts.report('a')).freeBytes, 2 ** 30);
    assert.deepEqual(await hosts.client('a').machines(), []);
  }),
);

test('the service manager is told when the host is ready', LIMIT, () =>
  withHosts('notify', async (hosts) => {
    const file = await hosts.configure('a');
    const script = `
import socket, subprocess, sys, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(30)
p = subprocess.Popen(sys.argv[2:], env={**os.environ, 'NOTIFY_SOCKET': sys.argv[1]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def until(word):
    while word not in (said := s.recv(4096).decode()): pass
    print(said)
until('READY=1'); p.terminate(); until('STOPPING=1'); p.wait()
`;
    await writeFile(inDirectory('notify.py'), script);
    const words = [inDirectory('notify.py'), inDirectory('notify.socket'), process.execPath, MAIN, 'host', file];
    const python = spawn('python3', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const told = (await python.stdout.setEncoding('utf8').toArray()).join('');
    assert.match(told, /READY=1/);
    assert.match(told, /STOPPING=1/);
  }),
);

test('the log of a replica tells its story, and its console is kept', LIMIT, () =>
  withHosts('log', async (hosts) => {
    await Promise.all(['a', 'b'].map((name) => hosts.start(name)));
    await succeeds('protect', await describeMachine('story'), '--hosts', 'a,b', '--host', hosts.address('a'));
    await hosts.replica('a');
    await hosts.replica('b');
    await succeeds('stop', 'story', '--host', hosts.address('b'));
    const log = await readFile(inDirectory('log-a/replicas/story/log'), 'utf8');
    assert.match(log, /asking host b for a backup[\s\S]*generation 0: paired[\s\S]*ended: shutdown/);
  }),
);

test('a snapshot is taken of a pair while it runs, and a machine goes on from it', LIMIT, () =>
  withHosts('snap', async (hosts) => {
    await writeFile(inDirectory('count.elf'), makeElf(assemble('_start:\n addi t0, t0, 1\n j _start\n')));
    await Promise.all(['a', 'b'].map((name) => hosts.start(name)));
    const contact = ['--host', hosts.address('a')];
    const machine = await describeMachine('snap', { kernel: 'count.elf' });
    await succeeds('protect', machine, '--hosts', 'a,b', ...contact);
    const socketOf = (name: string): string => `unix:${inDirectory(`snap-${name}/replicas/snap/machine`)}`;
    const file = inDirectory('pair.snap');
    const taken = await succeeds('snapshot', socketOf('a'), file);
    const position = BigInt(/the machine at step (\d+)/.exec(taken)?.[1] ?? 0);
    assert.ok(position > 0n, taken);
    assertRefused(await understudy('snapshot', socketOf('a'), file), /exists already/);
    assertRefused(
      await understudy('snapshot', socketOf('a'), `${file}2`, '--stop'),
      /snap has a backup, which would go on/,
    );
    assertRefused(
      await understudy('snapshot', socketOf('b'), `${file}2`),
      /this replica of snap is a backup, and paired/,
    );
    const { status } = await hosts.replica('a');
    assert.deepEqual([status?.phase, status?.generation], ['paired', 0], 'the pair noticed nothing');
    await succeeds('stop', 'snap', ...contact);

    const control = inDirectory('resumed.sock');
    const resumed = spawn(process.execPath, [MAIN, 'resume', file, machine, '--control', `unix:${control}`], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    try {
      let said = '';
      for await (const part of resumed.stderr.setEncoding('utf8')) {
        said += part;
        if (said.includes('the machine goes on from')) break;
      }
      assert.match(said, new RegExp(`step ${position},`));
      // Its socket is there a moment later.
      for (let now = 0n; now <= position; ) {
        now = await askMachine(control, { command: 'status' }).then(
          (answer) => BigInt(answer.status!.position),
          () => 0n,
        );
      }
    } finally {
      resumed.kill('SIGKILL');
    }
  }),
);
