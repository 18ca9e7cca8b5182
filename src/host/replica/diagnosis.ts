/**
 * What is kept of a divergence (PROTOCOL.md, 28), for people. The replicas' own protocol goes its way at once, the claim and the new
 * backup included; meanwhile, and by a channel of its own, the backup, which stands where the difference was seen, shows the
 * primary its state and the hashes of its pages, and is asked for the pages that differ. Each side writes what it knows
 * into a directory (diagnosis-report.ts), also when the other side is gone. Nothing here decides anything, all of it may
 * fail, and a backup ends at the latest some seconds after its halt.
 *
 *     backup                                        primary
 *     diverged, on the log's channel          ->    leaves, claims, goes on
 *     evidence: introduction, state, page-hashes, by another channel
 *                                             ->    compares with its own checkpoint at that position
 *                                             <-    evidence: wanted
 *     evidence: contents                      ->    writes its directory, and closes
 *     writes its directory, and ends
 */
import { z } from 'zod';
import type { CpuReport } from '../../core/replication/cpu-link.ts';
import type { Checkpoint } from '../../core/replication/diagnosis.ts';
import type { Diverged, Evidence, EvidencePart, Message } from '../../core/replication/message.ts';
import { RecentLog } from '../../core/replication/recent-log.ts';
import type { ChannelId } from '../../core/replication/replica.ts';
import type { DiagnosisAnswer, DiagnosisQuestion, LastEqual } from '../runner/diagnosis-part.ts';
import { type DiagnosisFacts, writeDiagnosis } from './diagnosis-report.ts';

/** Far from the numbers of the protocol's own channels (channels.ts). */
export const EVIDENCE_CHANNEL: ChannelId = 900_000;
const KEEP_LOG_BYTES = 32 * 1024 * 1024;
const PATIENCE_MS = 5000;

export interface DiagnosisOptions {
  /** Where diagnoses go, each into a directory of its own; undefined: none is made. */
  readonly directory: string | undefined;
  readonly vm: string;
  readonly incarnation: string;
  readonly hashIntervalMs: number;
  /** How long either side waits for the next word of the other; 5 s unless told. */
  readonly patienceMs?: number;
}

export interface DiagnosisDeps {
  readonly nowMs: () => number;
  readonly ask: (question: DiagnosisQuestion) => Promise<DiagnosisAnswer>;
  /** A backup: opens a channel of this number to the primary; `opened` or `closed` follows. */
  readonly connect: (channel: ChannelId) => void;
  readonly send: (channel: ChannelId, message: Message) => void;
  readonly close: (channel: ChannelId) => void;
  readonly onNotice: (line: string) => void;
}

const introductionSchema = z.object({
  incarnation: z.string().max(200),
  position: z.string().regex(/^\d{1,20}$/),
  hash: z.string().regex(/^\d{1,20}$/),
});

type Part = Uint8Array<ArrayBuffer>;

export class Diagnosis {
  readonly #options: DiagnosisOptions;
  readonly #deps: DiagnosisDeps;
  readonly #log: RecentLog;
  /** Of those who have said hello, by channel. */
  readonly #incarnations = new Map<ChannelId, string>();
  #logChannel: ChannelId | undefined;
  /** The other side of the exchange: what came by its channel, and whoever waits for a part of it. */
  #channel: ChannelId | undefined;
  #parts = new Map<EvidencePart, Part>();
  #ended = false;
  #wake: () => void = () => {};
  #work: Promise<void> = Promise.resolve();

  constructor(options: DiagnosisOptions, deps: DiagnosisDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = new RecentLog({ keepMs: 3 * options.hashIntervalMs, keepBytes: KEEP_LOG_BYTES });
  }

  /** A message that this replica sends. */
  sent(channel: ChannelId, message: Message): void {
    if (message.type !== 'log') return;
    this.#logChannel = channel;
    this.#log.add(message, this.#deps.nowMs());
  }

