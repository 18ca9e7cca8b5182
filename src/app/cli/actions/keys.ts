/** `understudy keys`: a private authority, hosts' certificates, and what is in a certificate. */
import {
  type CertificateFacts,
  describeCertificates,
  type HostOptions,
  initAuthority,
  makeHostKeys,
  makeOperatorKeys,
} from '../../../host/tls/keys.ts';
import { exitStatus } from '../failure.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export async function keysInit({ directory, days }: { directory: string; days: number }): Promise<number> {
  const made = await initAuthority(directory, days);
  say(`authority:    ${made.certificate}`);
  say(`its key:      ${made.key} (whoever has it can be any host: keep it off the hosts)`);
  say(`fingerprint:  ${made.fingerprint}`);
  return exitStatus.success;
}

export async function keysHost(request: HostOptions & { name: string; directory: string }): Promise<number> {
  const made = await makeHostKeys(request.name, request.directory, request);
  say(`certificate:  ${made.certificate}`);
  say(`key:          ${made.key}`);
  say(`authority:    ${made.authority}`);
  say(`fingerprint:  ${made.fingerprint}`);
  return exitStatus.success;
}

export async function keysOperator(request: {
  name: string;
  directory: string;
  days: number | undefined;
  renew: boolean | undefined;
}): Promise<number> {
  const made = await makeOperatorKeys(request.name, request.directory, request);
  say(`certificate:  ${made.certificate}`);
  say(`key:          ${made.key} (whoever has it can stop machines)`);
  say(`authority:    ${made.authority}`);
  say(`fingerprint:  ${made.fingerprint}`);
  return exitStatus.success;
}

export async function keysShow({ file, json }: { file: string; json: boolean }): Promise<number> {
  const all = await describeCertificates(file);
  if (json) say(JSON.stringify(all, undefined, 2));
  else for (const [index, facts] of all.entries()) say((index > 0 ? '\n' : '') + inWords(facts));
  return exitStatus.success;
}

const HOLDERS = { host: 'a host', operator: 'an operator', client: 'somebody who may look' } as const;

function inWords(facts: CertificateFacts): string {
  const left = facts.state === 'valid' ? `valid, ${facts.daysLeft} days left` : facts.state;
  const use =
    facts.kind === 'authority'
      ? 'an authority: signs the certificates of hosts'
      : `${HOLDERS[facts.kind]}, as TLS ${facts.purposes.join(' and ') || 'nothing'}`;
  return [
    `name:         ${facts.name}`,
    `for:          ${use}`,
    ...(facts.addresses.length > 0 ? [`addresses:    ${facts.addresses.join(', ')}`] : []),
    `fingerprint:  ${facts.fingerprint}`,
    `signed by:    ${facts.issuer}`,
    `valid:        ${facts.notBefore} to ${facts.notAfter} (${left})`,
  ].join('\n');
}
