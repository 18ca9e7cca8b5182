/** What the demo shows, as lines of text. */
import type { CountingClient } from './counting-client.ts';
import { type FailoverStory, type Finding, gapOf } from './failover.ts';
import type { LineClient } from './line-client.ts';
import type { PairView, ReplicaView } from './pair-view.ts';
import type { HostPorts } from './run-directory.ts';
import type { Screen } from './screen.ts';

export interface Clients {
  readonly stream: LineClient;
  readonly counter: CountingClient;
}

/** Digits in groups of three. */
export function grouped(value: bigint | number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

const ms = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '?' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

const mbit = (bitsPerSecond: number): string => `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;

/** The two replicas and the log between them. */
export function replicaRows(screen: Screen, view: PairView, nowMs: number): string[] {
  return [
    screen.style('dim', '  role      process     generation    position (steps)'),
    replicaRow(screen, view, view.primary),
    replicaRow(screen, view, view.backup),
    `  log       ${view.primary.end === undefined ? mbit(view.logRate(nowMs)) : 'none: there is no backup'}`,
  ];
}

function replicaRow(screen: Screen, view: PairView, replica: ReplicaView): string {
  const dead = replica.end !== undefined;
  const role = dead ? 'dead' : replica.role;
  const facts = `${String(replica.pid ?? '').padEnd(12)}${String(replica.generation).padEnd(13)}`;
  const row = `  ${role.padEnd(10)}${facts}${grouped(positionOf(view, replica)).padStart(17)}   ${remark(view, replica)}`;
  return screen.style(dead ? 'red' : role === 'primary' ? 'bold' : 'reset', row);
}

/** Of a backup at work: what it has told the primary, so that both positions are of one instant. */
function positionOf(view: PairView, replica: ReplicaView): bigint {
  const { position, peerPosition } = view.primary;
  if (replica.member === 'primary' || !view.isRedundant) return replica.position;
  return peerPosition === undefined || peerPosition > position ? position : peerPosition;
}

function remark(view: PairView, replica: ReplicaView): string {
  if (replica.end !== undefined) return replica.end;
  if (replica.phase !== 'paired') return replica.phase;
  if (replica.member === 'primary') return '';
  const { position, lagMs } = view.primary;
  return `${grouped(position - positionOf(view, replica))} steps, ${ms(lagMs)} behind`;
}

/** What the clients see. */
export function clientRows({ stream, counter }: Clients, ports: HostPorts, nowMs: number): string[] {
  const silentMs = stream.lastMs === undefined ? 0 : nowMs - stream.lastMs;
  const waitingMs = counter.askedMs === undefined ? 0 : nowMs - counter.askedMs;
  return [
    `  stream    127.0.0.1:${String(ports.stream).padEnd(5)}   line ${grouped(stream.last).padEnd(12)} last one ${ms(silentMs)} ago${fault(stream.fault)}`,
    `  redis     127.0.0.1:${String(ports.redis).padEnd(5)}   write ${grouped(counter.value).padEnd(11)} ${waitingMs > 100 ? `waiting ${ms(waitingMs)} for the next answer` : `answers take ${ms(counter.waits.usualMs(nowMs))}`}${fault(counter.fault)}`,
  ];
}

function fault(text: string | undefined): string {
  return text === undefined ? '' : `   ${text}`;
}

/** One line for where nothing can be drawn in place. */
export function plainLine(view: PairView, clients: Clients | undefined, nowMs: number): string {
  const owner = view.primary.end === undefined ? view.primary : view.backup;
  const machine = `${owner.role} ${owner.pid} at ${grouped(owner.position)}`;
  const pair = view.isRedundant
    ? `backup ${view.backup.pid} ${remark(view, view.backup)}, log ${mbit(view.logRate(nowMs))}`
    : owner.phase;
  const seen = clients === undefined ? '' : `; line ${clients.stream.last}; redis at ${clients.counter.value}`;
  return `  ${machine}; ${pair}${seen}`;
}

/** The failover, moment by moment. */
export function storyRows(screen: Screen, story: FailoverStory): string[] {
  const rows = story.moments.map(({ afterMs, text }) => {
    const rounded = Math.round(afterMs);
    const row = `${`${rounded > 0 ? '+' : ''}${rounded} ms`.padStart(10)}   ${text}`;
    return text.startsWith('kill') ? screen.style(['red', 'bold'], row) : row;
  });
  return [screen.style('dim', '  from the kill'), ...rows];
}

export function gapRows(screen: Screen, { stream, counter }: Clients, story: FailoverStory): string[] {
  const lines = gapOf(stream.silences, story.killMs);
  const answers = gapOf(counter.waits, story.killMs);
  return [
    screen.style(
      'bold',
      `  gap       ${ms(lines.gapMs)} between two lines of the stream (${ms(lines.usualMs)} is usual)`,
    ),
    `            ${ms(answers.gapMs)} for an answer of redis (${ms(answers.usualMs)} is usual)`,
    ...(lines.longestMs > lines.gapMs ? [`            ${ms(lines.longestMs)} between two lines once, later on`] : []),
  ];
}

export function findingRows(screen: Screen, findings: readonly Finding[]): string[] {
  return findings.map(({ isGood, text }) =>
    isGood ? `  ${screen.style('green', 'ok    ')} ${text}` : `  ${screen.style('red', 'FAILED')} ${text}`,
  );
}
