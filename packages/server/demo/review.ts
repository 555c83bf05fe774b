import type { Client } from './client.ts';
import { NoOperator, type Operator } from './operator.ts';
import type { OwnServer } from './own-server.ts';

type Json = Record<string, unknown>;

/** How the demonstration speaks. */
export interface Voice {
  readonly say: (line?: string) => void;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bold: (text: string) => string;
}

const OFFER = ['Set complexity to 0.4', 'Monitor for 24 hours'];
const STRICTER = ['Set complexity to 0.3', 'Monitor for 24 hours'];

/** A call that must succeed; what it refuses ends the demonstration. */
const must = async (client: Client, tool: string, args: Json): Promise<Json> => {
  const answer = await client.call(tool, args);
  if (answer['success'] !== true) throw new Error(`${tool}: ${String(answer['error'])}`);
  return answer;
};

const RECOVERY_MS = 40_000;

/** The server dies between two steps of carrying out what was confirmed; another one finds it, and goes on. */
const overACrash = async (
  client: Client,
  operator: Operator,
  confirm: readonly string[],
  look: Json,
  server: OwnServer,
  { say, dim, bold }: Voice,
): Promise<void> => {
  // The command loses its server in the middle, and cannot say that it went well.
  const answer = await operator.run(...confirm).catch((error: unknown) => error);
  if (!(answer instanceof NoOperator)) throw new Error('The server was to be killed, and answered.');
  say(`  ${bold('you')}    confirm it, and the server is killed between two steps (${String(await server.died())})`);
  await server.start();
  say(dim('         Another server starts on the same data. It takes over what nobody has moved for ten seconds …'));
  const limit = performance.now() + RECOVERY_MS;
  while ((await must(client, 'dialectic', look))['phase'] !== 'resolved') {
    if (performance.now() > limit) throw new Error('Nobody carried the agreement out.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

/** The two agents, as the review knows them. */
export interface Participants {
  readonly paused: string;
  readonly reviewer: string;
  readonly reviewerId: string;
}

/**
 * The paused agent comes back: nobody has the record of a reviewer yet, so an operator names one; a disagreement, a second
 * round, an agreement that the operator confirms, and work under conditions.
 */
export const review = async (
  client: Client,
  { paused, reviewer, reviewerId }: Participants,
  operator: Operator,
  { say, dim, good, bold }: Voice,
  crashing?: OwnServer,
): Promise<void> => {
  const max = { client_session_id: paused };
  const ada = { client_session_id: reviewer };
  say(bold('The way back'));
  const opened = await must(client, 'request_review', {
    ...max,
    reason: 'My claims did not match my results.',
    root_cause: 'I reported my pieces as done before their tests had run.',
    proposed_conditions: OFFER,
  });
  const session_id = String(opened['session_id']);
  say(`  ${bold('Max')}    asks for a review, and offers: ${OFFER.join('; ')}`);
  if (opened['reviewer'] !== null || opened['awaiting_facilitation'] !== true) {
    throw new Error('Somebody without a record was taken for a reviewer.');
  }
  const early = await client.call('submit_antithesis', { ...ada, session_id, reasoning: 'Let it go on.' });
  if (early['error_code'] !== 'REVIEWER_UNQUALIFIED') throw new Error('A neighbour without a record reviewed.');
  say(
    `  ${bold('Ada')}    offers to judge it: ${dim('REVIEWER_UNQUALIFIED')} ${dim('(minutes old, and from the same place)')}`,
  );
  await operator.run('reviews', 'assign', session_id, '--reviewer', reviewerId, '--reason', 'Ada knows this code');
  say(`  ${bold('you')}    are asked, and name her: ${dim('breakwater reviews assign … --reviewer Ada --reason "…"')}`);
  const told = await must(client, 'check_working_state', ada);
  const waiting = (told['review_waiting'] ?? {}) as Json;
  if (waiting['session_id'] !== session_id) throw new Error('The reviewer was not told.');
  say(`  ${bold('Ada')}    is told so by her own state: ${dim(String(waiting['next_call']))}`);
  await must(client, 'submit_antithesis', {
    ...ada,
    session_id,
    reasoning: 'Eight pieces were wrong; 0.4 is too much.',
  });
  say(`  ${bold('Ada')}    answers: eight pieces were wrong; 0.4 is too much`);
  const own = await client.call('submit_synthesis', { ...max, session_id, agrees: true, proposed_conditions: OFFER });
  if (own['error_code'] !== 'REVIEWER_VERDICT_PENDING') throw new Error('The paused agent cleared itself.');
  say(`  ${bold('Max')}    tries to agree with itself: ${dim('REVIEWER_VERDICT_PENDING')}`);
  const said = { session_id, proposed_conditions: STRICTER, reasoning: 'Smaller pieces, until the results follow.' };
  await must(client, 'submit_synthesis', { ...ada, ...said, agrees: false });
  say(`  ${bold('Ada')}    disagrees, and asks for: ${STRICTER.join('; ')}`);
  await must(client, 'submit_synthesis', { ...max, ...said, agrees: false });
  say(`  ${bold('Max')}    takes that over`);
  await must(client, 'submit_synthesis', { ...ada, ...said, agrees: true });
  const statusOf = async (): Promise<unknown> => (await must(client, 'identity', max))['status'];
  if ((await statusOf()) !== 'paused') throw new Error('An agreement of two agents lifted the pause.');
  say(`  ${bold('Ada')}    agrees: ${dim('Max stays paused until an operator confirms it')}`);
  const confirm = ['reviews', 'confirm', session_id, '--reason', 'The cause is mended'];
  const look = { ...ada, action: 'get', session_id };
  if (crashing === undefined) {
    await operator.run(...confirm);
    say(`  ${bold('you')}    confirm it: ${dim('breakwater reviews confirm … --reason "…"')}`);
  } else await overACrash(client, operator, confirm, look, crashing, { say, dim, good, bold });
  const ended = await must(client, 'dialectic', look);
  if (ended['phase'] !== 'resolved' || (await statusOf()) !== 'active') {
    throw new Error('The review was not carried out.');
  }
  const words = (ended['transcript'] as Json[]).filter((entry) => entry['agrees'] === true);
  if (words.length !== 1) throw new Error(`The agreement stands in the record ${words.length} times.`);
  say(`  ${bold('Max')}    is ${good('active')} again: ${good('resolved')}`);
  const back = await must(client, 'sync_state', {
    ...max,
    response_text: 'Ran the tests first, then reported.',
    complexity: 0.9,
    confidence: 0.6,
    response_mode: 'full',
  });
  const capped = /complexity [\d.]+ capped to [\d.]+/.exec(JSON.stringify(back))?.[0];
  if (capped === undefined) throw new Error('The conditions were not enforced.');
  say(`  ${bold('Max')}    goes on, and its conditions with it: ${dim(capped)}`);
  say();
};
