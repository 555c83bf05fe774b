import { agentRoutes } from '@breakwater/contract/routes';
import type { FastifyInstance } from 'fastify';
import type { Admission } from './admission.ts';
import { sendFeatureRefusal } from './feature-refusal.ts';
import type { ServeOptions } from './ports.ts';
import { serveRoute } from './route.ts';

/** `GET /v1/calibration/diagram.svg?agent_id=`: the reliability diagram of the fleet, or of one agent (BW-outcomes.04). */
export const registerCalibration = (
  app: FastifyInstance,
  { calibrationDiagram }: Pick<ServeOptions, 'calibrationDiagram'>,
  admission: Admission,
): void => {
  serveRoute(app, agentRoutes.diagram, async (request, reply) => {
    const refused = await admission(request, 'reads');
    if (refused !== undefined) return sendFeatureRefusal(reply, refused);
    const drawn = await calibrationDiagram(request.query.agent_id);
    if (!drawn.ok) return sendFeatureRefusal(reply, drawn.refusal);
    // Names of agents stand in it: nobody but the asker may keep it, and nothing in it may run.
    return reply
      .header('cache-control', 'no-store')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .type('image/svg+xml; charset=utf-8')
      .send(drawn.value);
  });
};
