import { callTool, onboard, type Json } from './rest.ts';

/** Calls a tool, and fails the test when that is refused. */
export const must = async (
  url: string,
  name: string,
  args: Json,
  headers?: Readonly<Record<string, string>>,
): Promise<Json> => {
  const { result } = await callTool(url, name, args, headers);
  if (result['success'] !== true) throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result;
};

/** An agent that its own failed claims have paused, and a peer; a review between them, up to its last word. */
export const reviewUpToTheLastWord = async (
  url: string,
  /** Headers that prove an operator, who names the reviewer. */
  operator: Readonly<Record<string, string>>,
): Promise<{
  readonly paused: { readonly agentId: string; readonly secret: string };
  readonly peer: { readonly agentId: string; readonly secret: string };
  readonly reviewId: string;
  /** Outcomes that were acknowledged, all of the paused agent. */
  readonly outcomes: number;
  /** Says the last word, and the operator confirms it: the review is resolved, and the agent goes on under a condition. */
  agree(): Promise<Json>;
}> => {
  const [paused, peer] = [await onboard(url, 'Max'), await onboard(url, 'Tom')];
  const own = { client_session_id: paused.secret };
  const other = { client_session_id: peer.secret };
  let outcomes = 0;
  for (let isPaused = false; !isPaused; outcomes += 1) {
    if (outcomes > 12) throw new Error('the agent was never paused');
    const claim = await must(url, 'sync_state', { ...own, response_text: `Claim ${outcomes}`, confidence: 0.95 });
    const failed = await must(url, 'record_result', {
      ...own,
      prediction_id: claim['prediction_id'],
      outcome_type: 'test_failed',
      detail: { command: 'npm test', exit_code: 1 },
      verification_source: 'agent_reported_tool_result',
    });
    isPaused = failed['paused'] === true;
  }
  const terms = { root_cause: 'Claims without tests.', proposed_conditions: ['Set complexity to 0.4'] };
  const asked = await must(url, 'request_review', { ...own, ...terms, reviewer_mode: 'manual' });
  const reviewId = String(asked['session_id']);
  const assign = { session_id: reviewId, new_reviewer_id: peer.agentId, reason: 'It knows the code.' };
  await must(url, 'reassign_reviewer', assign, operator);
  await must(url, 'submit_antithesis', { ...other, session_id: reviewId, reasoning: 'Run them first.' });
  const word = { ...other, session_id: reviewId, agrees: true, proposed_conditions: terms.proposed_conditions };
  const agree = async (): Promise<Json> => {
    await must(url, 'submit_synthesis', word);
    const accept = { action: 'confirm', session_id: reviewId, decision: 'accept', reason: 'The cause is mended.' };
    return must(url, 'dialectic', accept, operator);
  };
  return { paused, peer, reviewId, outcomes, agree };
};
