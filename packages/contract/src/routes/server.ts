import { z } from 'zod';
import { routeSpec } from '../route-spec.ts';
import { isoTime } from '../tools/common.ts';
import { healthAnswer } from '../tools/server-answer.ts';
import { computeRequest } from './compute.ts';

const parts = z.record(z.string(), z.boolean());
const open = z.record(z.string(), z.unknown());

const warming = z
  .object({
    status: z.enum(['warming_up', 'degraded']),
    parts,
    not_ready: z.array(z.string()).optional(),
    why: z.record(z.string(), z.string()).optional(),
    since: isoTime.optional(),
    writes: z.enum(['disk_full', 'disk_failing', 'read_only']).optional(),
    message: z.string().optional(),
    hint: z.string().optional(),
    server_version: z.string().optional(),
  })
  .meta({ id: 'NotReady', description: 'Which parts are not ready, or why writes are refused' });

const health = { method: 'GET', tag: 'health', errors: [], whileNotReady: true } as const;

const KEY = 'must be a string of 1 to 200 characters';
// U+0000 and half of a character are in no key.
const key = z
  .string({ error: KEY })
  .min(1, KEY)
  .max(200, KEY)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), { message: KEY });
/** A value that a live table has under a key, or that it has none. */
const reading = { ok: z.boolean(), value: z.unknown().optional(), cold: z.literal(true).optional() };

/** What machines and people ask of the server itself, and what other runtimes ask of it. */
export const serverRoutes = {
  health: routeSpec({
    ...health,
    path: '/health',
    auth: 'open',
    summary: 'How the server does, for people.',
    answer: z.object({
      status: z.literal('ok'),
      version: z.string(),
      uptime: z.object({ seconds: z.int().nonnegative() }),
      parts,
      transports: z.array(z.string()),
      endpoints: z.record(z.string(), z.string()),
      auth: z.object({ bearer_required: z.boolean() }),
    }),
    unavailable: warming,
  }),
  live: routeSpec({
    ...health,
    path: '/health/live',
    auth: 'open',
    summary: 'The process answers.',
    answer: z.object({ status: z.literal('alive') }),
    always: true,
  }),
  ready: routeSpec({
    ...health,
    path: '/health/ready',
    auth: 'open',
    summary: 'Every part is warm, or which is not.',
    answer: z.object({ status: z.literal('ready'), parts }),
    unavailable: warming,
  }),
  deep: routeSpec({
    ...health,
    path: '/health/deep',
    auth: 'token',
    summary: 'How the server does, with every part; the same as the tool health_check.',
    answer: healthAnswer.extend({
      success: z.literal(true),
      server_time: z.string().optional(),
      _cache: z.object({
        probe_interval_seconds: z.number(),
        staleness_threshold_seconds: z.number(),
        age_seconds: z.number(),
        stale: z.boolean(),
        produced_at: isoTime,
      }),
    }),
    errors: [429],
  }),
  metrics: routeSpec({
    ...health,
    path: '/metrics',
    auth: 'token',
    summary: 'Series for Prometheus.',
    produces: 'text/plain',
  }),
  root: routeSpec({
    ...health,
    path: '/',
    auth: 'open',
    summary: 'The endpoints; browsers are led to the console.',
    answer: z.object({ name: z.string(), version: z.string(), endpoints: z.record(z.string(), z.string()) }),
    succeeds: { 200: 'The endpoints.', 302: 'To the console, for who accepts text/html.' },
  }),
  document: routeSpec({
    ...health,
    path: '/openapi.json',
    auth: 'open',
    summary: 'This document.',
    answer: open,
  }),
  flag: routeSpec({
    method: 'POST',
    path: '/v1/feature_flag/get',
    tag: 'runtime',
    auth: 'token',
    summary: 'A flag, from memory.',
    body: z.object({ name: key }),
    answer: z.object({ name: z.string(), ...reading }),
    errors: [],
  }),
  baseline: routeSpec({
    method: 'POST',
    path: '/v1/baseline/get',
    tag: 'runtime',
    auth: 'token',
    summary: 'The drift baseline of an agent, from memory.',
    body: z.object({ agent_id: key }),
    answer: z.object({ agent_id: z.string(), ...reading }),
    errors: [],
  }),
  compute: routeSpec({
    method: 'POST',
    path: '/v1/dialectic/compute',
    tag: 'runtime',
    auth: 'token',
    summary: 'A pure computation of a review, for another Breakwater.',
    body: computeRequest,
    handsOn: true,
    answer: z.looseObject({ ok: z.literal(true) }),
    errors: [504],
    whileNotReady: true,
  }),
} as const;

const page = {
  method: 'GET',
  tag: 'console',
  auth: 'open',
  summary: 'The console: its page, and below assets/ its files.',
  produces: 'text/html',
  succeeds: { 200: 'The page, or a file of another media type.', 304: 'The browser has it already.' },
  errors: [404],
  refused: 'text',
  whileNotReady: true,
} as const;

/** The page of the console and its files. */
export const consoleRoutes = {
  page: routeSpec({ ...page, path: '/dashboard' }),
  below: routeSpec({ ...page, path: '/dashboard/*' }),
} as const;
