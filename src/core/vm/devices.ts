/** Builds the machine's devices from its configuration, and passes inputs to the one that they name. */
import { OperatingError } from '../base/error.ts';
import { ACLINT_WINDOW_BYTES, Aclint, type AclintDependencies } from '../devices/aclint.ts';
import type { Device, GuestMemory, Plain } from '../devices/device.ts';
import { PLIC_WINDOW_BYTES, Plic, type PlicDependencies } from '../devices/plic.ts';
import { RTC_WINDOW_BYTES, Rtc } from '../devices/rtc.ts';
import type { StateErrorCode } from '../devices/state.ts';
import { UART_WINDOW_BYTES, Uart } from '../devices/uart.ts';
import { VirtioBlock } from '../devices/virtio/block.ts';
import { VirtioConsole } from '../devices/virtio/console.ts';
import { VirtioEntropy } from '../devices/virtio/entropy.ts';
import { VirtioNet } from '../devices/virtio/net.ts';
import type { VirtioDependencies } from '../devices/virtio/transport.ts';
import type { Emit, Input, Output } from '../machine/doors.ts';
import { guestMap, interruptSource } from '../machine/memory-map.ts';
import type { Bus } from './bus.ts';
import { PLIC_SOURCES } from './device-tree.ts';
import { type MachineConfig, UART_DEVICE, type VirtioConfig, virtioDevice } from './machine-config.ts';
import type { PendingBlockRequest } from './machine-interface.ts';

type VirtioDevice = VirtioBlock | VirtioNet | VirtioConsole | VirtioEntropy;

export interface DevicesDependencies {
  readonly bus: Bus;
  readonly memory: GuestMemory;
  readonly emit: Emit;
  readonly timer: AclintDependencies;
  readonly external: PlicDependencies['external'];
}

export class MachineDevices {
  readonly uart: Uart;
  readonly #rtc: Rtc;
  readonly #all: readonly Device[];
  readonly #virtio: readonly VirtioDevice[];

  constructor(config: MachineConfig, deps: DevicesDependencies) {
    const plic = new Plic({ sources: PLIC_SOURCES, contexts: 2 }, { external: deps.external });
    const aclint = new Aclint({ harts: 1 }, deps.timer);
    this.uart = new Uart({ device: UART_DEVICE }, { interrupt: plic.line(interruptSource.uart), emit: deps.emit });
    deps.bus.attach(guestMap.aclint.base, ACLINT_WINDOW_BYTES, aclint);
    deps.bus.attach(guestMap.plic.base, PLIC_WINDOW_BYTES, plic);
    this.#rtc = new Rtc(deps.timer);
    deps.bus.attach(guestMap.rtc.base, RTC_WINDOW_BYTES, this.#rtc);
    deps.bus.attach(guestMap.uart.base, UART_WINDOW_BYTES, this.uart);
    this.#virtio = config.virtio.map((device, slot) => {
      const interrupt = plic.line(interruptSource.virtio0 + slot);
      const made = makeVirtio(device, virtioDevice(slot), { memory: deps.memory, interrupt, emit: deps.emit });
      deps.bus.attach(guestMap.virtio.base + slot * guestMap.virtio.length, guestMap.virtio.length, made);
      return made;
    });
    this.#all = [plic, aclint, this.#rtc, this.uart, ...this.#virtio];
  }

  save(): Plain[] {
    return this.#all.map((device) => device.save());
  }

  /** Takes over what `save()` of equal devices gave. Throws OperatingError. */
  restore(states: readonly Plain[]): void {
    if (states.length !== this.#all.length) {
      const found = `${states.length} devices, and this machine has ${this.#all.length}`;
      throw new OperatingError<StateErrorCode>('state-malformed', `the saved state has ${found}`);
    }
    for (const [index, device] of this.#all.entries()) device.restore(states[index]);
  }

  /** False if the input names a device or a request that does not exist: it has no effect then. */
  apply(input: Exclude<Input, { kind: 'clock' | 'power' }>): boolean {
    if (input.kind === 'wall-clock') {
      this.#rtc.set(input.nanoseconds);
      return true;
    }
    if (input.kind === 'console-in' && input.device === UART_DEVICE) {
      this.uart.input(input.data);
      return true;
    }
    const device = this.#virtio[input.device - virtioDevice(0)];
    if (input.kind === 'net-rx' && device instanceof VirtioNet) device.receive(input.frame);
    else if (input.kind === 'console-in' && device instanceof VirtioConsole) device.input(input.data);
    else if (input.kind === 'block-done' && device instanceof VirtioBlock) {
      return device.complete(input.id, input.ok, input.data);
    } else if (input.kind === 'entropy' && device instanceof VirtioEntropy)
      return device.complete(input.id, input.data);
    else return false;
    return true;
  }

  /** Console bytes that were held back to make larger outputs. */
  flushConsoles(): void {
    this.uart.flushOutput();
    for (const device of this.#virtio) if (device instanceof VirtioConsole) device.flushOutput();
  }

  inFlightBlockRequests(): PendingBlockRequest[] {
    return this.#virtio.flatMap((device, slot) =>
      device instanceof VirtioBlock
        ? device.inFlight().map((request) => ({ device: virtioDevice(slot), request }))
        : [],
    );
  }

  inFlightEntropyRequests(): Extract<Output, { kind: 'entropy' }>[] {
    return this.#virtio.flatMap((device) => (device instanceof VirtioEntropy ? device.inFlight() : []));
  }
}

function makeVirtio(config: VirtioConfig, device: number, deps: VirtioDependencies): VirtioDevice {
  switch (config.kind) {
    case 'block':
      return new VirtioBlock(
        { device, capacityBytes: config.capacityBytes, readOnly: config.readOnly, serial: config.serial },
        deps,
      );
    case 'net':
      return new VirtioNet({ device, mac: config.mac }, deps);
    case 'console':
      return new VirtioConsole({ device }, deps);
    case 'entropy':
      return new VirtioEntropy({ device }, deps);
  }
}
