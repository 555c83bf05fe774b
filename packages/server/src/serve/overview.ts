import { refusal, type Result } from '@breakwater/contract';
import { operatorRoutes, type RouteAnswer, type RouteSpec } from '@breakwater/contract/routes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { evidenceOf } from './evidence.ts';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { SharedAnswers } from '../runtime/index.ts';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { serveRoute, type RouteRequest } from './route.ts';
import { sendUnavailable } from './unavailable.ts';

const signIn = {
  action:
    '"breakwater console" prints a link that signs you in; "breakwater operator create" makes a credential for programs, ' +
    'which send it as "Authorization: Bearer bwo_…".',
};
const noCredential = refusal('UNAUTHORIZED', 'This shows the whole fleet, and needs an operator credential.', {
  recovery: signIn,
});
const deadCredential = refusal('UNAUTHORIZED', 'This operator credential is unknown, expired or revoked.', {
  recovery: signIn,
});

/**
 * The routes under `/api` by which the console and the command line see a fleet. All but `/api/session` are for operators
 * only (BW-console.02): they show what agents may not see of each other.
 */
export const registerOverview = (
  app: FastifyInstance,
  {
    overview,
    operatorOf,
    readiness,
    attestor,
    node,
  }: Pick<ServeOptions, 'overview' | 'operatorOf' | 'readiness' | 'attestor' | 'node'>,
  shared: SharedAnswers,
): void => {
  const secretOf = (request: Pick<FastifyRequest, 'socket' | 'headers'>): string | undefined =>
    evidenceOf(request, attestor).operatorSecret;

  serveRoute(app, operatorRoutes.session, async (request, reply) => {
    const secret = secretOf(request);
    if (secret !== undefined && !readiness.ready) return sendUnavailable(reply);
    const operator = secret === undefined ? undefined : await operatorOf(secret);
    if (secret !== undefined && operator === undefined) return sendRefusal(reply, deadCredential);
    void reply.header('cache-control', 'no-store');
    return { operator: operator === undefined ? null : { name: operator.name, can_act: operator.act }, server: node };
  });

  void app.register(async (operators) => {
    operators.addHook('preValidation', async (request, reply) => {
      void reply.header('cache-control', 'no-store');
      const secret = secretOf(request);
      if (secret === undefined) return sendRefusal(reply, noCredential);
      // Once the agents are in memory they stay there, whatever else is away; before, an empty fleet would be made up.
      const isThere = readiness.ready || request.routeOptions.config.spec?.whileNotReady === true;
      if (!isThere || readiness.parts()['agents'] === false) return sendUnavailable(reply);
      return (await operatorOf(secret)) === undefined ? sendRefusal(reply, deadCredential) : undefined;
    });

    /** All operators see the same, and who asks the same within a second gets the same answer. */
    const serve = <S extends RouteSpec>(
      spec: S,
      ask: (request: RouteRequest<S>) => Promise<Result<RouteAnswer<S>>>,
    ): void => {
      serveRoute(operators, spec, async (request, reply) => {
        const found = await shared.get(request.url, async () => {
          const asked = await ask(request);
          return asked.ok ? { ok: true as const, value: Buffer.from(JSON.stringify(asked.value)) } : asked;
        });
        if (!found.ok) return sendFeatureRefusal(reply, found.refusal);
        return reply.type('application/json; charset=utf-8').send(found.value);
      });
    };
    const value = async <T>(found: T | Promise<T>): Promise<Result<T>> => ({ ok: true, value: await found });

    serve(operatorRoutes.now, () => value(overview.now()));
    serve(operatorRoutes.agents, ({ query }) => value(overview.agents(query)));
    serve(operatorRoutes.agent, ({ params }) => overview.agent(params.id));
    serve(operatorRoutes.states, ({ params, query }) => overview.states(params.id, query.limit));
    serve(operatorRoutes.claims, ({ params, query }) => overview.claims(params.id, query.limit));
    serve(operatorRoutes.trail, ({ params, query }) => overview.trail(params.id, query));
    serve(operatorRoutes.reviews, ({ query }) => overview.reviews(query));
    serve(operatorRoutes.review, ({ params }) => overview.review(params.id));
    serve(operatorRoutes.channel, ({ query }) => overview.channel(query.since ?? '24h', query.until));
    serve(operatorRoutes.calibration, ({ query }) => overview.calibration(query.since ?? '90d', query.agent));
    serve(operatorRoutes.flags, () => value(overview.flags()));
    serve(operatorRoutes.operators, () => value(overview.operators()));
    serve(operatorRoutes.system, () => value(overview.system()));
  });
};
