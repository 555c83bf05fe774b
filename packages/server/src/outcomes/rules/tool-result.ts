import type { OutcomeDraft } from './grading.ts';

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

const isBadResult = ({ is_bad, exit_code, error }: ToolResult): boolean =>
  is_bad ?? (typeof exit_code === 'number' ? exit_code !== 0 : typeof error === 'string' && error !== '');

/** The outcome that a tool result stands for: a test, a call that was turned down, or a task (spec checkin_flow f). */
export const outcomeOfToolResult = (result: ToolResult): OutcomeDraft => {
  const { prediction_id: predictionId, ...rest } = result;
  const isBad = isBadResult(result);
  const detail = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined));
  return { type: typeOf(result, isBad), isBad, detail, ...(typeof predictionId === 'string' && { predictionId }) };
};

const typeOf = ({ kind }: ToolResult, isBad: boolean): OutcomeDraft['type'] => {
  if (kind === 'test') return isBad ? 'test_failed' : 'test_passed';
  if (kind === 'tool_call' && isBad) return 'tool_rejected';
  return isBad ? 'task_failed' : 'task_completed';
};
