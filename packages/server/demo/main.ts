/**
 * `npm run demo`: a whole governed incident against a running server. Two agents work side by side; one is honest about
 * results that are not perfect, the other keeps claiming 0.9 after its work stopped passing. The second is paused by the
 * rules alone, and comes back by a review of the first, whom an operator names and whose agreement it confirms: the
 * demonstration plays that person by the command line. Nothing here knows a back door.
 */
import { parseArgs } from 'node:util';
import { connect, Unreachable, type Client } from './client.ts';
import { NoOperator, operatorAt, type Operator } from './operator.ts';
import { ownServer, type OwnServer } from './own-server.ts';
import { review } from './review.ts';
import { driftingWork, honestWork, type Piece } from './story.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: `http://127.0.0.1:${process.env['BREAKWATER_PORT'] ?? '8767'}` },
    fast: { type: 'boolean', default: false },
    crash: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const usage = `Usage: npm run demo -- [--url http://127.0.0.1:8767] [--fast] [--crash]

Drives two agents through a governed incident on a running server (npm start, in another terminal), and acts as its operator
by the command line: on the server's own machine, or with BREAKWATER_OPERATOR.

  --url   where the server is
  --fast  no pauses for reading
  --crash on a server of its own, which is killed while it carries the review out, and started again`;

const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
const [bold, dim, red, green, yellow, cyan] = [paint(1), paint(2), paint(31), paint(32), paint(33), paint(36)];
const say = (line = '') => console.log(line);
const breathe = (ms: number) => (values.fast ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms)));

type Json = Record<string, unknown>;
const part = (json: Json, key: string): Json => (json[key] ?? {}) as Json;
const number = (value: unknown, digits = 2) => (typeof value === 'number' ? value.toFixed(digits) : '–');
/** Of an agent without evidence the risk is null: nobody knows it, which is a fact of the story and no gap in it. */
const riskOf = (value: unknown) => (value === null ? 'unknown' : number(value));
const word = (value: unknown) => (typeof value === 'string' ? value : '–');

interface Actor {
  readonly name: string;
  readonly agentId: string;
  readonly session: string;
  readonly work: readonly Piece[];
  paused: boolean;
  rounds: number;
  passed: number;
}

const enter = async (client: Client, name: string, work: readonly Piece[]): Promise<Actor> => {
  const born = await client.call('start_session', { name, purpose: 'demonstration' });
  say(`  ${bold(name.padEnd(6))} ${dim(word(born['uuid']))}  ${dim('keeps a session secret, shown once')}`);
  return {
    name,
    agentId: word(born['uuid']),
    session: word(born['client_session_id']),
    work,
    paused: false,
    rounds: 0,
    passed: 0,
  };
};

/** One round of an agent's life: check in with a claim, run the tests, record what they said. */
const round = async (client: Client, actor: Actor, piece: Piece): Promise<Json | undefined> => {
  const update = await client.call('sync_state', {
    client_session_id: actor.session,
    response_text: piece.work,
    confidence: piece.confidence,
    complexity: piece.complexity,
    task_type: 'feature',
  });
  if (update['success'] !== true) throw new Error(`${actor.name} could not check in: ${word(update['error'])}`);
  const decision = part(update, 'decision');
  const result = await client.call('record_result', {
    client_session_id: actor.session,
    outcome_type: piece.passes ? 'test_passed' : 'test_failed',
    prediction_id: update['prediction_id'],
    detail: { command: 'npm test', exit_code: piece.passes ? 0 : 1 },
  });
  if (result['success'] !== true) throw new Error(`${actor.name} could not record: ${word(result['error'])}`);
  actor.rounds += 1;
  if (piece.passes) actor.passed += 1;
  const sub = word(decision['sub_action']);
  const verdict = decision['action'] === 'pause' ? red('pause') : sub === 'guide' ? yellow('guide') : green('proceed');
  const shown = piece.passes ? green('passes') : red('fails ');
  const claims = part(result, 'claims');
  say(
    `  ${bold(actor.name.padEnd(6))} ${verdict.padEnd(colour ? 16 : 7)}  claims ${number(piece.confidence)}  ${shown}` +
      `  ${dim(`evidence against its claims ${number(claims['value'], 1).padStart(7)}  risk ${riskOf(part(update, 'metrics')['risk'])}`)}`,
  );
  if (sub === 'guide' && typeof decision['reason'] === 'string') say(`         ${dim(decision['reason'])}`);
  return result['paused'] === true ? result : undefined;
};

