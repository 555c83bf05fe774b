import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onboard, operator } from '../../testing/calls.ts';
import { connectMcp, GENERATIONS } from '../../testing/mcp.ts';
import { callTool, postJson, type Json } from '../../testing/rest.ts';
import { serveWorld, type ServedWorld } from '../../testing/serving.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';

const world = await testWorld();
let served: ServedWorld;
beforeAll(async () => {
  served = await serveWorld(world);
});
afterAll(async () => {
  await served.close();
  await world.node.stop();
});

/** Names by which evidence is rated somewhere; the last two are the server's own notes. */
const KEYS = [
  'verification_source',
  'verified',
  'verified_by',
  'grade',
  'graded',
  'weight',
  'evidence_grade',
  'evidence_weight',
  'corroboration',
  'corroboration_grade',
  'provenance',
  'provenance_context',
  'prediction_source',
  'trusted',
  'trusted_source',
  'trusted_sources',
  'server_snapshot',
  'snapshot_missing',
] as const;

const camel = (key: string) => key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
/** The spellings of a name that a lenient reader would take for it. */
const spellings = (key: string): string[] => [
  key,
  key.toUpperCase(),
  camel(key),
  key.replaceAll('_', '-'),
  key.replaceAll('_', ' '),
  `_${key}`,
  `${key.slice(0, 2)}\u200b${key.slice(2)}`,
  key.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
];

const STRONGEST = { server_snapshot: { channel: 'tests' }, snapshot_missing: false } as Json;
/** A name in all its spellings, at the top, deep inside, in arrays and in arrays of arrays. */
const planted = (key: string): Json => {
  const value: unknown = STRONGEST[key] ?? (key.includes('weight') ? 1 : 'externally_verified');
  const here = Object.fromEntries(spellings(key).map((name) => [name, value]));
  let deep: Json = here;
  for (let i = 0; i < 12; i += 1) deep = { inner: deep };
  return { ...here, note: deep, list: [here, { more: [here] }], lists: [[[here]]] };
};

const FOLDED = new Set(KEYS.map((key) => key.replaceAll('_', '')));
/** Names in a stored detail, at any depth, that rate it: the server's own notes left out. */
const ratings = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, part]) => {
        const folded = key
          .normalize('NFKC')
          .toLowerCase()
          .replaceAll(/[^a-z]/g, '');
        return [...(!Array.isArray(value) && FOLDED.has(folded) ? [key] : []), ...ratings(part)];
      })
    : [];

interface Row {
  readonly sent: string;
  readonly detail?: Json;
  readonly args?: Json;
  readonly weight: number;
  readonly label?: string;
}

const HARD = { command: 'npm test', exit_code: 0 };

/** What is sent with a good prediction, and the weight that must come out. */
const ROWS: readonly Row[] = [
  ...KEYS.flatMap((key): Row[] => [
    { sent: `${key}, everywhere, beside nothing`, detail: planted(key), weight: 0.1 },
    { sent: `${key}, everywhere, beside a commit`, detail: { ...planted(key), commit: 'abc' }, weight: 0.35 },
    { sent: `${key}, everywhere, beside an exit code`, detail: { ...planted(key), ...HARD }, weight: 0.65 },
  ]),
  ...['server_observation', 'external_signal'].flatMap((verification_source): Row[] => [
    { sent: `the argument ${verification_source}`, args: { verification_source }, weight: 0.1 },
    { sent: `${verification_source} and an exit code`, args: { verification_source }, detail: HARD, weight: 0.65 },
    {
      sent: `${verification_source} wrapped in kwargs`,
      args: { kwargs: JSON.stringify({ verification_source }) },
      weight: 0.1,
    },
  ]),
  {
    sent: 'names that only the server uses, as arguments',
    args: { _verification_source: 'external_signal', principal: 'root', identity_assurance: 'strong', _weight: 1 },
    weight: 0.1,
  },
  ...['pr', 'commit', 'ci', 'test', 'command'].map((family): Row => ({
    sent: `the claimed family ${family}`,
    detail: { [family]: 'named' },
    weight: 0.35,
  })),
  {
    sent: 'all claimed families, each marked verified',
    detail: Object.fromEntries(['pr', 'commit', 'ci', 'test'].map((family) => [family, { id: 1, verified: true }])),
    weight: 0.35,
  },
  { sent: 'a verified marker from nobody', detail: { verified: true, verified_at: 'now', ci: 'green' }, weight: 0.35 },
  { sent: 'evidence one level down', detail: { evidence: HARD }, weight: 0.1 },
  { sent: 'evidence in an array', detail: { evidence: [HARD], results: [[HARD]] }, weight: 0.1 },
  { sent: 'an exit code in words', detail: { command: 'npm test', exit_code: '0' }, weight: 0.35 },
  { sent: 'an exit code of nothing', detail: { exit_code: 0 }, weight: 0.1 },
  { sent: 'names of evidence in capitals', detail: { COMMAND: 'npm test', EXIT_CODE: 0, KIND: 'test' }, weight: 0.1 },
  { sent: 'a kind in capitals', detail: { kind: 'TEST', passed: 12 }, weight: 0.1 },
  { sent: 'blank names', detail: { command: ' ', exit_code: 0, commit: '' }, weight: 0.1 },
  { sent: 'test data', detail: { ...HARD, synthetic_run: true }, weight: 0.65 },
];

