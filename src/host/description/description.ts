/**
 * The description of one machine: what its guest sees (memory, kernel, disk, network card) and how its two replicas
 * treat each other (time-outs, buffers). This is the plain, checked form that the rest of the program works with; it
 * comes from a YAML file (`load.ts`) or from QEMU-like options (`options.ts`). All paths in it are absolute.
 */
import type { StreamAddress } from '../net/address.ts';

export interface DiskDescription {
  /** A raw image file or a block device; its length is a multiple of 512 bytes. */
  readonly path: string;
  readonly readOnly: boolean;
  /** Each host has an image of its own at this path (docs/disks.md). */
  readonly mirrored?: boolean;
  /** Who else has what the guest of a pair reads: the log ('log', the default), or the backup reads it by itself. */
  readonly reads?: 'log' | 'backup' | undefined;
  /** Of a mirrored disk: the size of the image that a backup makes where there is none; undefined: it makes none. */
  readonly sizeBytes?: number | undefined;
}

/** A port of the host that passt hands to the guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  /** The host's address to listen on, without brackets. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** Where the guest's Ethernet segment leads: a passt of our own, a socket that speaks QEMU's `stream` framing, or VXLAN. */
export type Uplink =
  | { readonly kind: 'passt' }
  | { readonly kind: 'socket'; readonly address: StreamAddress }
  | VxlanDescription;

/** A VXLAN segment and its tunnel end points (RFC 7348). */
export interface VxlanDescription {
  readonly kind: 'vxlan';
  readonly vni: number;
  /** IP addresses of one family, without brackets; at least one. */
  readonly remotes: readonly string[];
  /** This host's end point; undefined: any of the host's addresses. */
  readonly local: string | undefined;
  /** UDP port of all end points. */
  readonly port: number;
}

/** An IPv4 address of the guest with the length of its network prefix in bits. */
export interface GuestAddress {
  readonly address: string;
  readonly prefixLength: number;
}

export interface NetworkDescription {
  readonly uplink: Uplink;
  readonly forwards: readonly PortForward[];
  /** What passt tells the guest by DHCP, and what a go-live announces; undefined: nobody but the guest knows it. */
  readonly address: GuestAddress | undefined;
  /** The router's address, as passt plays it; over VXLAN it is asked whether the segment is there. */
  readonly gateway: string | undefined;
}

/** How the replicas of one machine wait for each other. All in milliseconds of the host's monotonic clock. */
export interface Timeouts {
  /** Silence after which the peer is suspected (and the claim decides). */
  readonly suspicionMs: number;
  /** The longest silence of a healthy replica. */
  readonly heartbeatMs: number;
  /** Pause between two questions to an arbiter that did not answer. */
  readonly claimRetryMs: number;
  /** Between two comparisons of the state's hash: how late a divergence may be found. */
  readonly hashIntervalMs: number;
  /** How far the backup may be behind before the guest is slowed for it; a takeover waits until it has made up for that. */
  readonly lagMs: number;
  /** With `onTotalLoss: restart`: outputs may leave for so long after the last renewal. */
  readonly leaseMs: number;
}

/** What the replicas may hold back before they slow the guest down. */
export interface Buffers {
  /** Log entries that the backup has not executed yet. */
  readonly logBytes: number;
  /** Outputs that wait for the backup's acknowledgement. */
  readonly outputBytes: number;
}

export interface Description {
  /** The machine's id: at the arbiter, in file names, in logs. */
  readonly name: string;
  readonly memoryBytes: number;
  /** `builtin`: the kernel starts in S mode under the host's SBI. `none`: it starts in M mode, and there is no SBI. */
  readonly firmware: 'builtin' | 'none';
  /** A RISC-V Linux `Image`, or an ELF file. */
  readonly kernel: string;
  readonly initramfs: string | undefined;
  readonly commandLine: string;
  readonly disk: DiskDescription | undefined;
  /** Six bytes as `52:54:00:12:34:56`, lower case. */
  readonly mac: string;
  /** Undefined: the machine has no network card. */
  readonly network: NetworkDescription | undefined;
  /** The device behind the user's terminal: the ns16550 (`ttyS0`) or the virtio console (`hvc0`). */
  readonly console: 'uart' | 'virtio';
  /** What a backup does that finds a difference while it goes live alone (PROTOCOL rule 28). */
  readonly onDivergence: 'stop' | 'continue';
  /** Whether a host that stands by starts the machine again when both replicas are gone (PROTOCOL rule 27). */
  readonly onTotalLoss: 'stop' | 'restart';
  readonly timeouts: Timeouts;
  readonly buffers: Buffers;
}

export const defaultTimeouts: Timeouts = {
  suspicionMs: 500,
  heartbeatMs: 25,
  claimRetryMs: 100,
  hashIntervalMs: 1000,
  lagMs: 100,
  leaseMs: 10_000,
};

export const MiB = 1024 * 1024;

/** What passt gives the guest by DHCP unless the description says otherwise: as QEMU's user network does. */
export const passtAddresses = {
  address: { address: '10.0.2.15', prefixLength: 24 },
  gateway: '10.0.2.2',
} as const;

export const defaultBuffers: Buffers = { logBytes: 16 * MiB, outputBytes: 8 * MiB };

export const memoryLimits = { minBytes: 32 * MiB, maxBytes: 3072 * MiB, defaultBytes: 512 * MiB } as const;

/** Linux for riscv64 takes no longer command line (COMMAND_LINE_SIZE in arch/riscv/include/uapi/asm/setup.h). */
export const commandLineLimitBytes = 1023;

/** The command line of a machine that names none: its console, and its disk as root if it has one. */
export function defaultCommandLine(console: Description['console'], hasDisk: boolean): string {
  const device = console === 'uart' ? 'ttyS0' : 'hvc0';
  return `console=${device}${hasDisk ? ' root=/dev/vda rw' : ''}`;
}
