/** For tests: one claim at an arbiter from a process of its own. Prints the outcome. */
import { openArbiter } from '../../../../src/host/arbiter/open.ts';

const [address, vm, generation, incarnation, token] = process.argv.slice(2);
const arbiter = await openArbiter(address!, { allowLocal: true });
console.log(await arbiter.claim(vm!, Number(generation), incarnation!, token!));
await arbiter.close();
