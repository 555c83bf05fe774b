import type { OutcomeDraft } from './grading.ts';
import { evidenceSays } from './says.ts';

/** One attached tool result of a check-in. */
export interface ToolResult {
  readonly tool: string;
  readonly summary: string;
  readonly kind?: 'test' | 'lint' | 'build' | 'file_op' | 'command' | 'tool_call' | undefined;
  readonly exit_code?: number | null | undefined;
  readonly is_bad?: boolean | null | undefined;
  readonly error?: string | null | undefined;
  readonly prediction_id?: string | null | undefined;
  readonly observed_at?: string | null | undefined;
}

/** What a tool result says: its exit code, its flag, its error. Its summary is prose, and never makes a success. */
export const toolResultSays = ({ is_bad, exit_code, error }: Pick<ToolResult, 'is_bad' | 'exit_code' | 'error'>) =>
  evidenceSays({ is_bad, exit_code, error });

/**
 * The outcome that a tool result stands for: a test, a call that was turned down, or a task (spec checkin_flow f). One
 * whose flag contradicts its exit code is told as the agent told it, and never graded; one without any result is open.
 */
export const outcomeOfToolResult = (result: ToolResult): OutcomeDraft => {
  const { prediction_id: predictionId, ...rest } = result;
  const says = toolResultSays(result);
  const isBad = result.is_bad ?? says === 'fail';
  const detail = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined));
  return {
    type: typeOf(result, isBad),
    isBad,
    detail,
    ...(says === 'unknown' && { isOpen: true }),
    ...(typeof predictionId === 'string' && { predictionId }),
  };
};

const typeOf = ({ kind }: ToolResult, isBad: boolean): OutcomeDraft['type'] => {
  if (kind === 'test') return isBad ? 'test_failed' : 'test_passed';
  if (kind === 'tool_call' && isBad) return 'tool_rejected';
  return isBad ? 'task_failed' : 'task_completed';
};
