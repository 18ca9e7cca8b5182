/**
 * `node arbiter-look.ts ARBITER MACHINE`: the owner of the machine's newest generation, and the record of its pair, as JSON. For a
 * namespace that reaches it.
 */
import { openArbiter } from '../../../src/host/arbiter/open.ts';

if (import.meta.main) {
  const [address = '', machine = ''] = process.argv.slice(2);
  const arbiter = await openArbiter(address, { allowLocal: true });
  const owner = await arbiter.owner(machine);
  const pair = owner === undefined ? undefined : await arbiter.readPair(machine, owner.generation);
  console.log(JSON.stringify({ owner, pair }));
  await arbiter.close();
}
