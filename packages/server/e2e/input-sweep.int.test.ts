import type { FieldProblem, ToolSpec } from '@breakwater/contract';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { HOSTILE_PARTS } from '../fuzz/values.ts';
import { shapeOf } from '../src/dispatch/index.ts';
import { ROUTES } from '@breakwater/contract/routes';
import { TOOLS } from '@breakwater/contract/tools';
import { onboard, operator, type Answer } from '../testing/calls.ts';
import { serveWorld } from '../testing/serving.ts';
import { verifies } from '../testing/verifies.ts';
import { testWorld } from '../testing/world.ts';
import type { Json } from '../testing/rest.ts';

const SEED = 140_901;
const AT_ONCE = 40;
const w = await testWorld();
const served = await serveWorld(w);
const secret = await operator(w.node, w.database, 'operator:act', 'sweeper');
afterAll(async () => {
  await served.close();
  await w.node.stop();
});

const SPECS = Object.values<ToolSpec>(TOOLS);

/** Each argument of each action of each tool. */
const PLACES = SPECS.flatMap((spec) => {
  const shape = shapeOf(spec.input);
  const { action } = spec.input.shape as Readonly<Record<string, { meta(): unknown } | undefined>>;
  const words = (action?.meta() as { wire?: { enum?: readonly string[] } } | undefined)?.wire?.enum;
  return (words ?? [undefined]).flatMap((word) =>
    [...shape.properties].map(([name, of]) => ({ spec, word, name, of })),
  );
});
type Place = (typeof PLACES)[number];

const titleOf = ({ spec, word, name }: Place): string => `${spec.name}${word === undefined ? '' : `(${word})`}.${name}`;

const caller = await onboard(w.call, { force_new: true });
const ask = ({ spec, word }: Place, more: Json): Promise<Answer> => {
  const args = {
    ...spec.example,
    client_session_id: caller.secret,
    ...(word !== undefined && { action: word }),
    ...more,
  };
  return w.call(spec.name, args, spec.identity === 'operator' ? { operatorSecret: secret } : {});
};

const inTurns = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(work));
};

const fieldsOf = ({ body }: Answer): string[] =>
  ((body['errors'] ?? []) as FieldProblem[]).filter(({ type }) => type !== 'missing').map(({ field }) => field);

/** A text where the place has one: as it is, in its list, or in its object. */
const holding = ({ of }: Place, text: string): unknown =>
  of.text ? text : of.list ? [text] : of.object ? { note: text } : text;

const HALVES = ['a\0b', 'Deployed \ud83d', '\udc00x'];

test(
  'no text that is none reaches PostgreSQL: it is refused by name, or replaced and told',
  { timeout: 240_000 },
  async () => {
    verifies('BW-dispatch.09');
    const kept = await onboard(w.call, { name: 'Control', force_new: true });
    const note = await w.call('leave_note', { summary: 'Untouched', client_session_id: kept.secret });
    await inTurns(
      PLACES.flatMap((place) => HALVES.map((text) => ({ place, text }))),
      async ({ place, text }) => {
        const answer = await ask(place, { [place.name]: holding(place, text) });
        const title = `${titleOf(place)} = ${JSON.stringify(text)}: ${JSON.stringify(answer.body).slice(0, 300)}`;
        expect(answer.code, title).not.toBe('INTERNAL_ERROR');
        if (!place.of.text || place.of.prose) {
          expect(JSON.stringify(answer.body), title).not.toMatch(/sqlstate/);
          return;
        }
        expect(answer.code, title).toBe('PARAMETER_ERROR');
        expect(fieldsOf(answer), title).toContain(place.name);
      },
    );
    expect(w.node.crashes).toEqual([]);
    const { body } = await w.call('knowledge', { action: 'details', discovery_id: note.body['discovery_id'] });
    expect(body).toMatchObject({ discovery: { summary: 'Untouched' } });
    const checkIn = await w.call('sync_state', { response_text: 'Still here.', client_session_id: kept.secret });
    expect(checkIn.ok, JSON.stringify(checkIn.body)).toBe(true);
  },
);

