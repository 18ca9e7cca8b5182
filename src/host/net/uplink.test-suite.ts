/**
 * For tests only: what every uplink must do, whatever carries its frames. Each kind brings a far end of its own and calls
 * `testUplink`.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Arrivals } from './testing.ts';
import type { Uplink, UplinkEvents } from './uplink.ts';

/** The other end of the wire, in the test's hands. */
export interface FarEnd {
  /** Every whole frame that came from the uplink, but for what an uplink sends on its own account. */
  readonly frames: Arrivals<Uint8Array>;
  send(frame: Uint8Array): void;
  /** Something that is no frame, of each kind that this carrier knows; resolves when a frame can be sent again. */
  sendGarbage(): Promise<void>;
  /** The far end is gone, as after a crash. */
  leave(): Promise<void>;
  /** It is there again, at the same address. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export type UplinkKind = {
  readonly name: string;
  /** A far end that is there, and an uplink to it. */
  open(events: UplinkEvents): Promise<{ readonly uplink: Uplink; readonly farEnd: FarEnd }>;
};

function frameOf(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

async function opened(t: TestContext, kind: UplinkKind) {
  const frames = new Arrivals<Uint8Array>();
  const states = new Arrivals<string>();
  const { uplink, farEnd } = await kind.open({
    onFrame: (frame) => frames.put(frame),
    onState: (state) => states.put(state),
  });
  t.after(async () => {
    await uplink.close();
    await farEnd.close();
  });
  await states.takeUntil((state) => state === 'up');
  return { uplink, farEnd, frames, states };
}

export function testUplink(kind: UplinkKind): void {
  test(`${kind.name}: frames go both ways, in order, and the sender may reuse his bytes`, async (t) => {
    const { uplink, farEnd, frames } = await opened(t, kind);
    assert.equal(uplink.state, 'up');
    const reused = frameOf(60, 1);
    uplink.send(reused);
    reused.fill(99);
    uplink.send(frameOf(9000, 2));
    uplink.send(frameOf(14, 3));
    for (const [length, fill] of [
      [60, 1],
      [9000, 2],
      [14, 3],
    ] as const) {
      assert.deepEqual(Uint8Array.from(await farEnd.frames.take()), frameOf(length, fill));
    }
    for (let count = 0; count < 100; count++) farEnd.send(frameOf(60 + count, count));
    for (let count = 0; count < 100; count++) {
      assert.deepEqual(Uint8Array.from(await frames.take()), frameOf(60 + count, count));
    }
    assert.equal(uplink.counters.framesOut, 3);
    assert.equal(uplink.counters.framesIn, 100);
    assert.equal(uplink.counters.framesDropped, 0);
  });

  test(`${kind.name}: a frame that Ethernet does not know is dropped and counted`, async (t) => {
    const { uplink, farEnd } = await opened(t, kind);
    uplink.send(new Uint8Array(0));
    uplink.send(frameOf(13, 1));
    uplink.send(frameOf(65_551, 2));
    assert.equal(uplink.counters.framesDropped, 3);
    uplink.send(frameOf(60, 4));
    assert.deepEqual(Uint8Array.from(await farEnd.frames.take()), frameOf(60, 4));
  });

  test(`${kind.name}: garbage from outside never becomes a frame, and the next frame comes through`, async (t) => {
    const { farEnd, frames } = await opened(t, kind);
    await farEnd.sendGarbage();
    farEnd.send(frameOf(60, 5));
    assert.deepEqual(Uint8Array.from(await frames.take()), frameOf(60, 5));
  });

  test(`${kind.name}: a far end that goes away is told as down, and as up when it is back`, async (t) => {
    const { uplink, farEnd, frames, states } = await opened(t, kind);
    await farEnd.leave();
    await states.takeUntil((state) => state === 'down');
    uplink.send(frameOf(60, 6)); // into the void: no error, no end of the process
    await farEnd.comeBack();
    await states.takeUntil((state) => state === 'up');
    farEnd.send(frameOf(60, 7));
    assert.deepEqual(Uint8Array.from(await frames.take()), frameOf(60, 7));
  });

  test(`${kind.name}: a closed uplink is silent, drops what it is given, and can be closed again`, async (t) => {
    const { uplink, farEnd, frames, states } = await opened(t, kind);
    await uplink.close();
    await uplink.close();
    const before = uplink.counters.framesDropped;
    uplink.send(frameOf(60, 8));
    assert.equal(uplink.counters.framesDropped, before + 1);
    await farEnd.leave();
    assert.equal(frames.waiting, 0);
    assert.equal(states.waiting, 0);
  });
}
