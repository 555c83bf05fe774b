import { FEED_EVENTS, type Refusal } from '@breakwater/contract';
import { agentRoutes, operatorRoutes, serverRoutes } from '@breakwater/contract/routes';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { ME } from '../lifecycle/rules/testing/head.ts';
import { registerHttpErrors } from './http-errors.ts';
import { registerOpenApi } from './openapi.ts';
import { holdAnswer, RefusedRequest, serveRoute, validatorCompiler } from './route.ts';

/** Reads a part of a request as the HTTP framework does. */
const read = (schema: z.ZodType, value: unknown, httpPart = 'querystring'): { value?: unknown; refusal?: Refusal } => {
  const validate = validatorCompiler({ schema, httpPart, method: 'GET', url: '/' });
  const result = validate(value) as { value?: unknown; error?: unknown };
  return result.error instanceof RefusedRequest ? { refusal: result.error.refusal } : { value: result.value };
};

const { agents, reviews, trail, states, claims, now } = operatorRoutes;

describe('the query of a list', () => {
  it('has defaults', () => {
    expect(read(agents.query, {}).value).toEqual({ status: 'present', sort: 'activity', offset: 0, limit: 50 });
    expect(read(reviews.query, {}).value).toEqual({ status: 'all', offset: 0, limit: 50 });
    expect(read(trail.query, {}).value).toEqual({ limit: 50 });
    expect(read(states.query, {}).value).toEqual({ limit: 300 });
  });

  it.each<[z.ZodType, Record<string, unknown>, string, string]>([
    [agents.query, { sort: 'age' }, 'sort', 'activity, name, status, risk, check_ins, created'],
    [agents.query, { order: 'up' }, 'order', 'asc, desc'],
    [agents.query, { status: 'dead' }, 'status', 'waiting_input'],
    [agents.query, { verdict: 'maybe' }, 'verdict', 'proceed, guide, pause, reject'],
    [agents.query, { limit: '0' }, 'limit', 'from 1 to 1000'],
    [agents.query, { limit: '1001' }, 'limit', 'from 1 to 1000'],
    [agents.query, { offset: '-1' }, 'offset', 'from 0 to 1000000'],
    [agents.query, { limit: '1e2' }, 'limit', 'a whole number'],
    [agents.query, { search: 'x'.repeat(201) }, 'search', 'at most 200 characters'],
    [agents.query, { search: ['a', 'b'] }, 'search', 'one text'],
    [agents.query, { tag: 'a\0b' }, 'tag', 'on one line'],
    [agents.query, { page: '2' }, 'page', 'known are search, status, verdict, tag, sort, order, offset, limit'],
    [reviews.query, { status: 'done' }, 'status', 'open, waiting, resolved, failed, all'],
    [reviews.query, { limit: '201' }, 'limit', 'from 1 to 200'],
    [reviews.query, { agent: 'a\0' }, 'agent', 'on one line'],
    [trail.query, { before: '0' }, 'before', 'from 1'],
    [claims.query, { limit: '501' }, 'limit', 'from 1 to 500'],
    [now.query, { x: 'y' }, 'x', 'known are none'],
  ])('is refused, naming the field and what it may be', (schema, raw, field, words) => {
    const { refusal } = read(schema, raw);
    expect(refusal).toMatchObject({ code: 'BAD_REQUEST', details: { field } });
    expect(refusal?.message).toContain(`"${field}"`);
    expect(refusal?.message).toContain(words);
    expect(refusal?.recovery?.action).toContain(field);
  });

  it('tells the words that a field may have as data, too', () => {
    expect(read(agents.query, { order: 'up' }).refusal?.details).toEqual({
      field: 'order',
      valid_values: ['asc', 'desc'],
    });
  });

  it('tells of a field that there is not before any other', () => {
    expect(read(agents.query, { limit: 'x', page: '1' }).refusal?.details).toEqual({ field: 'page' });
  });

  it('takes an empty value for none', () => {
    expect(read(agents.query, { search: '', limit: '', sort: '', order: '' })).toEqual(read(agents.query, {}));
  });
});

describe('the query of the feed', () => {
  const { query } = agentRoutes.events;

  it('is read', () => {
    const asked = { limit: '7', agent_id: ME.toUpperCase(), type: 'drift,silence', since: '12' };
    const types = new Set(['drift', 'silence']);
    expect(read(query, asked).value).toEqual({ limit: 7, agent_id: ME, type: types, since: 12 });
    expect(read(query, {}).value).toEqual({ limit: 100 });
  });

  it.each<[string, Record<string, unknown>]>([
    ['severity', { severity: 'high' }],
    ['limit', { limit: '0' }],
    ['limit', { limit: '501' }],
    ['limit', { limit: '' }],
    ['limit', { limit: '1.5' }],
    ['limit', { limit: ['1', '2'] }],
    ['type', { type: 'nonsense' }],
    ['type', { type: '' }],
    ['since', { since: '-1' }],
    ['since', { since: '1e3' }],
    ['since', { since: '9999999999999999' }],
    ['agent_id', { agent_id: '' }],
    ['agent_id', { agent_id: 'a'.repeat(101) }],
  ])('is refused by the name of the filter and with what is allowed: %s %o', (field, raw) => {
    const details = { field, safe_options: { type: FEED_EVENTS } };
    expect(read(query, raw).refusal).toMatchObject({ code: 'BAD_REQUEST', details });
  });

  it('of those who watch has the filters of that route alone', () => {
    const options = read(agentRoutes.watch.query, { type: 'drift' }).refusal?.details?.['safe_options'];
    expect(Object.keys(options as object)).toEqual(['agent_id', 'since']);
  });
});

it('a body that is no object is refused as one', () => {
  for (const body of [undefined, null, 'x', [1]]) {
    const { refusal } = read(serverRoutes.flag.body, body, 'body');
    expect(refusal).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'body' } });
  }
});

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});
const server = () => {
  const app = fastify();
  apps.push(app);
  app.setValidatorCompiler(validatorCompiler);
  return app;
};

describe('a route and the contract', () => {
  const described = () => {
    const app = server();
    registerOpenApi(app, { dispatcher: { advertised: () => [] } as never, server: { name: 'b', version: '1' } });
    return app;
  };

  it('a route that the contract has not ends the start', () => {
    expect(() => described().get('/secret', async () => 'x')).toThrow('The contract has no route GET /secret');
  });

  it('a route of the contract that is not served ends the start', async () => {
    await expect(described().ready()).rejects.toThrow('Routes of the contract are not served: POST /v1/tools/call');
  });
});

describe('an answer that is held against the contract', () => {
  const answering = async (view: unknown) => {
    const app = server();
    const logged: unknown[] = [];
    registerHttpErrors(app, { log: { error: ({ err }: { err: Error }) => logged.push(err.message) } as never });
    app.addHook('onSend', holdAnswer);
    serveRoute(app, serverRoutes.live, async () => view as { status: 'alive' });
    const { statusCode } = await app.inject('/health/live');
    return { statusCode, logged };
  };

  it('is sent when it fits', async () => {
    expect(await answering({ status: 'alive' })).toEqual({ statusCode: 200, logged: [] });
  });

  it.each([
    [{ status: 'dead' }, 'status: '],
    [{}, 'status: '],
    [{ status: 'alive', mood: 'good' }, 'not in the contract: mood'],
  ])('is an error when it does not: %o', async (view, problem) => {
    const { statusCode, logged } = await answering(view);
    expect(statusCode).toBe(500);
    expect(logged[0]).toContain(`The answer of /health/live breaks the contract: ${problem}`);
  });
});
