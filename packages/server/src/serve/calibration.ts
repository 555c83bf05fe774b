import { refuse } from '@breakwater/contract';
import type { FastifyInstance } from 'fastify';
import type { Admission } from './admission.ts';
import { answerWith, sendFeatureRefusal } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { sendUnavailable } from './unavailable.ts';

const MAX_NAME = 512;

/** `GET /v1/calibration/diagram.svg?agent_id=`: the reliability diagram of the fleet, or of one agent (BW-outcomes.04). */
export const registerCalibration = (
  app: FastifyInstance,
  { readiness, calibrationDiagram }: Pick<ServeOptions, 'readiness' | 'calibrationDiagram'>,
  admission: Admission,
): void => {
  app.get<{ Querystring: { agent_id?: string | string[] } }>('/v1/calibration/diagram.svg', async (request, reply) => {
    const { agent_id: asked } = request.query;
    if (asked !== undefined && (typeof asked !== 'string' || asked === '' || asked.length > MAX_NAME)) {
      return sendFeatureRefusal(
        reply,
        refuse('PARAMETER_ERROR', `agent_id must be one id or name of 1 to ${MAX_NAME} characters.`).refusal,
      );
    }
    if (!readiness.ready) return sendUnavailable(reply);
    const refused = await admission(request, 'reads');
    if (refused !== undefined) return sendFeatureRefusal(reply, refused);
    return answerWith(
      reply,
      () => calibrationDiagram(asked),
      // Names of agents stand in it: nobody but the asker may keep it, and nothing in it may run.
      (svg) =>
        reply
          .header('cache-control', 'no-store')
          .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
          .type('image/svg+xml; charset=utf-8')
          .send(svg),
    );
  });
};