  /** A message that came in. True if it is none of the protocol's business. */
  takes(channel: ChannelId, message: Message): boolean {
    if (message.type === 'log') this.#log.add(message, this.#deps.nowMs());
    else if (message.type === 'hello') this.#incarnations.set(channel, message.incarnation);
    else if (message.type === 'diverged' && channel === this.#logChannel) this.#peerDiverged(channel, message);
    if (message.type !== 'evidence') return false;
    this.#evidence(channel, message);
    return true;
  }

  opened(channel: ChannelId): void {
    if (channel !== EVIDENCE_CHANNEL) return;
    this.#take(channel);
    this.#wake();
  }

  closed(channel: ChannelId): void {
    this.#incarnations.delete(channel);
    if (channel !== this.#channel && channel !== EVIDENCE_CHANNEL) return;
    this.#channel = undefined;
    // What is here already may still be read.
    this.#ended = true;
    this.#wake();
  }

  /** What the CPU thread says; to be called before the protocol hears it. */
  report(report: CpuReport, generation: number): void {
    if (report.type !== 'diverged' || this.#options.directory === undefined) return;
    const { position, log, machine } = report.divergence;
    this.#begin(this.#asBackup({ type: 'diverged', generation, position, log, machine }));
  }

  /** Resolves when what can be known is written. */
  settled(): Promise<void> {
    return this.#work;
  }

  #begin(work: Promise<void>): void {
    this.#work = work.catch((error: unknown) => {
      this.#deps.onNotice(`the diagnosis failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  // The backup

  async #asBackup(diverged: Diverged): Promise<void> {
    const answer = await this.#deps.ask({ ask: 'evidence' });
    if (answer.answer !== 'evidence') return;
    const { evidence, lastEqual } = answer;
    const facts: DiagnosisFacts = {
      ...this.#facts('backup', diverged, lastEqual),
      backup: evidence,
    };
    // First without the primary, which may be gone.
    await this.#write(facts);
    const pieces = await this.#show(diverged.generation, evidence);
    if (pieces !== undefined) await this.#write({ ...facts, ...pieces });
  }

  /** Shows the primary what this machine is; what it wanted to see more of, if it did. */
  async #show(generation: number, { position, hash, state, pageHashes }: Checkpoint) {
    this.#deps.connect(EVIDENCE_CHANNEL);
    await this.#until(() => this.#channel !== undefined);
    if (this.#channel === undefined) return undefined;
    const introduction = {
      incarnation: this.#options.incarnation,
      position: String(position),
      hash: String(hash),
    };
    const say = (part: EvidencePart, bytes: Part): void => this.#say(generation, part, bytes);
    say('introduction', new TextEncoder().encode(JSON.stringify(introduction)));
    say('state', state);
    say('page-hashes', new Uint8Array(pageHashes.buffer, pageHashes.byteOffset, pageHashes.byteLength));
    const wanted = await this.#part('wanted');
    if (wanted === undefined || wanted.length % 4 !== 0) return undefined;
    const pages = new Uint32Array(wanted.slice().buffer);
    const answer = await this.#deps.ask({ ask: 'contents', pages });
    if (answer.answer !== 'contents') return undefined;
    say('contents', answer.piece);
    await this.#until(() => this.#channel === undefined);
    return { differing: [...pages], backupPiece: answer.piece };
  }

  // The primary

  #peerDiverged(channel: ChannelId, diverged: Diverged): void {
    const incarnation = this.#incarnations.get(channel);
    if (this.#options.directory === undefined || incarnation === undefined) return;
    this.#begin(this.#asPrimary(diverged, incarnation));
  }

  async #asPrimary(diverged: Diverged, incarnation: string): Promise<void> {
    const facts = this.#facts('primary', diverged, undefined);
    if (this.#channel === undefined) this.#ended = false;
    const pageHashes = await this.#part('page-hashes');
    const introduced = introductionSchema.safeParse(parseJson(this.#parts.get('introduction'))).data;
    const known = introduced?.incarnation === incarnation;
    if (!known || introduced === undefined || pageHashes === undefined || pageHashes.length % 8 !== 0) {
      this.#hangUp();
      return this.#write(facts);
    }
    const backup: Checkpoint = {
      position: BigInt(introduced.position),
      hash: BigInt(introduced.hash),
      state: this.#parts.get('state') ?? new Uint8Array(0),
      pageHashes: new BigUint64Array(pageHashes.slice().buffer),
    };
    const question = { ask: 'compare', position: backup.position, pageHashes: backup.pageHashes } as const;
    const answer = await this.#deps.ask(question);
    const comparison = answer.answer === 'compared' ? answer.comparison : undefined;
    if (comparison === undefined) {
      this.#hangUp();
      return this.#write({ ...facts, backup });
    }
    const kept = Uint32Array.from(comparison.differing);
    this.#say(diverged.generation, 'wanted', new Uint8Array(kept.buffer));
    const backupPiece = await this.#part('contents');
    this.#hangUp();
    await this.#write({ ...facts, backup, comparison, differing: comparison.differing, backupPiece });
  }

  // Both

  #facts(side: 'primary' | 'backup', diverged: Diverged, lastEqual: LastEqual | undefined): DiagnosisFacts {
    return { vm: this.#options.vm, side, diverged, lastEqual, log: this.#log.batches };
  }

  async #write(facts: DiagnosisFacts): Promise<void> {
    const path = await writeDiagnosis(this.#options.directory!, facts);
    this.#deps.onNotice(`the machines differ: what is known of it is in ${path}`);
  }

  #evidence(channel: ChannelId, { part, bytes }: Evidence): void {
    // One peer at a time, and each part once: a stranger takes up no more than this.
    if (this.#options.directory === undefined) return this.#deps.close(channel);
    if (this.#channel === undefined) this.#take(channel);
    if (channel !== this.#channel) return this.#deps.close(channel);
    if (!this.#parts.has(part)) this.#parts.set(part, bytes);
    this.#wake();
  }

  #take(channel: ChannelId): void {
    this.#channel = channel;
    this.#parts = new Map();
    this.#ended = false;
  }

  #say(generation: number, part: EvidencePart, bytes: Part): void {
    if (this.#channel !== undefined) this.#deps.send(this.#channel, { type: 'evidence', generation, part, bytes });
  }

  /** Ends the exchange; another divergence, with another backup, may follow. */
  #hangUp(): void {
    if (this.#channel !== undefined) this.#deps.close(this.#channel);
    this.#channel = undefined;
    this.#parts = new Map();
  }

  /** The part, when it has come; undefined if it does not. */
  async #part(part: EvidencePart): Promise<Part | undefined> {
    await this.#until(() => this.#parts.has(part));
    return this.#parts.get(part);
  }

  /** Resolves when the condition holds, the other side is gone, or it has taken too long. */
  async #until(holds: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.patienceMs ?? PATIENCE_MS);
      this.#wake = () => {
        if (holds() || this.#ended) resolve();
      };
      this.#wake();
    });
    clearTimeout(timer);
    this.#wake = () => {};
  }
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
