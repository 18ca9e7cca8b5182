import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { assemble } from '../../../test/conformance/testing/assembler.ts';
import { type BareMachine, bootProgram } from '../../../test/conformance/testing/machine.ts';
import { randomProgram } from '../../../test/conformance/testing/random-program.ts';
import { assertSameState } from '../../../test/conformance/testing/state.ts';
import type { EngineChoice } from '../../core/engine/engine.ts';
import { CompileWorker } from './compile-worker.ts';
import { type CompileLink, PortCompiler } from './port-compiler.ts';

/** It never ends: the tests run it until what they are about has happened. */
const program = assemble(randomProgram({ seed: 7, instructions: 1500, rounds: 1_000_000_000 }));
const TURN_STEPS = 5_000n;

/** The interpreter, at the same position, is in the same state. */
function assertAsInterpreted({ machine }: BareMachine, name: string): void {
  const reference = bootProgram(program, { engine: { kind: 'interpreter' } });
  reference.machine.run(machine.position);
  assertSameState(machine, reference.machine, name);
}

interface Compiling {
  readonly compiler: PortCompiler;
  readonly worker: CompileWorker;
  readonly notices: string[];
  /** To the thread that there is now; undefined: there is none. */
  readonly link: () => CompileLink | undefined;
}

function compiling(): Compiling {
  const compiler = new PortCompiler();
  const notices: string[] = [];
  let link: CompileLink | undefined;
  const attach = (next: CompileLink | undefined): void => {
    link = next;
    compiler.attach(next);
  };
  const worker = new CompileWorker({ onLink: attach, onNotice: (line) => notices.push(line) });
  attach(worker.start());
  return { compiler, worker, notices, link: () => link };
}

/** Runs, with the event loop turning between slices, until `done` says so. */
async function runUntil(compiler: PortCompiler, done: (installed: number) => boolean): Promise<BareMachine> {
  const engine: EngineChoice = { kind: 'translator', compiler, tuning: { hotAfter: 50, batchRegions: 1 } };
  const bare = bootProgram(program, { engine });
  while (!done(bare.machine.engineStatistics()!.installed)) {
    bare.machine.run(bare.machine.position + TURN_STEPS);
    await turn();
  }
  bare.machine.run(bare.machine.position + TURN_STEPS);
  return bare;
}

test('a machine runs code that another thread has compiled, to the same state', async () => {
  const { compiler, worker, notices } = compiling();
  try {
    const bare = await runUntil(compiler, (installed) => installed > 2);
    assertAsInterpreted(bare, 'with a compile thread');
    assert.deepEqual(notices, []);
  } finally {
    await worker.stop();
  }
});

test('when the compile thread fails another one takes over, and the guest does not notice', async () => {
  const { compiler, worker, notices, link } = compiling();
  const first = link();
  try {
    // What it cannot even answer ends it.
    first!.port.postMessage(null);
    const bare = await runUntil(compiler, (installed) => link() !== first && installed > 0);
    assert.match(notices.join(), /the compile thread failed: /);
    assertAsInterpreted(bare, 'after a failure');
  } finally {
    await worker.stop();
  }
});

test('when compile threads fail again and again the guest is interpreted', async () => {
  const { compiler, worker, notices, link } = compiling();
  let last: CompileLink | undefined;
  try {
    const bare = await runUntil(compiler, () => {
      if (link() !== last) link()?.port.postMessage(null);
      last = link();
      return last === undefined;
    });
    assert.match(notices.at(-1)!, /stays interpreted$/);
    assertAsInterpreted(bare, 'without compile threads');
  } finally {
    await worker.stop();
  }
});
