import { join } from 'node:path';
import { ALIASES } from '@breakwater/contract';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { announcements, openDatabase, type Database } from '../src/postgres/index.ts';
import { giveUp } from '../testing/given-up.ts';
import { connectMcp } from '../testing/mcp.ts';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import { must } from '../testing/review.ts';
import {
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
let database: Database;
let operator: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = spawnServer(folder, { env: NO_LIMITS });
  url = await server.ready();
  database = openDatabase({
    target: { socketDir: join(folder, 'run'), database: 'breakwater' },
    onError: () => undefined,
  });
  operator = { 'x-breakwater-operator': await credential('root') };
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await removeDataDir(folder);
});

const credential = async (name: string): Promise<string> => {
  const { stdout } = await runCommand(['operator', 'create', '--name', name, '--json', '--data-dir', folder]);
  return String((JSON.parse(stdout) as Json)['secret']);
};

/** An example as describe_tool shows it. */
interface Shown {
  readonly name: string;
  /** What a success answers, as the same answer of describe_tool has it. */
  readonly output?: object | undefined;
  readonly arguments: Json;
  readonly needs?: string;
  readonly refused_with?: string;
}

/** Every example that describe_tool shows: of each tool, of each of its names, and of each action. */
const examples = async (): Promise<Shown[]> => {
  const listed = await must(url, 'list_tools', { verbose: true });
  const tools = Object.values(listed['categories'] as Record<string, Json[]>)
    .flat()
    .map((entry) => String(entry['tool'] ?? entry['name']));
  const shown: Shown[] = [];
  for (const name of [...tools, ...ALIASES.map((alias) => alias.name)]) {
    const described = await must(url, 'describe_tool', { tool_name: name });
    const output = described['output_schema'] as object | undefined;
    shown.push({ ...(described['example'] as Shown), output });
    const others = Object.values((described['examples'] ?? {}) as Record<string, Omit<Shown, 'name'>>);
    if (tools.includes(name)) shown.push(...others.map((example) => ({ name, output, ...example })));
  }
  return shown;
};

/** What a caller has at hand when it makes an example: values for its placeholders. */
type AtHand = Json;

let made = 0;
/** A new agent, and what it puts into the placeholders of an example. */
const newcomer = async (): Promise<AtHand & { agentId: string; client_session_id: string }> => {
  made += 1;
  const { agentId, secret } = await onboard(url, `newcomer ${made}`);
  return { agentId, client_session_id: secret };
};

/** An agent under a pause such as a check-in or a result leaves it; twelve failures for each would set off the fleet guard. */
const pausedBy = async (sub_action: 'risk_pause' | 'claims_pause') => {
  const agent = await newcomer();
  const own = { client_session_id: agent.client_session_id };
  // Nobody knows the risk of an agent without results, and an unknown risk is not low.
  const { prediction_id } = await must(url, 'sync_state', { ...own, response_text: 'Began.', confidence: 0.6 });
  const result = { outcome_type: 'test_passed', detail: { command: 'npm test', exit_code: 0 } };
  await must(url, 'record_result', { ...own, prediction_id, ...result });
  await must(url, 'sync_state', { ...own, response_text: 'Went on.', confidence: 0.6 });
  const paused_at = new Date().toISOString();
  const pause = { actuation_id: crypto.randomUUID(), paused_at, expires_at: '2099-01-01T00:00:00.000Z' };
  await database.transaction(async (tx) => {
    await tx.query({
      text: `UPDATE core.identities SET status = 'paused', sequence = sequence + 1, pause = $2::jsonb WHERE agent_id = $1`,
      values: [agent.agentId, JSON.stringify({ ...pause, sub_action, reason: 'r', evidence: {} })],
    });
    for (const statement of announcements('agents', [agent.agentId])) await tx.query(statement);
  });
  await until(async () => {
    const { status } = await must(url, 'identity', own);
    return status === 'paused' ? true : undefined;
  }, 'the server has heard of the pause');
  return agent;
};
const pausedByRisk = () => pausedBy('risk_pause');
const pausedForClaims = () => pausedBy('claims_pause');

const CONDITIONS = ['Set complexity to 0.4'];
const THESIS = { root_cause: 'The test runner was broken', proposed_conditions: CONDITIONS };

/** A paused agent and the review that it asked for; with a thesis, the next word is the reviewer's. */
const askedForReview = async (thesis: Json = {}) => {
  const agent = await pausedForClaims();
  const { client_session_id } = agent;
  const asked = { client_session_id, reason: 'Paused', reviewer_mode: 'manual', ...thesis };
  const { session_id } = await must(url, 'request_review', asked);
  return { ...agent, session_id };
};

/** A reviewer to whom an operator has given such a review. */
const reviewer = async () => {
  const { session_id } = await askedForReview(THESIS);
  const peer = await newcomer();
  const assigned = { session_id, new_reviewer_id: peer.agentId, reason: 'It knows the code' };
  await must(url, 'reassign_reviewer', assigned, operator);
  return { ...peer, session_id };
};

