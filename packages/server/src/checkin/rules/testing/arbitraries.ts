import fc from 'fast-check';
import { freshStats, type BehaviouralStats } from '../../../baselines/index.ts';
import { checkIn, type CheckIn, type CheckInContext, type CheckInInput } from '../check-in.ts';
import type { CheckInEvidence } from '../evidence.ts';
import { initialScoring, type ScoringState } from '../state.ts';

/** One call of a simulated run: what is reported, what outcomes say, and how much time passed since the call before. */
interface Step {
  readonly input: CheckInInput;
  readonly evidence: CheckInEvidence;
  readonly gapMs: number;
  readonly sameSession: boolean;
  readonly resident: boolean;
}

const TASKS = [
  'convergent',
  'divergent',
  'mixed',
  'refactoring',
  'bugfix',
  'feature',
  'exploration',
  'research',
  'introspection',
] as const;

/** Records with the prototype that JSON gives, so that copies compare equal to them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(model, { noNullPrototype: true });

const unit = fc.double({ min: 0, max: 1, noNaN: true });

const text = fc
  .array(
    fc.constantFrom(
      'Refactored the limiter. ',
      'onboard and leave_note were called? ',
      '- a point\n- another\n',
      '1. first\n2. second\n',
      '\n\n',
      '```ts\nconst a = 1;\n```\n',
      'Ünïcode 🚀 ٣. عدد\n',
      'x'.repeat(400),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const toolResult = record({
  tool: fc.constantFrom('pytest', 'edit_file', 'bash', 'eslint', 'make'),
  summary: fc.constantFrom('12 passed', 'failed', 'done'),
  exit_code: fc.constantFrom(0, 1, null),
});

const arbInput: fc.Arbitrary<CheckInInput> = record({
  text,
  textTruncated: fc.boolean(),
  complexity: fc.option(unit, { nil: undefined }),
  confidence: fc.option(unit, { nil: undefined }),
  taskType: fc.constantFrom(...TASKS),
  ownDrift: fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 3 }),
  toolResults: fc.array(toolResult, { maxLength: 6 }),
}).map(({ complexity, confidence, ...rest }) => ({
  ...rest,
  ...(complexity !== undefined && { complexity }),
  ...(confidence !== undefined && { confidence }),
}));

const arbEvidence: fc.Arbitrary<CheckInEvidence> = record({
  claims: record({
    value: fc.oneof(
      { arbitrary: fc.double({ min: 0, max: 19, noNaN: true }), weight: 8 },
      { arbitrary: fc.constantFrom(20, 999, 1000, 1e12), weight: 2 },
    ),
    graded: fc.nat({ max: 400 }),
    meanClaim: fc.option(unit, { nil: null }),
    accuracy: fc.option(unit, { nil: null }),
  }),
  calibration: record({ error: fc.option(unit, { nil: null }), graded: fc.nat({ max: 400 }) }),
  outcomes: fc.array(record({ isBad: fc.boolean(), score: fc.option(unit, { nil: null }) }), { maxLength: 20 }),
});

const arbStep: fc.Arbitrary<Step> = record({
  input: arbInput,
  evidence: arbEvidence,
  gapMs: fc.oneof(fc.nat({ max: 5_000_000 }), fc.constant(0), fc.integer({ min: -60_000, max: -1 })),
  sameSession: fc.boolean(),
  resident: fc.boolean(),
});

const START = Date.UTC(2026, 0, 1);

/** The arguments of each call of a run, and what came of it. */
export interface Call {
  readonly context: CheckInContext;
  readonly input: CheckInInput;
  readonly now: number;
  readonly result: CheckIn;
}

/** Plays a run from the start. `keep` may replace what is remembered between two calls. */
export const play = (
  steps: readonly Step[],
  keep: (result: CheckIn) => { scoring: ScoringState; baseline: BehaviouralStats } = (result) => result,
): Call[] => {
  let memory: { scoring: ScoringState; baseline: BehaviouralStats } = { scoring: initialScoring, baseline: freshStats };
  let now = START;
  let measured = false;
  return steps.map(({ input, gapMs, ...situation }, i) => {
    now += gapMs;
    const context = { ...memory, ...situation, measured, updateIndex: i + 1 };
    const result = checkIn(context, input, now);
    memory = keep(result);
    measured = result.measured;
    return { context, input, now, result };
  });
};

/** Stretches of a run: as it comes, all failing, all well, or confident words without work behind them. */
const arbFate = fc.constantFrom('mixed', 'bad', 'good', 'hollow');
type Fate = 'mixed' | 'bad' | 'good' | 'hollow';
const STRETCH = 8;

/** A step as its stretch has it: what brings states to their edges is rare among steps that are drawn one by one. */
const fated = (step: Step, fate: Fate): Step => {
  if (fate === 'mixed') return step;
  const well = fate === 'good';
  return {
    ...step,
    input: {
      ...step.input,
      text: well ? step.input.text : 'ok',
      complexity: well ? 0.3 : 1,
      confidence: fate === 'bad' ? 1 : 0.6,
      ownDrift: fate === 'bad' ? [1, 1, 1] : [],
      toolResults: well ? [] : [{ tool: 'bash', summary: 'failed', exit_code: 1 }],
    },
    evidence: {
      ...step.evidence,
      calibration: { error: fate === 'bad' ? 1 : 0, graded: 20 },
      outcomes: Array.from({ length: 10 }, (_, i) => ({ isBad: !well, score: fate === 'bad' ? i % 2 : 1 })),
    },
  };
};

export const arbRun = (lengths: { minLength: number; maxLength: number }): fc.Arbitrary<Step[]> =>
  fc
    .tuple(fc.array(arbFate, { minLength: 1, maxLength: 6 }), fc.array(arbStep, { ...lengths, size: 'max' }))
    .map(([fates, steps]) =>
      steps.map((step, i) => fated(step, fates[Math.floor(i / STRETCH) % fates.length] ?? 'mixed')),
    );
