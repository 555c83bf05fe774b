import type { Tool } from '../runtime/index.ts';
import { bindSessionTool } from './bind-session-tool.ts';
import type { Around } from './face.ts';
import { identityTool } from './identity-tool.ts';
import { onboardTool } from './onboard-tool.ts';
import type { Identity } from './service.ts';

export { operatorTools } from './operator-tools.ts';

/** The tools of identity. */
export const identityTools = ({ identity, ...around }: Around & { readonly identity: Identity }): Tool[] => [
  onboardTool(identity, around),
  identityTool(identity, around),
  bindSessionTool(identity, around),
];
