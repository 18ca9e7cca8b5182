/**
 * The virtio console (virtio 1.2, 5.3; device id 3): one port, no control queues. What the guest writes is gathered into
 * `console-out` outputs as the UART's is; what the world types waits in a bounded queue for the driver's buffers.
 */
import { ByteQueue } from '../byte-queue.ts';
import { CONSOLE_CHUNK_BYTES, ConsoleOutput } from '../console-output.ts';
import type { Device, Plain } from '../device.ts';
import { SavedState } from '../state.ts';
import { gather, scatter } from './chain.ts';
import { type VirtioDependencies, type VirtioModel, VirtioTransport } from './transport.ts';

const VERSION = 1;

/** Input that waits for the guest is bounded to this many bytes; what comes beyond is dropped. */
export const CONSOLE_INPUT_BYTES = 65_536;
/** The longest buffer that the guest may write at once; a longer one breaks the device's rules. */
export const CONSOLE_MAX_BUFFER_BYTES = 65_536;

const RECEIVE = 0;
const TRANSMIT = 1;

const FEATURE_SIZE = 0;

export interface VirtioConsoleOptions {
  /** The device's slot, named in its outputs. */
  readonly device: number;
  /** The size of the terminal, in characters; without it the guest is told none. */
  readonly size?: { readonly columns: number; readonly rows: number };
}

export class VirtioConsole implements Device, VirtioModel {
  readonly name = 'virtio console';
  readonly deviceId = 3;
  readonly queueCount = 2;
  readonly features: readonly number[];
  readonly config: Uint8Array;
  readonly #dependencies: VirtioDependencies;
  readonly #transport: VirtioTransport;
  readonly #output: ConsoleOutput;
  readonly #input = new ByteQueue(CONSOLE_INPUT_BYTES);

  constructor(options: VirtioConsoleOptions, dependencies: VirtioDependencies) {
    this.#dependencies = dependencies;
    this.#output = new ConsoleOutput(options.device, dependencies.emit);
    this.features = options.size === undefined ? [] : [FEATURE_SIZE];
    this.config = configuration(options);
    this.#transport = new VirtioTransport(this, dependencies);
  }

  /** Bytes from the world; those beyond the bound of the input queue are dropped. */
  input(data: Uint8Array): void {
    this.#input.push(data);
    if (this.#transport.live) this.#deliver();
  }

  /** Emits the bytes gathered so far, if there are any. */
  flushOutput(): void {
    this.#output.flush();
  }

  read(offset: number, size: number): number {
    return this.#transport.read(offset, size);
  }

  write(offset: number, size: number, value: number): void {
    this.#transport.write(offset, size, value);
  }

  notified(queue: number): void {
    if (queue === TRANSMIT) this.#transmit();
    else this.#deliver();
  }

  /** Input that waits survives a reset: it was typed to the guest, not to its driver. */
  wasReset(): void {}

  save(): Plain {
    return {
      version: VERSION,
      transport: this.#transport.save(),
      input: this.#input.peek(),
      output: this.#output.pending(),
    };
  }

  restore(state: Plain): void {
    const saved = new SavedState(this.name, VERSION, state);
    this.#transport.restore(saved.field('transport'));
    this.#input.clear();
    this.#input.push(saved.bytes('input', CONSOLE_INPUT_BYTES));
    this.#output.restore(saved.bytes('output', CONSOLE_CHUNK_BYTES - 1));
  }

  #deliver(): void {
    const queue = this.#transport.queues[RECEIVE];
    for (let buffers = queue.available(); buffers > 0 && this.#input.length > 0; buffers--) {
      const chain = queue.pop();
      if (chain === undefined) return;
      const bytes = this.#input.take(chain.writableBytes);
      if (!scatter(this.#dependencies.memory, chain.writable, bytes)) {
        this.#transport.needsReset();
        return;
      }
      queue.push(chain.head, bytes.length);
      if (!this.#transport.live) return;
    }
    if (this.#input.length > 0) queue.wantNotification();
    queue.signal();
  }

  #transmit(): void {
    const queue = this.#transport.queues[TRANSMIT];
    for (let left = queue.available(); left > 0 && this.#transport.live; left--) {
      const chain = queue.pop();
      if (chain === undefined) return;
      const fits = chain.readableBytes <= CONSOLE_MAX_BUFFER_BYTES;
      const bytes = fits ? gather(this.#dependencies.memory, chain.readable, 0, chain.readableBytes) : undefined;
      if (bytes === undefined) {
        this.#transport.needsReset();
        return;
      }
      this.#output.bytes(bytes);
      queue.push(chain.head, 0);
    }
    queue.wantNotification();
    queue.signal();
  }
}

/** struct virtio_console_config (virtio 1.2, 5.3.4). */
function configuration(options: VirtioConsoleOptions): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, options.size?.columns ?? 0, true);
  view.setUint16(2, options.size?.rows ?? 0, true);
  view.setUint32(4, 1, true); // max_nr_ports
  return bytes;
}
