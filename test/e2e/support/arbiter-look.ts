/** `node arbiter-look.ts ARBITER MACHINE`: the owner of the machine's newest generation, as JSON. For a namespace that reaches it. */
import { openArbiter } from '../../../src/host/arbiter/open.ts';

if (import.meta.main) {
  const [address = '', machine = ''] = process.argv.slice(2);
  const arbiter = await openArbiter(address, { allowLocal: true });
  console.log(JSON.stringify((await arbiter.owner(machine)) ?? null));
  await arbiter.close();
}