const GRADED = new Set([0.65, 0.85, 1]);
const isTestData = (row: Row) => row.detail?.['synthetic_run'] === true;

let serial = 0;
const claimArgs = (secret: string): Json => ({
  client_session_id: secret,
  response_text: `Piece ${(serial += 1)}: ${crypto.randomUUID()}`,
  confidence: 0.9,
  response_mode: 'full',
});
const stored = async (outcomeId: unknown): Promise<Json> =>
  (await world.rows('SELECT * FROM audit.outcome_events WHERE outcome_id = $1', outcomeId))[0] ?? {};

describe.each(['rest', ...GENERATIONS] as const)('forged provenance over %s', (transport) => {
  let secret: string;
  let call: (name: string, args: Json) => Promise<Json>;
  let close: () => Promise<void>;
  beforeAll(async () => {
    secret = (await onboard(world.call, { name: `Forger over ${transport}`, force_new: true })).secret;
    if (transport === 'rest') {
      call = async (name, args) => (await callTool(served.url, name, args)).result;
      close = () => Promise.resolve();
    } else {
      const mcp = await connectMcp(served.url, transport);
      call = async (name, args) => (await mcp.call(name, args)).result;
      close = () => mcp.close();
    }
  });
  afterAll(() => close());

  test.each(ROWS)('$sent: $weight', async (row) => {
    verifies('BW-outcomes.01');
    const { prediction_id } = await call('process_agent_update', claimArgs(secret));
    const said = await call('outcome_event', {
      client_session_id: secret,
      outcome_type: 'task_completed',
      prediction_id,
      ...(row.detail && { detail: row.detail }),
      ...row.args,
    });
    const graded = GRADED.has(row.weight) && !isTestData(row);
    expect(said, JSON.stringify(said)).toMatchObject({
      success: true,
      evidence_weight: row.weight,
      graded,
      prediction_source: 'registry',
    });
    const kept = await stored(said['outcome_id']);
    expect(kept).toMatchObject({
      evidence_weight: row.weight,
      graded,
      verification_source: 'agent_reported_tool_result',
    });
    const { server_snapshot, ...detail } = kept['detail'] as Json;
    expect(ratings(detail)).toEqual([]);
    // The server's own note stands there, whatever was sent in its place.
    if (isTestData(row)) expect(server_snapshot).toBeUndefined();
    else expect(server_snapshot).toMatchObject({ channel: 'tasks', claim_class: 'agent_report' });
    if (row.args?.['verification_source'] !== undefined) {
      expect(JSON.stringify(said['warnings'])).toContain(
        'verification_source was taken for agent_reported_tool_result',
      );
    }
  });

  test('an argument that rates the outcome is refused with the whole call', async () => {
    verifies('BW-outcomes.01');
    for (const key of ['source', 'operator', 'evidence_weight', 'graded', 'verified_by']) {
      const { prediction_id } = await call('process_agent_update', claimArgs(secret));
      const args = { client_session_id: secret, outcome_type: 'task_completed', prediction_id, [key]: 1 };
      const said = await call('outcome_event', args);
      expect(said, key).toMatchObject({ success: false, error_code: 'PARAMETER_ERROR' });
      const inCheckIn = { ...claimArgs(secret), [key]: 'external_signal' };
      expect(await call('sync_state', inCheckIn), key).toMatchObject({ error_code: 'PARAMETER_ERROR' });
    }
  });

  test('a key of the server in the result of a tool is refused with the whole check-in', async () => {
    verifies('BW-outcomes.01');
    for (const key of KEYS) {
      const said = await call('sync_state', {
        ...claimArgs(secret),
        recent_tool_results: [{ tool: 'vitest', summary: 'ok', exit_code: 0, [key]: 'externally_verified' }],
      });
      expect(said, key).toMatchObject({ success: false, error_code: 'PARAMETER_ERROR' });
    }
  });

  test.each([
    { sent: 'words', result: { summary: 'externally_verified, weight 1' }, weight: 0.35 },
    { sent: 'a kind alone', result: { summary: 'passed', kind: 'lint' }, weight: 0.35 },
    { sent: 'an exit code', result: { summary: 'passed', exit_code: 0 }, weight: 0.65 },
  ])('the result of a tool with $sent: $weight', async ({ result, weight }) => {
    verifies('BW-outcomes.01');
    const { prediction_id } = await call('process_agent_update', claimArgs(secret));
    const tool = `tool-${crypto.randomUUID()}`.slice(0, 40);
    await call('sync_state', {
      ...claimArgs(secret),
      recent_tool_results: [{ tool, prediction_id, ...result }],
    });
    const [kept] = await world.rows("SELECT * FROM audit.outcome_events WHERE detail ->> 'tool' = $1", tool);
    expect(kept).toMatchObject({
      evidence_weight: weight,
      graded: weight >= 0.65,
      verification_source: 'agent_reported_tool_result',
    });
  });
});

