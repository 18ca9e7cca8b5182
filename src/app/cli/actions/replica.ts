/** What `understudy primary` and `understudy backup` have in common: run the replica to its end, and say why it ended. */

import { OperatingError } from '../../../core/base/error.ts';
import type { RefusalCode } from '../../../core/replication/message.ts';
import type { HaltReason } from '../../../core/replication/replica.ts';
import { untilToldToStop } from '../../../host/net/lifeline.ts';
import { ReplicaProcess, type ReplicaSetup } from '../../../host/replica/replica-process.ts';
import { exitStatus } from '../failure.ts';
import type { ReplicaRequest } from '../requests.ts';
import { openSecurity } from './security.ts';

/** Status 0: the guest powered off, a person stopped the replica, or the other one goes on as it should. */
export async function runReplica(request: ReplicaRequest, role: ReplicaSetup['role']): Promise<number> {
  const { description, engine, arbiter, unsafeArbiter, diskServer, hub, status, diagnoses, control } = request;
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const listen = role.listen === undefined ? [] : [role.listen];
  const replica = await ReplicaProcess.start({
    tls: openSecurity(request.security, listen, say),
    mayBePeer: pinned(request.peerFingerprints),
    description,
    engine,
    role,
    arbiter,
    unsafeArbiter,
    diskServer,
    acceptDataLoss: request.acceptDataLoss ?? false,
    hub,
    status,
    diagnoses,
    control,
    onNotice: say,
    onConsole: () => {},
  });
  process.stdout.write(`${role.kind} of ${description.name}, process ${process.pid}\n`);
  void untilToldToStop().then(() => replica.shutdown());
  try {
    return report(await replica.ended);
  } finally {
    await replica.close();
  }
}

function pinned(fingerprints: readonly string[] | undefined): ReplicaSetup['mayBePeer'] {
  if (fingerprints === undefined) return undefined;
  return ({ fingerprint }) => {
    if (fingerprints.includes(fingerprint)) return undefined;
    return `its certificate ${fingerprint.slice(0, 16)} is not among those of --peer-fingerprint`;
  };
}

function report(reason: HaltReason): number {
  switch (reason.code) {
    case 'guest-stopped':
    case 'shutdown':
    case 'peer-ended':
    case 'handed-over':
    case 'lost-claim':
    case 'fenced':
      process.stderr.write(`${reason.code}: ${reason.message}\n`);
      return exitStatus.success;
    case 'refused':
      throw new OperatingError(reason.code, reason.message, REFUSAL_ADVICE[reason.refusal]);
    case 'already-created':
    case 'arbiter-conflict':
    case 'other-host':
    case 'diverged':
    case 'total-loss':
    case 'transfer-failed':
    case 'disk-failed':
      throw new OperatingError(reason.code, reason.message, ADVICE[reason.code]);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  'already-created': 'Leave --create out to start it again; nobody else may be running it.',
  'disk-failed': 'Look at the disk of this host; the other one goes on. Then start this replica again: it catches up.',
  'transfer-failed': 'Start it again: it will be given another copy.',
  'other-host':
    'Somebody stands between the two hosts, or a certificate was renewed meanwhile: compare "understudy keys show" on both, and start it again.',
  'arbiter-conflict': 'Another pair of this machine is at work with the same arbiter; stop it first.',
};

const REFUSAL_ADVICE: Readonly<Record<RefusalCode, string>> = {
  'other-version': 'Run the same version of understudy on both hosts.',
  'other-vm': "Give both replicas the same description, and the backup its own primary's address.",
  'other-machine': 'Both replicas need the same description and the same kernel, initramfs and disk size.',
  'other-generation': 'Start the pair again: the primary has gone on without this backup.',
  'other-host':
    'The certificate was renewed meanwhile, or this is not the host that the primary was to have: start it again.',
  busy: 'A primary takes one backup: stop the other one first.',
  'too-late': 'Stop the machine, and start the pair again.',
};
