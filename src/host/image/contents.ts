/**
 * What goes into an image beside the user's wishes: the base system's packages, the demo's, the modules of the boot, and the
 * kernel command line that suits them.
 */
import type { SystemUser } from './base-system.ts';

/** apt's pattern for the packages that a Debian system cannot be without, and what this system uses beside them. */
export const basePackages = [
  '?essential',
  'adduser',
  'apt',
  'busybox-static',
  'e2fsprogs',
  'iproute2',
  'less',
  'mount',
  'netbase',
  'passwd',
  'procps',
] as const;

/** What the demo adds. */
export const demoPackages = ['python3', 'redis-server'] as const;

/** Users that the demo's packages would have made. */
export const demoUsers: readonly SystemUser[] = [{ name: 'redis', id: 199, home: '/var/lib/redis' }];

/** The group that may read logs (base-passwd). */
export const adminGroupId = 4;

/** What the initramfs loads: the machine's devices and the root disk's file system; dependencies come by themselves. */
export const bootModules = ['virtio_mmio', 'virtio_blk', 'crc32c_generic', 'ext4', 'virtio_net', 'virtio_rng'] as const;

/** Commands that busybox lends where no package brings them. The first four make it the init of this system. */
export const busyboxCommands = {
  'usr/sbin': ['init', 'halt', 'poweroff', 'reboot'],
  'usr/local/bin': ['ftpget', 'lsmod', 'nc', 'ping', 'strings', 'telnet', 'traceroute', 'vi', 'wget', 'xxd'],
} as const;

/**
 * What loads modules in the guest, where there are any to load: the kernel asks for them by the first. (kmod's own tools read only
 * the binary indexes that depmod makes.)
 */
export const moduleCommands = { 'usr/sbin': ['modprobe', 'insmod', 'rmmod', 'depmod'] } as const;

/** The meta package that stands for the newest kernel. */
export const kernelPackage = 'linux-image-riscv64';

/**
 * The recommended kernel command line (docs/guest-images.md says what each word does and saves). The addresses are those that passt and QEMU's user network
 * hand out; without a network card they are not used. A word given again later counts.
 */
export const kernelCommandLine = [
  'console=ttyS0',
  'root=/dev/vda',
  'rw',
  'quiet',
  'init_on_alloc=0',
  'cryptomgr.notests',
  'initcall_blacklist=jent_mod_init,trace_eval_init',
  'understudy.address=10.0.2.15/24',
  'understudy.gateway=10.0.2.2',
].join(' ');
