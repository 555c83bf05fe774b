import { refuse, type Outcome } from '@breakwater/contract';
import type { SessionView } from '@breakwater/contract/overview';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  readAgentsQuery,
  readLimit,
  readReviewsQuery,
  readTexts,
  readTrailQuery,
  type RawQuery,
} from '../overview/index.ts';
import { evidenceOf } from './evidence.ts';
import { answerWith } from './feature-refusal.ts';
import type { SharedAnswers } from '../runtime/index.ts';
import type { ServeOptions } from './ports.ts';
import { sendRefusal } from './refusal-reply.ts';
import { sendUnavailable } from './unavailable.ts';

const MAX_ID = 200;

const signIn = {
  action:
    '"breakwater console" prints a link that signs you in; "breakwater operator create" makes a credential for programs, ' +
    'which send it as "Authorization: Bearer bwo_…".',
};
const noCredential = refuse('UNAUTHORIZED', 'This shows the whole fleet, and needs an operator credential.', {
  recovery: signIn,
}).refusal;
const deadCredential = refuse('UNAUTHORIZED', 'This operator credential is unknown, expired or revoked.', {
  recovery: signIn,
}).refusal;

const badId = refuse('BAD_REQUEST', `The id must have 1 to ${MAX_ID} characters, on one line.`, {
  details: { field: 'id' },
  recovery: { action: 'Take the id from a list: GET /api/agents, or GET /api/reviews.' },
}).refusal;

type Request = Pick<FastifyRequest, 'socket' | 'headers' | 'url'>;

/**
 * The routes under `/api` by which the console and the command line see a fleet (contract: `overview.ts`). All but
 * `/api/session` are for operators only (BW-console.02): they show what agents may not see of each other.
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
  const secretOf = (request: Request): string | undefined => evidenceOf(request, attestor).operatorSecret;

  /** Once the agents are in memory they stay there, whatever else is away; before, an empty fleet would be made up. */
  const hasMemory = (): boolean => readiness.parts()['agents'] !== false;

  /**
   * Answers an operator with what `ask` finds; anybody else with a refusal that says how to become one. `fromMemory`: also
   * while the server is not ready, as far as memory knows who asks and what of. All operators see the same, and who asks the
   * same within a second gets the same answer.
   */
  const answer = async <T>(
    request: Request,
    reply: FastifyReply,
    ask: () => Promise<Outcome<T>> | Outcome<T>,
    fromMemory = false,
  ): Promise<FastifyReply> => {
    const secret = secretOf(request);
    void reply.header('cache-control', 'no-store');
    if (secret === undefined) return sendRefusal(reply, noCredential);
    if (!readiness.ready && !(fromMemory && hasMemory())) return sendUnavailable(reply);
    const known = async (): Promise<Outcome<Buffer>> => {
      if ((await operatorOf(secret)) === undefined) return { ok: false, refusal: deadCredential };
      return shared.get(request.url, async () => {
        const found = await ask();
        return found.ok ? { ok: true, value: Buffer.from(JSON.stringify(found.value)) } : found;
      });
    };
    return answerWith(reply, known, (body) => reply.type('application/json; charset=utf-8').send(body));
  };

  /** A query that is in order, and what it finds. */
  const given = <Q, T>(query: Outcome<Q>, ask: (query: Q) => Promise<Outcome<T>>): Promise<Outcome<T>> =>
    query.ok ? ask(query.value) : Promise.resolve(query);
  const value = async <T>(found: T | Promise<T>): Promise<Outcome<T>> => ({ ok: true, value: await found });
  const nothing = (query: unknown) => readTexts(query as RawQuery, []);

  app.get('/api/session', async (request, reply) => {
    const secret = secretOf(request);
    if (secret !== undefined && !readiness.ready) return sendUnavailable(reply);
    const session = async (): Promise<Outcome<SessionView>> => {
      const operator = secret === undefined ? undefined : await operatorOf(secret);
      if (secret !== undefined && operator === undefined) return { ok: false, refusal: deadCredential };
      return {
        ok: true,
        value: {
          operator: operator === undefined ? null : { name: operator.name, can_act: operator.act },
          server: node,
        },
      };
    };
    return answerWith(reply, session, (view) => reply.header('cache-control', 'no-store').send(view));
  });

  // These three are from memory, or say what is not ready: they answer then, too.
  app.get('/api/now', (request, reply) =>
    answer(request, reply, () => given(nothing(request.query), () => value(overview.now())), true),
  );
  app.get('/api/agents', (request, reply) =>
    answer(
      request,
      reply,
      () => given(readAgentsQuery(request.query as RawQuery), (query) => value(overview.agents(query))),
      true,
    ),
  );
  app.get('/api/reviews', (request, reply) =>
    answer(request, reply, () =>
      given(readReviewsQuery(request.query as RawQuery), (query) => overview.reviews(query)),
    ),
  );
  app.get('/api/channel', (request, reply) =>
    answer(request, reply, () =>
      given(readTexts(request.query as RawQuery, ['since', 'until']), ({ since, until }) =>
        overview.channel(since ?? '24h', until),
      ),
    ),
  );
  app.get('/api/calibration', (request, reply) =>
    answer(request, reply, () =>
      given(readTexts(request.query as RawQuery, ['agent', 'since']), ({ agent, since }) =>
        overview.calibration(since ?? '90d', agent),
      ),
    ),
  );
  app.get('/api/flags', (request, reply) =>
    answer(request, reply, () => given(nothing(request.query), () => value(overview.flags()))),
  );
  app.get('/api/operators', (request, reply) =>
    answer(request, reply, () => given(nothing(request.query), () => value(overview.operators()))),
  );
  app.get('/api/system', (request, reply) =>
    answer(request, reply, () => given(nothing(request.query), () => value(overview.system())), true),
  );

  /** A route about one agent or review. */
  const one = <T>(path: string, ask: (id: string, query: RawQuery) => Promise<Outcome<T>>): void => {
    app.get<{ Params: { id: string } }>(path, (request, reply) => {
      const { id } = request.params;
      // A control character is in no id, and one of them PostgreSQL cannot even read.
      const isBad = id === '' || id.length > MAX_ID || /\p{Cc}/u.test(id);
      return answer(request, reply, () => (isBad ? { ok: false, refusal: badId } : ask(id, request.query as RawQuery)));
    });
  };
  one('/api/agents/:id', (id, query) => given(nothing(query), () => overview.agent(id)));
  one('/api/agents/:id/states', (id, query) =>
    given(readLimit(query, 2000, 300), (limit) => overview.states(id, limit)),
  );
  one('/api/agents/:id/claims', (id, query) =>
    given(readLimit(query, 500, 100), (limit) => overview.claims(id, limit)),
  );
  one('/api/agents/:id/trail', (id, query) => given(readTrailQuery(query), (page) => overview.trail(id, page)));
  one('/api/reviews/:id', (id, query) => given(nothing(query), () => overview.review(id)));
};
