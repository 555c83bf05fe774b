import type { TaskType } from '@breakwater/contract';
import { clamp } from './numbers.ts';
import type { TextFeatures } from './text-features.ts';

/** What the attached tool results amount to. */
export interface ToolStatistics {
  readonly uniqueTools: number;
  readonly totalCalls: number;
  /** Share of bad results among those that say what they came to, 0 to 1; null: none does. */
  readonly errorRate: number | null;
  readonly filesModified: number;
}

/** Complexity that a text's length and structure suggest, 0 to 1, before the floor of its task (spec checkin 2.2). */
export const derivedComplexity = (f: TextFeatures): number => {
  const token = f.tokens > 0 ? Math.min(1, Math.log(1 + f.tokens) / Math.log(2001)) : 0;
  let structure = 0;
  if (f.codeBlocks > 0) structure += 0.25 * Math.min(1, f.codeBlocks / 3);
  if (f.listItems > 3) structure += 0.15 * Math.min(1, (f.listItems - 3) / 10);
  if (f.paragraphs > 2) structure += 0.1 * Math.min(1, (f.paragraphs - 2) / 5);
  const tool = 0.15 * Math.min(1, f.tools.length / 4);
  const question = 0.05 * Math.min(1, f.questions / 3);
  return clamp(0.45 * token + 0.3 * structure + 0.15 * tool + 0.1 * question);
};

const DEMANDING: ReadonlySet<TaskType> = new Set(['refactoring', 'debugging', 'review', 'design', 'research']);

/** Work of a demanding kind is never rated below 0.4, however terse the report. */
export const withTaskFloor = (derived: number, task: TaskType): number =>
  DEMANDING.has(task) ? Math.max(derived, 0.4) : derived;

/** Complexity that the tools used suggest, 0 to 1 (spec checkin 2.2). */
export const toolComplexity = (t: ToolStatistics): number =>
  t.totalCalls <= 0
    ? 0.2
    : clamp(
        0.35 * Math.min(1, t.uniqueTools / 5) +
          0.15 * Math.min(1, 2 * (t.errorRate ?? 0)) +
          0.25 * Math.min(1, t.filesModified / 8) +
          0.25 * Math.min(1, Math.log(1 + t.totalCalls) / Math.log(51)),
      );
