/**
 * The routes of HTTP. Loaded apart from the rest of the contract (`@breakwater/contract/routes`), because only a server
 * needs them.
 */
import type { RouteSpec } from './route-spec.ts';
import { agentRoutes } from './routes/agents.ts';
import { operatorRoutes } from './routes/operators.ts';
import { consoleRoutes, serverRoutes } from './routes/server.ts';

export { routeSpec, type RouteAnswer, type RouteSpec } from './route-spec.ts';
export { agentRoutes } from './routes/agents.ts';
export {
  COMPUTE_RESULTS,
  computeRequest,
  synthesisResult,
  type ComputeRequest,
  type SelectionInput,
  type SynthesisInput,
} from './routes/compute.ts';
export { operatorRoutes, type AgentsQuery, type ReviewsQuery } from './routes/operators.ts';
export { consoleRoutes, serverRoutes } from './routes/server.ts';

const { mcp, mcpWithSlash, ...others } = agentRoutes;

/** Every route. */
export const ROUTES: readonly RouteSpec[] = [
  ...Object.values(others),
  ...Object.values(mcp),
  ...Object.values(mcpWithSlash),
  ...Object.values(operatorRoutes),
  ...Object.values(serverRoutes),
  ...Object.values(consoleRoutes),
];