/** A reviewer that has answered; what follows is the last word. */
const answered = async () => {
  const peer = await reviewer();
  const { client_session_id, session_id } = peer;
  await must(url, 'submit_antithesis', { client_session_id, session_id, reasoning: 'Run them first.' });
  return peer;
};

/** A review on which both agree, and which waits for an operator. */
const agreed = async () => {
  const peer = await answered();
  const { client_session_id, session_id } = peer;
  const word = { client_session_id, session_id, agrees: true, proposed_conditions: CONDITIONS };
  await must(url, 'submit_synthesis', word);
  return { session_id };
};

const finding = async (summary: string): Promise<unknown> =>
  (await must(url, 'store_finding', { summary }))['discovery_id'];

const givenUp = async (): Promise<AtHand> => {
  const { session_id } = await agreed();
  const word = { action: 'confirm', session_id, decision: 'accept', reason: 'The cause is mended' };
  return {
    saga_id: await giveUp(database, String(session_id), () => callTool(url, 'dialectic', word, operator)),
  };
};

const itself = async (): Promise<AtHand> => {
  const agent = await newcomer();
  return { ...agent, target_agent_id: agent.agentId };
};

/** What each example presupposes, by tool and action. A newcomer makes the others. */
const BEFORE: Readonly<Record<string, () => Promise<AtHand>>> = {
  'agent.archive': itself,
  'agent.delete': itself,
  'agent.update': itself,
  'agent.pause': itself,
  'agent.resume': async () => ({ target_agent_id: (await pausedByRisk()).agentId }),
  operator_resume_agent: async () => ({ target_agent_id: (await pausedByRisk()).agentId }),
  'self_recovery.quick': pausedByRisk,
  'self_recovery.review': pausedByRisk,
  'dialectic.request': pausedForClaims,
  'dialectic.get': async () => ({ session_id: (await askedForReview()).session_id }),
  'dialectic.thesis': () => askedForReview(),
  'dialectic.antithesis': reviewer,
  'dialectic.synthesis': answered,
  'dialectic.reassign': async () => ({
    session_id: (await askedForReview()).session_id,
    new_reviewer_id: (await newcomer()).agentId,
  }),
  'dialectic.confirm': agreed,
  'saga.retry': givenUp,
  'saga.revert': givenUp,
  'operators.revoke': async () => {
    await credential('alice');
    return {};
  },
  'knowledge.get': async () => ({ discovery_id: await finding('One to get') }),
  'knowledge.details': async () => ({ discovery_id: await finding('One to read') }),
  'knowledge.update': async () => ({ ...(await newcomer()), discovery_id: await finding('One to close') }),
  'knowledge.supersede': async () => ({
    ...(await newcomer()),
    discovery_id: await finding('The newer'),
    supersedes_id: await finding('The older'),
  }),
  outcome_event: async () => {
    const agent = await newcomer();
    const { client_session_id } = agent;
    const { prediction_id } = await must(url, 'sync_state', { client_session_id, response_text: 'Ran it.' });
    return { ...agent, ...(prediction_id !== undefined && { prediction_id }) };
  },
};

/** Puts what is at hand in the place of placeholders and sample ids; what an example leaves out stays out. */
const filled = (args: Json, atHand: AtHand): Json =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, name in atHand ? atHand[name] : value]));

test('every example that describe_tool shows works as it is told, or is refused as it says', async () => {
  await onboard(url, 'release-bot');
  await onboard(url, 'importer-bot');
  const wrong: string[] = [];
  const shown = await examples();
  expect(shown.length).toBeGreaterThan(150);
  const session = await connectMcp(url, '2025');
  const validator = new AjvJsonSchemaValidator();
  let held = 0;
  for (const { name, output, arguments: args, needs, refused_with: refused } of shown) {
    const alias = ALIASES.find((each) => each.name === name);
    const tool = alias?.tool ?? name;
    const action = alias?.inject?.['action'] ?? args['action'];
    const before =
      BEFORE[`${tool}.${String(action)}`] ?? BEFORE[tool] ?? ('client_session_id' in args ? newcomer : undefined);
    const call = filled(args, (await before?.()) ?? {});
    const headers = needs === undefined ? {} : operator;
    // Nobody else has an MCP session that it could bind.
    const { result } =
      tool === 'bind_session' ? await session.call(name, call) : await callTool(url, name, call, headers);
    const answer = result['success'] === true ? undefined : result['error_code'];
    if (answer !== refused) {
      wrong.push(`${name} ${JSON.stringify(args)} → ${String(answer)}: ${String(result['error'])}`);
    }
    if (answer === undefined && output !== undefined) {
      const fits = validator.getValidator(output)(result);
      if (!fits.valid) wrong.push(`${name} ${JSON.stringify(args)} is not as output_schema says: ${fits.errorMessage}`);
      held += 1;
    }
    if (tool === 'flags') {
      const back = {
        action: 'set',
        key: 'identity_strict_mode',
        value: 'observe',
        reason: 'The next example needs it',
      };
      await must(url, 'flags', back, operator);
    }
  }
  await session.close();
  expect(wrong).toEqual([]);
  expect(held, 'answers were held against their schema').toBeGreaterThan(30);
}, 180_000);
