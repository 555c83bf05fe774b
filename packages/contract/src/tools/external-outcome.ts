import { z } from 'zod';
import { outcomeEvent } from './core.ts';

const { outcome_type, outcome_score, is_bad, detail, confidence, prediction_id, idempotency_key } =
  outcomeEvent.input.shape;

/**
 * Body of `POST /v1/harness/outcome`: an outcome that somebody else than the agent saw. Strict, so that a misspelt field
 * of an operator's program is refused and not left out. `verification_source` is an external signal unless it says
 * otherwise; with `prediction_id` the outcome settles the claim that the agent made before it.
 */
export const externalOutcome = z.strictObject({
  agent_uuid: z.uuid().describe('The agent whose work it was'),
  outcome_type,
  verification_source: z
    .enum(['agent_reported_tool_result', 'server_observation', 'external_signal'])
    .default('external_signal')
    .describe('Who saw it: the server or its machine, or somebody outside such as a CI system'),
  outcome_score,
  is_bad,
  detail,
  confidence,
  prediction_id,
  session_id: z.string().max(512).nullish(),
  idempotency_key,
});
