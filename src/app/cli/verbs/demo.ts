import { Command } from 'commander';
import { usageError } from '../failure.ts';
import { integer } from '../option-values.ts';

interface Options {
  readonly once?: boolean;
  readonly redisPort?: number;
  readonly streamPort?: number;
  readonly killAfter: number;
}

/** `understudy demo`: the whole idea in one terminal; what `npm start` runs. */
export function command(): Command {
  const port = integer(1, 65535);
  return new Command('demo')
    .summary('show a failover: a pair, a client, and a kill -9')
    .description(
      'Builds the demo guest if it is missing, starts it as a pair, opens a connection to it and a redis client that counts, kills the primary with SIGKILL after some seconds, and shows what the clients see. Then it stays up: redis answers on a local port until Ctrl-C. Each demo has a machine of its own, which is removed at the end.',
    )
    .option('--once', 'end by itself, with status 0 only if no line or number was lost and no connection broke')
    .option('--kill-after <seconds>', 'seconds of health before the kill', integer(1, 3600), 8)
    .option('--redis-port <port>', "port on 127.0.0.1 for the guest's redis (default: 6379, or a free one)", port)
    .option('--stream-port <port>', "port on 127.0.0.1 for the guest's stream (default: 7777, or a free one)", port)
    .addHelpText(
      'after',
      `
Examples:
  $ understudy demo
  $ understudy demo --once
  $ redis-cli -p 6379 ping        (in another terminal, while it stays up)
`,
    )
    .action(async (options: Options) => {
      const { redisPort, streamPort } = options;
      if (redisPort !== undefined && redisPort === streamPort) {
        throw usageError(`--redis-port and --stream-port are both ${redisPort}`);
      }
      const { demo } = await import('../actions/demo.ts');
      process.exitCode = await demo({
        once: options.once ?? false,
        redisPort,
        streamPort,
        killAfterMs: options.killAfter * 1000,
      });
    });
}
