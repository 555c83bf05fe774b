import { externalOutcome, type Outcome } from '@breakwater/contract';
import type { FastifyInstance } from 'fastify';
import { lookAt, refuseArguments, shapeOf } from '../dispatch/index.ts';
import { evidenceOf } from './evidence.ts';
import { answerWith, sendFeatureRefusal } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { sendUnavailable } from './unavailable.ts';

const SHAPE = shapeOf(externalOutcome);

/** The body after the look that every call of a tool has, too. */
const lookAtBody = (body: unknown): Outcome<unknown> => {
  const { value, problems } = lookAt(body, SHAPE);
  return problems.length === 0 ? { ok: true, value } : { ok: false, refusal: refuseArguments('outcome', problems) };
};

/**
 * `POST /v1/harness/outcome`: what an operator's program saw of an agent's work, such as a CI run. No tool does this, so
 * that no agent's call can ever name such a source (BW-outcomes.01).
 */
export const registerHarness = (
  app: FastifyInstance,
  {
    readiness,
    recordExternalOutcome,
    attestor,
  }: Pick<ServeOptions, 'readiness' | 'recordExternalOutcome' | 'attestor'>,
): void => {
  app.post('/v1/harness/outcome', async (request, reply) => {
    if (!readiness.ready) return sendUnavailable(reply);
    const looked = lookAtBody(request.body);
    if (!looked.ok) return sendFeatureRefusal(reply, looked.refusal);
    const { operatorSecret } = evidenceOf(request, attestor);
    return answerWith(
      reply,
      () => recordExternalOutcome(operatorSecret, looked.value),
      (recorded) => reply.type('application/json').send(JSON.stringify({ success: true, ...recorded })),
    );
  });
};