describe('predictions that are not good', () => {
  const claimed = async (secret: string, more: Json = {}) =>
    (await world.call('process_agent_update', { ...claimArgs(secret), ...more })).body['prediction_id'];
  const settle = async (secret: string, prediction_id: unknown, more: Json = {}) =>
    (
      await world.call('outcome_event', {
        client_session_id: secret,
        outcome_type: 'task_completed',
        prediction_id,
        detail: HARD,
        ...more,
      })
    ).body;

  test.each([
    {
      sent: "another agent's",
      label: 'missing_prediction',
      of: async () => claimed((await onboard(world.call, { force_new: true })).secret),
    },
    { sent: 'an unknown one', label: 'missing_prediction', of: () => Promise.resolve(crypto.randomUUID()) },
    {
      sent: 'a used one',
      label: 'missing_prediction',
      of: async (secret: string) => {
        const id = await claimed(secret);
        expect(await settle(secret, id)).toMatchObject({ graded: true });
        return id;
      },
    },
    {
      sent: 'one used in the result of a tool',
      label: 'missing_prediction',
      of: async (secret: string) => {
        const id = await claimed(secret);
        await claimed(secret, {
          recent_tool_results: [{ tool: 'vitest', summary: 'ok', exit_code: 0, prediction_id: id }],
        });
        return id;
      },
    },
    {
      sent: 'one of 24 hours ago',
      label: 'ttl_expired_fallback',
      of: async (secret: string) => {
        const id = await claimed(secret);
        world.clock.advance(24 * 3_600_000);
        return id;
      },
    },
    { sent: 'none, and a confidence', label: 'argument_fallback', of: () => Promise.resolve(undefined) },
    {
      sent: 'one of a check-in without confidence',
      label: 'registry',
      of: async (secret: string) => claimed(secret, { confidence: null }),
    },
  ])('$sent: $label, and nothing is learned', async ({ label, of }) => {
    verifies('BW-outcomes.01', 'BW-outcomes.02');
    const { secret, uuid } = await onboard(world.call, { force_new: true });
    const id = await of(secret);
    const learned = async () =>
      (
        await world.rows("SELECT evidence #> '{claims,graded}' AS n FROM core.identities WHERE agent_id = $1", uuid)
      )[0]?.['n'] ?? 0;
    const before = await learned();
    const said = await settle(secret, id, { confidence: 0.99, verification_source: 'external_signal' });
    expect(said).toMatchObject({
      prediction_source: label,
      graded: false,
      calibration_excluded: true,
      evidence_weight: 0.65,
    });
    const kept = await stored(said['outcome_id']);
    expect(kept).toMatchObject({ graded: false, channel: null });
    expect(await learned()).toBe(before);
  });

  test('one second before its hour is over it still holds', async () => {
    verifies('BW-outcomes.02');
    const { secret } = await onboard(world.call, { force_new: true });
    const id = await claimed(secret);
    world.clock.advance(3_599_000);
    expect(await settle(secret, id)).toMatchObject({ prediction_source: 'registry', graded: true });
  });

  test('used twice in one check-in, it counts once', async () => {
    verifies('BW-outcomes.02');
    const { secret, uuid } = await onboard(world.call, { force_new: true });
    const prediction_id = await claimed(secret);
    const result = { tool: 'vitest', summary: 'ok', exit_code: 0, prediction_id };
    await claimed(secret, { recent_tool_results: [result, result] });
    const kept = await world.rows(
      'SELECT graded, prediction_source FROM audit.outcome_events WHERE agent_id = $1',
      uuid,
    );
    expect(kept.map((row) => [row['graded'], row['prediction_source']]).sort()).toEqual([
      [false, 'missing_prediction'],
      [true, 'registry'],
    ]);
  });
});

