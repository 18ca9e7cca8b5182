/** What a campaign's figures depend on besides the machine: the versions of everything that is compared. */
import { createRequire } from 'node:module';
import { collectFacts } from '../support/facts.ts';
import { benchGuest } from './guest.ts';
import { checkBenchTools } from './host-tools.ts';
import type { Campaign } from './journal.ts';
import { newestQemu } from './newest-qemu.ts';
import { FACTS, type SubjectName } from './subjects.ts';

interface Plan {
  readonly subjects: readonly SubjectName[];
  readonly programs: readonly string[];
  readonly rounds: number;
  /** Whether redis is measured too. */
  readonly redis: boolean;
}

/** Builds and fetches what the subjects need, so that no measurement waits for it. */
export async function newCampaign({ subjects, programs, rounds, redis }: Plan): Promise<Campaign> {
  await checkBenchTools(subjects, redis);
  const facts = await collectFacts();
  const versions: Record<string, string> = { node: facts.node, qemu: facts.qemu };
  for (const [name, version] of Object.entries((await benchGuest('riscv64')).versions)) versions[name] = version;
  if (subjects.some((name) => FACTS[name].qemu === 'newest')) versions['newest qemu'] = (await newestQemu()).version;
  if (subjects.includes('v86')) {
    const { version } = createRequire(import.meta.url)('v86/package.json') as { version: string };
    versions.v86 = version;
    for (const [name, of] of Object.entries((await benchGuest('i386')).versions)) {
      if (name.startsWith('linux-image')) versions[name] = of;
    }
  }
  return { type: 'campaign', facts, rounds, programs, subjects, versions };
}
