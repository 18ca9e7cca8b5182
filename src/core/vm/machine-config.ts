/**
 * What defines a machine to the core: everything on which its steps depend, and nothing else (no paths, no ports). Two
 * replicas with equal configurations and equal inputs are equal machines.
 *
 * Devices are numbered for the doors (`device` of inputs and outputs): 0 is the UART, 1 + i the virtio device in slot i.
 */
export type VirtioConfig =
  | { readonly kind: 'block'; readonly capacityBytes: number; readonly readOnly: boolean; readonly serial: string }
  | { readonly kind: 'net'; readonly mac: Uint8Array }
  | { readonly kind: 'console' }
  | { readonly kind: 'entropy' };

/** What lies in RAM and registers at reset. */
export type BootConfig =
  | {
      readonly kind: 'linux';
      /** A RISC-V Linux `Image`, loaded at RAM + 2 MiB. */
      readonly image: Uint8Array;
      readonly initramfs: Uint8Array | undefined;
      readonly commandLine: string;
      /** What the guest's random number generator is seeded with at boot; part of the machine, so fixed. */
      readonly rngSeed: Uint8Array;
    }
  | { readonly kind: 'elf'; readonly file: Uint8Array };

export interface MachineConfig {
  /** A multiple of 4,096, at most 3 GiB. */
  readonly ramBytes: number;
  readonly firmware: 'builtin' | 'none';
  readonly boot: BootConfig;
  readonly virtio: readonly VirtioConfig[];
  /**
   * `input`: clock inputs carry the time, `wfi` waits for an input. `steps`: no host; one tick of `time` every `stepsPerTick`
   * steps, and `wfi` jumps to the next timer (tests, fuzzing, `exec`).
   */
  readonly clock: { readonly kind: 'input' } | { readonly kind: 'steps'; readonly stepsPerTick: number };
}

/**
 * Which machine this is: it goes up with every change of what a guest can see, or of what the state's hash covers. Replicas
 * and logs of another revision are of another machine.
 */
export const MACHINE_REVISION = 1;

export const UART_DEVICE = 0;
export const virtioDevice = (slot: number): number => 1 + slot;
