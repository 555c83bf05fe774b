import { z } from 'zod';
import { AGENT_SORTS, AGENT_STATUS_FILTERS, REVIEW_STATUS_FILTERS, VERDICTS } from '../overview-words.ts';
import {
  agentsPage,
  agentView,
  channelView,
  claimsView,
  flagsView,
  nowView,
  operatorsView,
  reviewsPage,
  reviewView,
  sessionView,
  statesView,
  systemView,
  trailView,
} from '../overview.ts';
import { routeSpec } from '../route-spec.ts';
import { calibrationCheck } from '../tools/calibration-answer.ts';
import { idParams, noQuery, oneOf, optional, text, wholeNumber, wholeNumberOr, withDefault } from './query.ts';

const MOST_OFFSET = 1_000_000;

/** Which agents a list shows, and in which order. */
const agentsQuery = z.strictObject({
  search: text('In the name, the purpose or a tag, or how the id begins'),
  status: withDefault(AGENT_STATUS_FILTERS, 'present').describe(
    'present: neither archived nor deleted; all: all but deleted; stuck: silent for longer than it should be',
  ),
  verdict: optional(oneOf(VERDICTS)),
  tag: text(),
  sort: withDefault(AGENT_SORTS, 'activity'),
  order: optional(oneOf(['asc', 'desc'])),
  offset: wholeNumberOr(0, 0, MOST_OFFSET),
  limit: wholeNumberOr(50, 1, 1000),
});
export type AgentsQuery = z.output<typeof agentsQuery>;

/** Which reviews a list shows. */
const reviewsQuery = z.strictObject({
  status: withDefault(REVIEW_STATUS_FILTERS, 'all'),
  agent: text(),
  offset: wholeNumberOr(0, 0, MOST_OFFSET),
  limit: wholeNumberOr(50, 1, 200),
});
export type ReviewsQuery = z.output<typeof reviewsQuery>;

const reads = { method: 'GET', tag: 'operators', auth: 'operator', errors: [] } as const;
const readsOne = { ...reads, params: idParams, errors: [404] } as const;

/**
 * The routes by which the console and the command line see a fleet. All but `/api/session` need an operator credential
 * (`Authorization: Bearer bwo_…`) with `operator:read`; acts are tools, called as everywhere with `POST /v1/tools/call`.
 */
export const operatorRoutes = {
  session: routeSpec({
    ...reads,
    path: '/api/session',
    auth: 'token',
    summary: 'Who is signed in, and to what; answers those who are not, as well.',
    answer: sessionView,
    errors: [401],
    whileNotReady: true,
  }),
  now: routeSpec({
    ...reads,
    path: '/api/now',
    summary: 'What needs a person, the worst first, and the fleet at a glance.',
    query: noQuery,
    answer: nowView,
    whileNotReady: true,
  }),
  agents: routeSpec({
    ...reads,
    path: '/api/agents',
    summary: 'Agents: filtered, searched, sorted, in pages; from memory.',
    query: agentsQuery,
    answer: agentsPage,
    whileNotReady: true,
  }),
  agent: routeSpec({
    ...readsOne,
    path: '/api/agents/:id',
    summary: 'One agent, by its id or exactly its name.',
    query: noQuery,
    answer: agentView,
  }),
  states: routeSpec({
    ...readsOne,
    path: '/api/agents/:id/states',
    summary: 'Its newest check-ins, the oldest first.',
    query: z.strictObject({ limit: wholeNumberOr(300, 1, 2000) }),
    answer: statesView,
  }),
  claims: routeSpec({
    ...readsOne,
    path: '/api/agents/:id/claims',
    summary: 'Its outcomes beside what it claimed, the newest first.',
    query: z.strictObject({ limit: wholeNumberOr(100, 1, 500) }),
    answer: claimsView,
  }),
  trail: routeSpec({
    ...readsOne,
    path: '/api/agents/:id/trail',
    summary: 'Its hash-chained audit trail, the newest first.',
    query: z.strictObject({ before: wholeNumber(1, 1e15), limit: wholeNumberOr(50, 1, 200) }),
    answer: trailView,
  }),
  reviews: routeSpec({
    ...reads,
    path: '/api/reviews',
    summary: 'Reviews, the newest first.',
    query: reviewsQuery,
    answer: reviewsPage,
    errors: [404],
  }),
  review: routeSpec({
    ...readsOne,
    path: '/api/reviews/:id',
    summary: 'One review: its transcript, the merge of the proposals, its sagas.',
    query: noQuery,
    answer: reviewView,
  }),
  channel: routeSpec({
    ...reads,
    path: '/api/channel',
    summary: 'Failures and measurements of a time, by type and endpoint.',
    query: z.strictObject({ since: text('24h by default, or a date'), until: text() }),
    answer: channelView,
  }),
  calibration: routeSpec({
    ...reads,
    path: '/api/calibration',
    summary: 'Whether claims and results agree, for the fleet or one agent.',
    query: z.strictObject({ agent: text('An id, or exactly a name'), since: text('90d by default, or a date') }),
    answer: calibrationCheck,
    errors: [404],
  }),
  flags: routeSpec({
    ...reads,
    path: '/api/flags',
    summary: 'Every flag and the newest changes.',
    query: noQuery,
    answer: flagsView,
  }),
  operators: routeSpec({
    ...reads,
    path: '/api/operators',
    summary: 'Operator credentials, without their secrets.',
    query: noQuery,
    answer: operatorsView,
  }),
  system: routeSpec({
    ...reads,
    path: '/api/system',
    summary: 'What the server is made of, and how each part does.',
    query: noQuery,
    answer: systemView,
    whileNotReady: true,
  }),
} as const;