describe("the operator's way, to those who are no operator", () => {
  const body = (agent_uuid: string): Json => ({
    agent_uuid,
    outcome_type: 'test_passed',
    verification_source: 'external_signal',
  });
  const harness = (payload: Json, headers: Record<string, string> = {}) =>
    postJson(served.url, '/v1/harness/outcome', payload, headers);

  test('no credential of another kind opens it, and nothing is written', async () => {
    verifies('BW-outcomes.01');
    const { uuid, secret, token } = await onboard(world.call, { force_new: true });
    const reader = await operator(world.node, world.database, 'operator:read', 'reader');
    for (const headers of [
      {},
      { authorization: `Bearer ${secret}` },
      { authorization: `Bearer ${token}` },
      { authorization: `Bearer ${reader}` },
      { 'x-breakwater-operator': reader },
      { 'x-breakwater-operator': secret },
      { 'x-breakwater-operator': 'bwo_00000000000000000000000000' },
      { 'x-session-id': secret },
    ] as Record<string, string>[]) {
      const { status, body: said } = await harness(body(uuid), headers);
      expect([status, said['error_code']], JSON.stringify(headers)).toEqual([403, 'OPERATOR_REQUIRED']);
    }
    const smuggled = { ...body(uuid), operator: 'root', x_breakwater_operator: reader, client_session_id: secret };
    expect((await harness(smuggled)).body).toMatchObject({ success: false, error_code: 'PARAMETER_ERROR' });
    expect(await world.count('audit.outcome_events WHERE agent_id = $1', uuid)).toBe(0);
  });

  test("an operator's credential on an agent's own call adds no weight", async () => {
    verifies('BW-outcomes.01');
    const { secret } = await onboard(world.call, { force_new: true });
    const actor = await operator(world.node, world.database, 'operator:act', 'actor');
    const args = { client_session_id: secret, outcome_type: 'test_passed', verification_source: 'external_signal' };
    const { result } = await callTool(served.url, 'outcome_event', args, { 'x-breakwater-operator': actor });
    expect(result).toMatchObject({ success: true, evidence_weight: 0.1, graded: false });
  });

  test('no tool bears the name of the route', async () => {
    for (const name of ['harness_outcome', 'external_outcome', 'v1/harness/outcome']) {
      expect((await world.call(name, {})).code).toBe('TOOL_NOT_FOUND');
    }
  });
});
