/**
 * The HTTP API of a host. Bodies are JSON and checked; an error is {"error": {code, message, advice}} with a status of its kind.
 *
 *     GET  /v1/host                          this host, its free memory and its replicas
 *     GET  /v1/hosts                         all hosts that are there
 *     GET  /v1/machines                      the wanted state of all machines
 *     PUT  /v1/machines/<name>               a new machine
 *     POST /v1/machines/<name>/wanted        {"wanted": "running" | "stopped" | "gone"}
 *     POST /v1/replicas                      start one: a primary, or a backup of a primary
 *     POST /v1/replicas/<machine>/stop       end the one of this machine; a primary takes its backup along
 *     POST /v1/replicas/<machine>/hand-over  the backup goes on instead, and nothing is lost
 *     GET  /healthz, /metrics
 *
 * What only looks is for everybody of the authority; for the rest access.ts says who may.
 */

import type { IncomingMessage, RequestListener } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { OperatingError } from '../../core/base/error.ts';
import { MACHINE_NAME } from '../arbiter/arbiter.ts';
import type { TlsPeer } from '../tls/secure.ts';
import type { Deed } from './access.ts';
import type { Cluster } from './cluster.ts';
import type { Log } from './log.ts';
import {
  type HostReport,
  machineRecordSchema,
  type ReplicaReport,
  type ReplicaRequest,
  replicaRequestSchema,
  wantedSchema,
} from './messages.ts';
import type { HostMetrics } from './metrics.ts';
import { Refusals } from './refusals.ts';
import { sharedWork } from './shared-work.ts';
import { callerOf, peerKeyOf } from './transport.ts';

export interface HostService {
  readonly cluster: Cluster;
  readonly metrics: HostMetrics;
  readonly log: Log;
  /** Throws OperatingError `not-allowed`. */
  checkAccess(caller: TlsPeer, deed: Deed, machine: string): Promise<void>;
  report(): Promise<HostReport>;
  startReplica(request: ReplicaRequest): Promise<ReplicaReport>;
  tellReplica(machine: string, what: 'stop' | 'hand-over'): Promise<void>;
}

const MAX_BODY_BYTES = 48 * 1024;

const STATUS_OF: Readonly<Record<string, ContentfulStatusCode>> = {
  'bad-request': 400,
  description: 400,
  'bad-address': 400,
  'bad-machine-name': 400,
  'not-allowed': 403,
  'no-such-machine': 404,
  'no-such-path': 404,
  'no-replica': 404,
  'machine-exists': 409,
  'replica-exists': 409,
  'not-redundant': 409,
  'not-wanted': 409,
  'store-busy': 409,
  'too-many-refusals': 429,
  'too-long': 413,
  'store-away': 503,
  'replica-silent': 503,
  'no-memory': 507,
};

/** These are the caller's own doing. */
const REFUSALS: readonly ContentfulStatusCode[] = [400, 403, 404, 413];

export function apiListener(service: HostService): RequestListener {
  const { cluster, metrics } = service;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const refusals = new Refusals(() => performance.now());
  const report = sharedWork(() => service.report());
  const hosts = sharedWork(() => cluster.hosts());
  const machines = sharedWork(() => cluster.machines());
  // Before anything is read or looked up.
  app.use(async (c, next) => {
    if (!refusals.exhausted(peerKeyOf(c.env.incoming as IncomingMessage))) return next();
    const error = { code: 'too-many-refusals', message: 'too many of your requests were refused', advice: 'Wait.' };
    return c.json({ error }, 429, { connection: 'close', 'retry-after': '10' });
  });
  const allow = async (request: HttpBindings, deed: Deed, machine: string): Promise<void> => {
    const caller = callerOf(request.incoming as IncomingMessage);
    if (caller !== undefined) await service.checkAccess(caller, deed, machine);
  };
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: () => fail('too-long', 'the request is too long') }));
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/metrics', async (c) => {
    const text = await metrics.text(await report(), refusals.counts);
    return c.text(text, 200, { 'content-type': metrics.contentType });
  });
  app.get('/v1/host', async (c) => c.json(await report()));
  app.get('/v1/hosts', async (c) => c.json({ hosts: await hosts() }));
  app.get('/v1/machines', async (c) => c.json({ machines: await machines() }));
  app.put('/v1/machines/:name', async (c) => {
    await allow(c.env, 'operate', machineOf(c.req.param('name')));
    const record = checked(machineRecordSchema, await c.req.text());
    if (record.name !== c.req.param('name')) fail('bad-request', 'the path and the body name different machines');
    await cluster.add(record);
    return c.json({}, 201);
  });
  app.post('/v1/machines/:name/wanted', async (c) => {
    const name = machineOf(c.req.param('name'));
    await allow(c.env, 'operate', name);
    await cluster.want(name, checked(wantedSchema, await c.req.text()).wanted);
    return c.json({});
  });
  app.post('/v1/replicas', async (c) => {
    const request = checked(replicaRequestSchema, await c.req.text());
    await allow(c.env, 'start-replica', request.machine);
    return c.json(await service.startReplica(request), 201);
  });
  for (const what of ['stop', 'hand-over'] as const) {
    app.post(`/v1/replicas/:machine/${what}`, async (c) => {
      const machine = machineOf(c.req.param('machine'));
      await allow(c.env, 'operate', machine);
      await service.tellReplica(machine, what);
      return c.json({}, 202);
    });
  }
  app.notFound(() => fail('no-such-path', 'there is nothing at this path', 'The API is in docs/hosts.md.'));
  app.onError((error, c) => {
    const { code, status, body } = answerOf(error);
    const peer = peerKeyOf(c.env.incoming as IncomingMessage);
    const refused = REFUSALS.includes(status);
    // Of a refused request nothing more is read.
    if (refused) c.header('connection', 'close');
    if (refused) refusals.refused(peer, code);
    logFailure(service.log, refusals.line(peer), { method: c.req.method, path: c.req.path, code }, error);
    return c.json({ error: body }, status);
  });
  return getRequestListener(app.fetch, { overrideGlobalObjects: false }) as RequestListener;
}

const BUG = { code: 'bug', message: 'the host has met a bug of understudy; its log has the details' };

function answerOf(error: Error): { code: string; status: ContentfulStatusCode; body: object } {
  if (!(error instanceof OperatingError)) return { code: 'bug', status: 500, body: BUG };
  const { code, message, advice } = error;
  return { code, status: STATUS_OF[code] ?? 500, body: { code, message, advice } };
}

/** `line`: undefined if there were too many. */
function logFailure(log: Log, line: { leftOut: number } | undefined, request: object, error: Error): void {
  if (line === undefined) return;
  const facts = line.leftOut > 0 ? { ...request, leftOut: line.leftOut } : request;
  if (error instanceof OperatingError) log.info(facts, error.message);
  else log.error({ ...facts, err: error }, 'a bug');
}

function checked<Value>(schema: z.ZodType<Value>, text: string): Value {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return fail('bad-request', 'the body is no JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  return fail('bad-request', `the body is not as it should be: ${problems.join('; ')}`);
}

function machineOf(name: string): string {
  return MACHINE_NAME.test(name) ? name : fail('bad-machine-name', `'${name}' is no name of a machine`);
}

function fail(code: string, message: string, advice?: string): never {
  throw new OperatingError(code, message, advice);
}
