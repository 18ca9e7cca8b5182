/** The device tree that the machine writes for itself (bindings: Linux Documentation/devicetree/bindings). */
import { cells64, flattenTree, type TreeNode } from '../machine/flattened-tree.ts';
import { guestMap, interruptSource, RAM_BASE } from '../machine/memory-map.ts';
import type { MachineConfig } from './machine-config.ts';

const CPU_PHANDLE = 1;
const PLIC_PHANDLE = 2;
/** Numbers of the hart's local interrupts. */
const SUPERVISOR_EXTERNAL = 9;
const MACHINE_EXTERNAL = 11;
const MACHINE_SOFTWARE = 3;
const MACHINE_TIMER = 7;

export const TIMEBASE_HZ = 10_000_000;
export const PLIC_SOURCES = 31;

const EXTENSIONS = ['i', 'm', 'a', 'f', 'd', 'c', 'zicsr', 'zifencei', 'zicntr', 'zba', 'zbb', 'zbs', 'sstc'];
/** The walk sets A and D bits itself, and under the builtin firmware nothing can turn that off. */
const BUILTIN_EXTENSIONS = [...EXTENSIONS, 'svadu'];

export function describeMachine(
  config: MachineConfig,
  initramfs: { readonly start: number; readonly end: number } | undefined,
): Uint8Array {
  const soc: { [name: string]: TreeNode } = {};
  const { aclint, plic, rtc, uart, virtio } = guestMap;
  const hex = (value: number): string => value.toString(16);
  if (config.firmware === 'none') {
    soc[`clint@${hex(aclint.base)}`] = {
      properties: {
        compatible: ['sifive,clint0', 'riscv,clint0'],
        reg: [...cells64(aclint.base), ...cells64(aclint.length)],
        'interrupts-extended': [CPU_PHANDLE, MACHINE_SOFTWARE, CPU_PHANDLE, MACHINE_TIMER],
      },
    };
  }
  soc[`interrupt-controller@${hex(plic.base)}`] = {
    properties: {
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      reg: [...cells64(plic.base), ...cells64(plic.length)],
      'interrupts-extended': [CPU_PHANDLE, MACHINE_EXTERNAL, CPU_PHANDLE, SUPERVISOR_EXTERNAL],
      'interrupt-controller': true,
      '#interrupt-cells': 1,
      '#address-cells': 0,
      'riscv,ndev': PLIC_SOURCES,
      phandle: PLIC_PHANDLE,
    },
  };
  soc[`rtc@${hex(rtc.base)}`] = {
    properties: {
      compatible: 'google,goldfish-rtc',
      reg: [...cells64(rtc.base), ...cells64(rtc.length)],
      'interrupt-parent': PLIC_PHANDLE,
      interrupts: interruptSource.rtc,
    },
  };
  soc[`serial@${hex(uart.base)}`] = {
    properties: {
      compatible: 'ns16550a',
      reg: [...cells64(uart.base), ...cells64(uart.length)],
      'clock-frequency': 3_686_400,
      'interrupt-parent': PLIC_PHANDLE,
      interrupts: interruptSource.uart,
    },
  };
  for (const slot of config.virtio.keys()) {
    const base = virtio.base + slot * virtio.length;
    soc[`virtio_mmio@${hex(base)}`] = {
      properties: {
        compatible: 'virtio,mmio',
        reg: [...cells64(base), ...cells64(virtio.length)],
        'interrupt-parent': PLIC_PHANDLE,
        interrupts: interruptSource.virtio0 + slot,
      },
    };
  }
  return flattenTree({
    properties: {
      '#address-cells': 2,
      '#size-cells': 2,
      compatible: 'riscv-virtio',
      model: 'understudy',
    },
    children: {
      chosen: chosen(config, initramfs),
      [`memory@${hex(RAM_BASE)}`]: {
        properties: { device_type: 'memory', reg: [...cells64(RAM_BASE), ...cells64(config.ramBytes)] },
      },
      cpus: cpus(config.firmware),
      soc: {
        properties: { '#address-cells': 2, '#size-cells': 2, compatible: 'simple-bus', ranges: true },
        children: soc,
      },
    },
  });
}

function chosen(config: MachineConfig, initramfs: { start: number; end: number } | undefined): TreeNode {
  const properties: Record<string, TreeNode['properties'][string]> = {
    'stdout-path': `/soc/serial@${guestMap.uart.base.toString(16)}`,
  };
  if (config.boot.kind === 'linux') {
    properties.bootargs = config.boot.commandLine;
    properties['rng-seed'] = config.boot.rngSeed;
  }
  if (initramfs) {
    properties['linux,initrd-start'] = cells64(initramfs.start);
    properties['linux,initrd-end'] = cells64(initramfs.end);
  }
  return { properties };
}

function cpus(firmware: MachineConfig['firmware']): TreeNode {
  const extensions = firmware === 'builtin' ? BUILTIN_EXTENSIONS : EXTENSIONS;
  const named = extensions.filter((name) => name.length > 1);
  return {
    properties: { '#address-cells': 1, '#size-cells': 0, 'timebase-frequency': TIMEBASE_HZ },
    children: {
      'cpu@0': {
        properties: {
          device_type: 'cpu',
          reg: 0,
          status: 'okay',
          compatible: 'riscv',
          'riscv,isa': `rv64imafdc_${named.join('_')}`,
          'riscv,isa-base': 'rv64i',
          'riscv,isa-extensions': extensions,
          'mmu-type': 'riscv,sv48',
        },
        children: {
          'interrupt-controller': {
            properties: {
              '#interrupt-cells': 1,
              '#address-cells': 0,
              'interrupt-controller': true,
              compatible: 'riscv,cpu-intc',
              phandle: CPU_PHANDLE,
            },
          },
        },
      },
    },
  };
}
