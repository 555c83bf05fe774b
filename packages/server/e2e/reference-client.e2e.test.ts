import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postJson, type Json } from '../testing/rest.ts';
import { removeDataDir, spawnServer, temporaryDataDir, type ServerProcess } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

/** Paths that the reference's demonstration client reads, with the type it finds there. */
const SHAPES = JSON.parse(readFileSync(new URL('./fixtures/reference-client.json', import.meta.url), 'utf8')) as Record<
  'onboard' | 'checkIn' | 'outcome' | 'badArguments' | 'unknownTool' | 'health',
  Readonly<Record<string, 'str' | 'bool' | 'float' | 'int' | 'list'>>
>;

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
beforeAll(async () => {
  server = spawnServer(folder);
  url = await server.ready();
});
afterAll(async () => {
  await server.stop();
  await removeDataDir(folder);
});

const at = (json: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Json | null | undefined)?.[key], json);

const typeOf = (value: unknown): string => {
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'number';
  return Array.isArray(value) ? 'list' : String(value);
};

/** Null throughout: the demonstration records its own word, which is not graded. It prints a dash for null. */
const UNKNOWN_RISKS = ['result.metrics.risk_score', 'result.metrics.risk_score_latest'];

const expectShape = (body: Json, shape: keyof typeof SHAPES): void => {
  const expected = Object.entries(SHAPES[shape]).map(([path, type]) => [
    path,
    UNKNOWN_RISKS.includes(path) ? 'null' : type === 'float' || type === 'int' ? 'number' : type,
  ]);
  expect(expected.map(([path]) => [path, typeOf(at(body, path ?? ''))])).toEqual(expected);
};

const call = async (name: string, args: Json) => {
  const { status, body } = await postJson(url, '/v1/tools/call', { name, arguments: args });
  expect(status).toBe(200);
  expect(body).toMatchObject({ name, success: true });
  return body;
};

/** Six check-ins as the reference's demonstration sends them: routine, understated, then ever less sure. */
const STEPS = [
  { text: 'Read the ticket and the code around it.', complexity: 0.3, confidence: 0.8 },
  { text: 'Wrote the failing test.', complexity: 0.35, confidence: 0.8 },
  { text: 'Made the test pass.', complexity: 0.4, confidence: 0.82 },
  { text: 'Reworked the storage layer, its migrations and every caller.', complexity: 0.1, confidence: 0.9 },
  { text: 'Some callers broke; not sure why.', complexity: 0.7, confidence: 0.5 },
  { text: 'Still broken, trying something else.', complexity: 0.8, confidence: 0.3 },
];

test("the reference's demonstration client finds everything it reads", async () => {
  verifies('BW-serve.01');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const born = await call('onboard', { name: 'demo-agent', model_type: 'demo' });
  expectShape(born, 'onboard');
  for (const { text, ...claim } of STEPS) {
    const update = await call('process_agent_update', {
      client_session_id: at(born, 'result.client_session_id'),
      response_text: text,
      ...claim,
    });
    expectShape(update, 'checkIn');
    expect(at(update, 'result.success')).toBe(true);
    expect(['proceed', 'pause']).toContain(at(update, 'result.decision.action'));
    const outcome = await call('outcome_event', {
      client_session_id: at(born, 'result.client_session_id'),
      prediction_id: at(update, 'result.prediction_id'),
      outcome_type: 'task_completed',
    });
    expectShape(outcome, 'outcome');
  }
});

test('a refusal is a call that worked, with the keys that the reference gives', async () => {
  verifies('BW-serve.01');
  const born = await call('onboard', { name: 'demo-agent' });
  const client_session_id = at(born, 'result.client_session_id');
  const refused = await call('process_agent_update', { client_session_id, complexity: 'a lot' });
  expectShape(refused, 'badArguments');
  expect(at(refused, 'result.success')).toBe(false);
  expectShape(await call('no_such_tool', {}), 'unknownTool');
  expectShape((await (await fetch(`${url}/health`)).json()) as Json, 'health');
});
