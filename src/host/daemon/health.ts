/**
 * How a machine is, as a person sees it from outside: what its primary says of itself (redundancy.ts), and what only shows from
 * here, such as replicas that do not answer, hosts that cannot be asked, a machine that is lost.
 */
import type { MachineRecord, Reason } from './messages.ts';
import { type ClusterView, primaryOf, replicasOf } from './operator.ts';

export interface Health {
  /** A complete pair; a backup that lags is one too. */
  readonly redundant: boolean;
  /** What is wrong, or under way; empty if nothing is. */
  readonly reasons: readonly Reason[];
}

export function healthOf(view: ClusterView, { name, wanted, hosts }: MachineRecord): Health {
  const primary = primaryOf(view, name);
  const silent = replicasOf(view, name).filter(({ replica }) => replica.state === 'silent');
  const reasons: Reason[] = silent.map(({ host, replica }) => ({
    code: 'replica-silent',
    message: `the replica on host ${host} (process ${replica.pid}) does not answer`,
    advice: `If it is not stopped on purpose, its log on ${host} may say why; killing it lets another take its place.`,
  }));
  if (primary !== undefined) {
    const { phase, reasons: said = [] } = primary.replica.status!;
    return { redundant: phase === 'paired', reasons: [...said, ...reasons] };
  }
  reasons.push(...unreachable(view, hosts));
  if (wanted === 'stopped' && replicasOf(view, name).length === 0) return { redundant: false, reasons: [] };
  const backup = replicasOf(view, name).find(({ replica }) => replica.status?.role === 'backup');
  if (backup !== undefined) reasons.push(orphan(backup.host, backup.replica.status!.phase));
  else if (silent.length === 0) reasons.push(lost(name, reasons.length > 0));
  return { redundant: false, reasons };
}

function unreachable({ hosts: views }: ClusterView, names: readonly string[]): Reason[] {
  return names.flatMap((name): Reason[] => {
    const view = views.find(({ record }) => record.name === name);
    if (view?.report !== undefined) return [];
    const why = view === undefined ? 'it is not there' : view.why;
    return [{ code: 'host-unreachable', message: `host ${name} cannot be asked: ${why}` }];
  });
}

function orphan(host: string, phase: string): Reason {
  const claims = phase === 'leaving' || phase === 'admitting';
  return {
    code: 'no-primary',
    message: `no primary answers; the backup on ${host} is ${phase}`,
    advice: claims
      ? 'It asks the arbiter, or the disk, whether it may go on: both must be reachable from its host.'
      : 'It goes on by itself if its primary has died; a primary that is only cut off from here goes on where it is.',
  };
}

function lost(name: string, unsure: boolean): Reason {
  return {
    code: 'machine-lost',
    message: unsure ? 'no replica is to be seen' : 'no replica is left on any of its hosts',
    advice: `If it is certain that it runs nowhere: understudy start ${name} --after-loss`,
  };
}
