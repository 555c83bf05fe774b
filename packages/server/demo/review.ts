import type { Client } from './client.ts';

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

/** The paused agent comes back: a review by the other one, a disagreement, a second round, and work under conditions. */
export const review = async (
  client: Client,
  sessions: { readonly paused: string; readonly reviewer: string },
  { say, dim, good, bold }: Voice,
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
  const ended = await must(client, 'submit_synthesis', { ...ada, ...said, agrees: true });
  const execution = (ended['execution'] ?? {}) as Json;
  if (ended['phase'] !== 'resolved' || execution['applied'] !== true)
    throw new Error('The review was not carried out.');
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
