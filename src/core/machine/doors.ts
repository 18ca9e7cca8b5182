/**
 * The two doors of the machine. Whatever the world does to it is an `Input`, applied between two steps; whatever it does
 * to the world is an `Output`, produced during a step. Nothing else crosses: no clock, no random source, no file, no
 * socket. Record, replay, primary and backup are small programs around these two types.
 *
 * `device` is the index of the device among the machine's devices (its slot in the device tree): see `DeviceSlot`.
 */

/** A request of a block device to the world. Offsets and lengths are in bytes and multiples of 512. */
export type BlockRequest =
  | { readonly type: 'read'; readonly id: number; readonly offset: number; readonly length: number }
  /** `data` was copied out of guest memory at the notify instruction (the bounce buffer); it never changes. */
  | { readonly type: 'write'; readonly id: number; readonly offset: number; readonly data: Uint8Array }
  | { readonly type: 'flush'; readonly id: number }
  | { readonly type: 'discard'; readonly id: number; readonly offset: number; readonly length: number }
  | { readonly type: 'write-zeroes'; readonly id: number; readonly offset: number; readonly length: number };

export type PowerAction = 'off' | 'reset';

export type Input =
  /** From here on `time` is `time` + (position - here) * slope / 2^32, in ticks of 100 ns. 0 <= slope < 2^32. */
  | { readonly kind: 'clock'; readonly time: bigint; readonly slope: number }
  | { readonly kind: 'net-rx'; readonly device: number; readonly frame: Uint8Array }
  /** A finished block request. `data` for reads that went well, of the length asked for. */
  | {
      readonly kind: 'block-done';
      readonly device: number;
      readonly id: number;
      readonly ok: boolean;
      readonly data?: Uint8Array;
    }
  | { readonly kind: 'console-in'; readonly device: number; readonly data: Uint8Array }
  /** The answer to an entropy request, of the length asked for. */
  | { readonly kind: 'entropy'; readonly device: number; readonly id: number; readonly data: Uint8Array }
  /** It is this many nanoseconds after the beginning of 1970 (UTC): the real-time clock goes on from there. 0 .. 2^64-1. */
  | { readonly kind: 'wall-clock'; readonly nanoseconds: bigint }
  /** Somebody pressed the power button: the machine stops at this position. */
  | { readonly kind: 'power'; readonly action: PowerAction };

export type Output =
  | { readonly kind: 'net-tx'; readonly device: number; readonly frame: Uint8Array }
  | { readonly kind: 'block'; readonly device: number; readonly request: BlockRequest }
  | { readonly kind: 'console-out'; readonly device: number; readonly data: Uint8Array }
  | { readonly kind: 'entropy'; readonly device: number; readonly id: number; readonly length: number }
  | { readonly kind: 'power'; readonly action: PowerAction };

/** Where a device puts its outputs. Called synchronously, on the CPU's thread, during a step or while an input is applied. */
export type Emit = (output: Output) => void;
