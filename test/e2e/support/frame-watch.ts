/**
 * From which host the guest's frames come: listens at the gateway to the VXLAN datagrams of all hosts, and counts those whose
 * inner source is the guest's address. Node has no packet sockets, so Python (which the tests need anyway) holds one.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Host } from './namespaces.ts';

/** Frames that came from one host, with none from another between them. Times are of the wall clock. */
export type FrameRun = {
  readonly vtep: string;
  readonly firstMs: number;
  lastMs: number;
  frames: number;
};

/** A line for each run, and for a long one every 200 ms. Offsets: Ethernet 14, IPv4 20, UDP 8, VXLAN 8, inner destination 6. */
const SNIFFER = `
import json, select, socket, sys, time
mac = bytes.fromhex(sys.argv[2])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
run = None
def tell():
    global run
    if run and run[3]: print(json.dumps({'vtep': run[0], 'firstMs': run[1], 'lastMs': run[2], 'frames': run[3]}), flush=True)
    run = None
print('{}', flush=True)
while True:
    if not select.select([s], [], [], 0.2)[0]:
        tell()
        continue
    data, source = s.recvfrom(2048)
    if source[2] == 4 or len(data) < 64 or data[23] != 17 or data[36:38] != b'\\x12\\xb5' or data[56:62] != mac: continue
    vtep, now = socket.inet_ntoa(data[26:30]), time.time() * 1000
    if run and (run[0] != vtep or now - run[1] > 200): tell()
    if not run: run = [vtep, now, now, 0]
    run[2], run[3] = now, run[3] + 1
`;

export class FrameWatch {
  /** Since the last `take`; the same host's runs in a row are one. */
  #runs: FrameRun[] = [];
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;

  /** `mac` as in `52:54:00:00:00:07`; `device` is where the hosts' datagrams come in. */
  constructor(gateway: Host, device: string, mac: string) {
    this.#child = gateway.spawn('python3', ['-c', SNIFFER, device, mac.replaceAll(':', '')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: this.#child.stdout! });
    this.#ready = once(lines, 'line');
    lines.on('line', (line) => this.#add(JSON.parse(line) as FrameRun));
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  /** The runs since the last call. Lines come up to 400 ms after their frames. */
  take(): FrameRun[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs;
  }

  #add(run: FrameRun): void {
    if (run.frames === undefined) return;
    const last = this.#runs.at(-1);
    if (last?.vtep !== run.vtep) return void this.#runs.push(run);
    last.lastMs = run.lastMs;
    last.frames += run.frames;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
