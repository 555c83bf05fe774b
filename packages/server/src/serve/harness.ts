import type { FastifyInstance } from 'fastify';
import { evidenceOf } from './evidence.ts';
import { answerWith } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { sendUnavailable } from './unavailable.ts';

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
  app.post('/v1/harness/outcome', async ({ socket, headers, body }, reply) => {
    if (!readiness.ready) return sendUnavailable(reply);
    const { operatorSecret } = evidenceOf({
      args: {},
      headers,
      address: socket.remoteAddress,
      attestation: attestor?.attest(socket),
    });
    return answerWith(
      reply,
      () => recordExternalOutcome(operatorSecret, body),
      (recorded) => reply.type('application/json').send(JSON.stringify({ success: true, ...recorded })),
    );
  });
};
