import { driftingWork, honestWork, type Piece } from '../../server/demo/story.ts';
import { callTool, onboard, type Json } from '../../server/testing/rest.ts';

/** An agent that a test acts as, over the wire like any other. */
export interface TestAgent {
  readonly name: string;
  readonly agentId: string;
  call(tool: string, args: Json): Promise<Json>;
  /** One piece of work: checks in with a claim, and records what its tests said. */
  work(piece: Piece): Promise<Json>;
}

/** An agent that has just begun. */
export const newAgent = async (url: string, name: string): Promise<TestAgent> => {
  const { agentId, secret } = await onboard(url, name);
  const call = async (tool: string, args: Json): Promise<Json> => {
    const { result } = await callTool(url, tool, { client_session_id: secret, ...args });
    if (result['success'] !== true) throw new Error(`${name}: ${tool} was refused: ${JSON.stringify(result)}`);
    return result;
  };
  return {
    name,
    agentId,
    call,
    async work({ work, confidence, complexity, passes }) {
      const checkedIn = await call('sync_state', { response_text: work, confidence, complexity });
      return call('record_result', {
        prediction_id: checkedIn['prediction_id'],
        outcome_type: passes ? 'test_passed' : 'test_failed',
        detail: { command: 'npm test', exit_code: passes ? 0 : 1 },
      });
    },
  };
};

/** Lets an agent do honest work. */
export const worksHonestly = async (agent: TestAgent, pieces = 6): Promise<void> => {
  for (const piece of honestWork.slice(0, pieces)) await agent.work(piece);
};

/** Lets an agent claim what its results do not show, until it is paused for it. */
export const driftsUntilPaused = async (agent: TestAgent): Promise<void> => {
  for (const piece of driftingWork) {
    const result = await agent.work(piece);
    if (result['paused'] === true) return;
  }
  throw new Error(`${agent.name} was not paused`);
};