test('no misspelt argument is dropped', { timeout: 240_000 }, async () => {
  verifies('BW-dispatch.09');
  const closed = PLACES.filter(({ spec }) => spec.takesAnyArgument !== true);
  await inTurns(closed, async (place) => {
    const misspelt = `${place.name}z`;
    const answer = await ask(place, { [misspelt]: 'x' });
    const problems = (answer.body['errors'] ?? []) as FieldProblem[];
    expect(answer.code, titleOf(place)).toBe('PARAMETER_ERROR');
    expect(problems, titleOf(place)).toContainEqual(
      expect.objectContaining({ field: misspelt, type: 'unknown_key', did_you_mean: place.name }),
    );
  });
  expect(w.node.crashes).toEqual([]);
});

const extreme = fc.oneof(
  fc.constantFrom<unknown>(1e308, -1e308, 2 ** 53, -(2 ** 63), 5e-324, -1, 0, 4_294_967_296, '1e999', '-0', 'NaN'),
  fc.constantFrom(
    '0000-01-01T00:00:00Z',
    '2026-02-30',
    '9999-12-31T23:59:59-23:59',
    '292278994-08-17',
    'infinity',
    '-infinity',
    '0001-01-01',
  ),
  fc.constantFrom(
    '{"a":1}',
    '[1,2]',
    '["\\ud800"]',
    '{"__proto__":{"x":1}}',
    'true',
    'null',
    '"x"',
    '[',
    '{"\\u0000":1}',
  ),
  fc.constantFrom('', ' ', '%', '\\', "'; DROP TABLE core.agents; --", '\u202e', '👩‍💻', 'ß', '\uffff', 'x'.repeat(5000)),
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

test(
  'extreme numbers, times, texts and JSON in any argument are answered, and never a bug of ours',
  { timeout: 240_000 },
  async () => {
    verifies('BW-dispatch.09');
    const cases = fc.sample(fc.tuple(fc.constantFrom(...PLACES), extreme), { numRuns: 6000, seed: SEED });
    await inTurns(cases, async ([place, value]) => {
      // As it comes over a wire: what JSON cannot say arrives as null.
      const sent = JSON.parse(JSON.stringify({ [place.name]: value })) as Json;
      const answer = await ask(place, sent);
      expect(answer.code, `${titleOf(place)} = ${JSON.stringify(value)}`).not.toBe('INTERNAL_ERROR');
      expect(JSON.stringify(answer.body), titleOf(place)).not.toMatch(/sqlstate/);
    });
    expect(w.node.crashes).toEqual([]);
  },
);

const PARTS = [...HOSTILE_PARTS, '9'.repeat(400), '0000-01-01T00:00:00Z'];
const json = { 'content-type': 'application/json', 'x-breakwater-operator': secret };

test('every route answers hostile addresses and bodies in the one form of refusals', { timeout: 240_000 }, async () => {
  verifies('BW-dispatch.09');
  const routes = ROUTES.filter(({ path }) => !path.startsWith('/mcp') && path !== '/ws/eisv' && !path.includes('*'));
  const asked = routes.flatMap(({ method, path, query }) =>
    PARTS.flatMap((part): [string, string, string | undefined][] => {
      const here = path.replaceAll(/:\w+/g, part);
      const bodies =
        method === 'GET'
          ? [undefined]
          : [...FIELDS.map((field) => JSON.stringify({ [field]: decoded(part) })), '[1]', '{'];
      return method === 'GET'
        ? [...Object.keys(query?.shape ?? {}), 'no_such_field'].map((name) => [
            method,
            `${here}?${name}=${part}`,
            undefined,
          ])
        : bodies.map((body) => [method, here, body]);
    }),
  );
  await inTurns(asked, async ([method, path, body]) => {
    const answer = await fetch(`${served.url}${path}`, { method, headers: json, ...(body !== undefined && { body }) });
    const text = await answer.text();
    const title = `${method} ${path} ${body ?? ''}: ${answer.status} ${text.slice(0, 300)}`;
    expect(answer.status < 500, title).toBe(true);
    expect(text, title).not.toContain('"error_code":"INTERNAL_ERROR"');
    if (answer.status < 400) return;
    expect(JSON.parse(text), title).toMatchObject({
      success: false,
      error_code: expect.any(String) as string,
      recovery: { action: expect.any(String) as string },
    });
  });
  expect(w.node.crashes).toEqual([]);
});

const FIELDS = [
  'name',
  'agent_id',
  'agent_uuid',
  'detail',
  'message',
  'type',
  'ts',
  'value',
  'session_id',
  'idempotency_key',
  'arguments',
];
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return '\ud800';
  }
};
