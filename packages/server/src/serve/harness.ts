import type { Result } from '@breakwater/contract';
import { externalOutcome } from '@breakwater/contract/tools';
import { agentRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import { lookAt, refuseArguments, shapeOf } from '../dispatch/index.ts';
import { evidenceOf } from './evidence.ts';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';

const SHAPE = shapeOf(externalOutcome);

/** The body after the look that every call of a tool has, too. */
const lookAtBody = (body: unknown): Result<unknown> => {
  const { value, problems } = lookAt(body, SHAPE);
  return problems.length === 0 ? { ok: true, value } : { ok: false, refusal: refuseArguments('outcome', problems) };
};

/**
 * `POST /v1/harness/outcome`: what an operator's program saw of an agent's work, such as a CI run. No tool does this, so
 * that no agent's call can ever name such a source (BW-outcomes.01).
 */
export const registerHarness = (
  app: FastifyInstance,
  { recordExternalOutcome, attestor }: Pick<ServeOptions, 'recordExternalOutcome' | 'attestor'>,
): void => {
  serveRoute(app, agentRoutes.outcome, async (request, reply) => {
    const looked = lookAtBody(request.body);
    if (!looked.ok) return sendFeatureRefusal(reply, looked.refusal);
    const { operatorSecret } = evidenceOf(request, attestor);
    const recorded = await recordExternalOutcome(operatorSecret, looked.value);
    if (!recorded.ok) return sendFeatureRefusal(reply, recorded.refusal);
    return reply.type('application/json').send(JSON.stringify({ success: true, ...recorded.value }));
  });
};
