import { Command } from 'commander';

const DEFAULT_CONFIG = '/etc/understudy/host.yaml';

/** `understudy host`: the daemon of one host. */
export function command(): Command {
  return new Command('host')
    .summary("the daemon that offers this host's memory for replicas")
    .description(
      'Offers memory for replicas, starts each in a process of its own, and answers an HTTP API. It can be stopped, killed and started again at any time: replicas go on without it, and it finds them again. Without keys it listens on loopback only.',
    )
    .argument('[config]', 'configuration of this host (YAML)', DEFAULT_CONFIG)
    .addHelpText(
      'after',
      `
Example of a host.yaml (docs/hosts.md has all keys):
  name: a
  listen: 192.0.2.1:7400
  memory: 8G
  arbiter: etcd://192.0.2.9:2379/understudy
  tls: {certificate: a.crt, key: a.key, authority: ca.crt}

Example of a start by hand:
  $ understudy host ./host.yaml

packaging/understudy-host.service is a unit for systemd.
`,
    )
    .action(async (config: string) => {
      const { host } = await import('../actions/host.ts');
      process.exitCode = await host(config);
    });
}
