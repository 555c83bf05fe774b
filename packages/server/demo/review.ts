import { Unreachable, type Client } from './client.ts';
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

/** The server dies between two steps of carrying the agreement out; another one finds it, and goes on. */
const overACrash = async (
  client: Client,
  lastWord: Json,
  server: OwnServer,
  { say, dim, bold }: Voice,
): Promise<void> => {
  const answer = await client.call('submit_synthesis', lastWord).catch((error: unknown) => error);
  if (!(answer instanceof Unreachable)) throw new Error('The server was to be killed, and answered.');
  say(`  ${bold('Ada')}    agrees, and the server is killed between two steps (${String(await server.died())})`);
  await server.start();
  say(dim('         Another server starts on the same data. It takes over what nobody has moved for ten seconds …'));
  const limit = performance.now() + RECOVERY_MS;
  const look = { client_session_id: lastWord['client_session_id'], action: 'get', session_id: lastWord['session_id'] };
  while ((await must(client, 'dialectic', look))['phase'] !== 'resolved') {
    if (performance.now() > limit) throw new Error('Nobody carried the agreement out.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

/** The paused agent comes back: a review by the other one, a disagreement, a second round, and work under conditions. */
export const review = async (
  client: Client,
  sessions: { readonly paused: string; readonly reviewer: string },
  { say, dim, good, bold }: Voice,
  crashing?: OwnServer,
): Promise<void> => {
  const max = { client_session_id: sessions.paused };
  const ada = { client_session_id: sessions.reviewer };
  say(bold('The way back'));
  const opened = await must(client, 'request_review', {
    ...max,
    reviewer_mode: 'manual',
    reason: 'My claims did not match my results.',
    root_cause: 'I reported my pieces as done before their tests had run.',
    proposed_conditions: OFFER,
  });
  const session_id = opened['session_id'];
  say(`  ${bold('Max')}    asks for a review, and offers: ${OFFER.join('; ')}`);
  await must(client, 'submit_antithesis', {
    ...ada,
    session_id,
    reasoning: 'Eight pieces were wrong; 0.4 is too much.',
  });
  say(`  ${bold('Ada')}    answers: eight pieces were wrong; 0.4 is too much`);
  const early = await client.call('submit_synthesis', { ...max, session_id, agrees: true, proposed_conditions: OFFER });
  if (early['error_code'] !== 'REVIEWER_VERDICT_PENDING') throw new Error('The paused agent cleared itself.');
  say(`  ${bold('Max')}    tries to agree with itself: ${dim('REVIEWER_VERDICT_PENDING')}`);
  const said = { session_id, proposed_conditions: STRICTER, reasoning: 'Smaller pieces, until the results follow.' };
  await must(client, 'submit_synthesis', { ...ada, ...said, agrees: false });
  say(`  ${bold('Ada')}    disagrees, and asks for: ${STRICTER.join('; ')}`);
  await must(client, 'submit_synthesis', { ...max, ...said, agrees: false });
  say(`  ${bold('Max')}    takes that over`);
  const lastWord = { ...ada, ...said, agrees: true };
  if (crashing === undefined) await must(client, 'submit_synthesis', lastWord);
  else await overACrash(client, lastWord, crashing, { say, dim, good, bold });
  const ended = await must(client, 'dialectic', { ...ada, action: 'get', session_id });
  const status = (await must(client, 'identity', max))['status'];
  if (ended['phase'] !== 'resolved' || status !== 'active') throw new Error('The review was not carried out.');
  const words = (ended['transcript'] as Json[]).filter((entry) => entry['agrees'] === true);
  if (words.length !== 1) throw new Error(`The agreement stands in the record ${words.length} times.`);
  say(`  ${bold('Ada')}    agrees: ${good('resolved')}, and Max is ${good('active')} again`);
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