const demonstrate = async (client: Client, operator: Operator, crashing?: OwnServer): Promise<void> => {
  say();
  say(bold('A governed incident'));
  say(dim('Two agents do the same work. Each says beforehand how sure it is; then its tests run.'));
  say();
  const honest = await enter(client, 'Ada', honestWork);
  const drifting = await enter(client, 'Max', driftingWork);
  say();
  let pause: Json | undefined;
  for (let i = 0; i < honest.work.length && pause === undefined; i += 1) {
    for (const actor of [honest, drifting]) {
      const piece = actor.work[i];
      if (piece !== undefined) pause = (await round(client, actor, piece)) ?? pause;
      await breathe(250);
    }
    if (i === 4) say(dim("  … from here Max's tests fail, and Max does not notice …"));
  }
  if (pause === undefined) throw new Error('Max was not paused: the claims detector did not do its work.');
  say();
  say(`${red(bold('Max is paused.'))} ${word(part(pause, 'pause')['reason'])}`);
  await breathe(800);
  say();
  say(dim('Max tries to go on:'));
  const refused = await client.call('sync_state', {
    client_session_id: drifting.session,
    response_text: 'Everything is still fine.',
    confidence: 0.95,
  });
  say(`  ${red(word(refused['error_code']))}  ${word(refused['error'])}`);
  say(
    `  ${dim('until')} ${word(part(refused, 'recovery')['expires_at'] ?? refused['expires_at'])}  ${dim(word(part(refused, 'recovery')['action']))}`,
  );
  if (refused['error_code'] !== 'AGENT_PAUSED') throw new Error('A paused agent was not refused.');
  await breathe(800);
  say();
  say(dim('Ada goes on:'));
  const piece = honest.work[honest.rounds];
  if (piece !== undefined && (await round(client, honest, piece)) !== undefined) throw new Error('Ada was paused.');
  const state = await client.call('check_working_state', { client_session_id: honest.session });
  say();
  say(
    `${bold('Ada')}: ${honest.passed} of ${honest.rounds} passed at a claimed 0.75, ${green('never paused')} ` +
      dim(`(status ${word(state['status'])})`),
  );
  say(
    `${bold('Max')}: ${drifting.passed} of ${drifting.rounds} passed at a claimed 0.90, ${red('paused')} after ${drifting.rounds - drifting.passed} failures`,
  );
  say();
  await breathe(800);
  await review(
    client,
    { paused: drifting.session, reviewer: honest.session, reviewerId: honest.agentId },
    operator,
    { say, dim, good: green, bold },
    crashing,
  );
  say(
    `The difference is not failing. It is claiming what the results do not show. ${cyan('The record of both stays.')}`,
  );
  say();
};

if (values.help) {
  say(usage);
} else {
  const server = values.crash ? await ownServer() : undefined;
  try {
    await server?.start('saga.both_agents_applied:1');
    const url = server?.url ?? values.url;
    await demonstrate(connect(url), operatorAt(url, server?.dataDir), server);
  } catch (error) {
    if (error instanceof NoOperator) {
      console.error(`The demonstration could not act as the operator of this server:\n${error.message}`);
    } else if (!(error instanceof Unreachable)) throw error;
    else console.error(`${error.message}\nStart one with "npm start" in another terminal, then run the demo again.`);
    process.exitCode = 1;
  } finally {
    await server?.end();
  }
}
