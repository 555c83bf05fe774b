import { ok, refuse } from '@breakwater/contract';
import { bindSession as bindSessionSpec } from '@breakwater/contract/tools';
import { refuseEnded } from '../agents/index.ts';
import { refuseHeld } from '../lifecycle/index.ts';
import { defineTool, UUID, type Tool } from '../runtime/index.ts';
import { displayNameOf, type Around } from './face.ts';
import type { Identity } from './service.ts';

/** The tool that ties an MCP session to the agent which the call proves. */
export const bindSessionTool = (service: Identity, { findAgent }: Around): Tool =>
  defineTool(bindSessionSpec, async ({ args, caller, evidence }) => {
    if (args.resume !== true && args.strict !== true) {
      return refuse('PARAMETER_ERROR', 'Say resume=true, or strict=true with the agent_id that it must be.', {
        details: { parameter: 'resume' },
      });
    }
    if (args.strict === true && !UUID.test(args.agent_id ?? '')) {
      return refuse('PARAMETER_ERROR', 'agent_id: strict=true needs the uuid of the agent.', {
        details: { parameter: 'agent_id' },
      });
    }
    if (evidence.clientSessionId === undefined) {
      if (evidence.continuityToken === undefined) {
        return refuse('PARAMETER_ERROR', 'client_session_id: the session to bind is missing.', {
          details: { parameter: 'client_session_id' },
        });
      }
      return refuse('CONTINUITY_TOKEN_RESUME_RETIRED', 'A continuity token binds no session; client_session_id does.');
    }
    const head = caller.agentId === undefined ? undefined : await findAgent(caller.agentId);
    if (head === undefined) return refuse('SESSION_UNKNOWN', 'No agent belongs to this client_session_id.');
    const ended = refuseEnded(head);
    if (ended !== undefined) return ended;
    const held = await service.holdOfSession(evidence, head.agentId);
    if (held !== undefined) return refuseHeld('leave_session', held.head, held.hold);
    const bound = await service.bindTransport(head.agentId, evidence);
    return ok({
      bound,
      agent_uuid: head.agentId,
      agent_id: head.agentId,
      handle: head.handle,
      display_name: displayNameOf(head),
      message: bound
        ? 'Later calls of this MCP session are its own.'
        : 'No MCP session carries this call; send client_session_id with every call.',
    });
  });
