import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResponseMode } from '@breakwater/contract';
import { processAgentUpdate, simulateUpdate } from '@breakwater/contract/tools';
import { verifies } from '../../../testing/verifies.ts';
import { answer, COMPACT_BYTES, eisvTelemetry, pausedDetails, type AnswerExtras } from './answer.ts';
import type { CheckIn } from './check-in.ts';
import { groupOf } from './provenance.ts';
import { arbRun, play } from './testing/arbitraries.ts';

const MODES: readonly ResponseMode[] = ['auto', 'compact', 'minimal', 'standard', 'full', 'mirror'];
const LABELS = ['measured', 'derived', 'prior', 'unknown'];

const extras = (changes: Partial<AnswerExtras> = {}): AnswerExtras => ({
  agentId: randomUUID(),
  predictionId: randomUUID(),
  updateIndex: 1_234_567,
  ...changes,
});

const STEP = { say: 'Ask for a review with request_review.', tools: ['request_review', 'check_working_state'] };
const PAUSED = {
  next_step: STEP.say,
  paused_at: new Date(0).toISOString(),
  expires_at: new Date(1e12).toISOString(),
  actuation_id: randomUUID(),
};

/** The extras of a check-in as its service gives them: a pause names what put it in force. */
const extrasFor = (checkIn: CheckIn, changes: Partial<AnswerExtras> = {}) =>
  extras({ ...(checkIn.decision.action === 'pause' && { paused: PAUSED }), ...changes });

/** Every leaf of a value by its path; entries of a list share the list's path. */
const leaves = (value: unknown, path = ''): [string, unknown][] => {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((entry) => leaves(entry, path));
  return Object.entries(value).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
};

const forEachCheckIn = (look: (checkIn: CheckIn) => void, maxLength = 30, numRuns = 40): void =>
  fc.assert(
    fc.property(arbRun({ minLength: 1, maxLength }), (steps) => {
      for (const { result } of play(steps)) look(result);
    }),
    { numRuns },
  );

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('the answer', () => {
  it('is what the contract says in every mode, no field more and no number out of its bounds', () => {
    let paused = 0;
    forEachCheckIn((checkIn) => {
      for (const mode of MODES) {
        const reply = answer(checkIn, mode, extrasFor(checkIn));
        expect(processAgentUpdate.output.parse(reply), mode).toEqual(reply);
        const simulated = { simulated: true, ...answer(checkIn, mode, { ...extras(), predictionId: null }) };
        expect(simulateUpdate.output.parse(simulated), mode).toEqual(simulated);
      }
      if (checkIn.decision.action === 'pause') paused += 1;
    });
    expect(paused).toBeGreaterThan(20);
  });

  it('labels every number in every mode; an unknown one is null and labelled unknown', () => {
    verifies('BW-checkin.07');
    const seen = new Set<string>();
    forEachCheckIn((checkIn) => {
      for (const mode of MODES) {
        const reply = answer(checkIn, mode, extrasFor(checkIn));
        const provenance = reply['provenance'] as Record<string, string>;
        for (const [path, value] of leaves(reply)) {
          const group = groupOf(path);
          if (typeof value === 'number') {
            const label = group && provenance[group];
            expect(LABELS, `${mode} ${path}`).toContain(label);
            expect(label, `${mode} ${path}`).not.toBe('unknown');
            expect(Math.round(value * 1e4) / 1e4, `${mode} ${path}`).toBe(value);
          } else if (value === null && group !== undefined) {
            seen.add(path);
          }
        }
      }
    });
    expect([...seen]).toContain('calibration.error');
  });

  it('labels the calibration unknown while too few outcomes are graded', () => {
    verifies('BW-checkin.07');
    let known = 0;
    let unknown = 0;
    forEachCheckIn(
      (checkIn) => {
        const reply = answer(checkIn, 'compact', extrasFor(checkIn));
        const { calibration, provenance } = reply as {
          calibration: { error: number | null };
          provenance: { calibration: string };
        };
        expect(provenance.calibration).toBe(calibration.error === null ? 'unknown' : 'measured');
        if (calibration.error === null) unknown += 1;
        else known += 1;
      },
      30,
      200,
    );
    expect(Math.min(known, unknown)).toBeGreaterThan(10);
  });

  it('shows the risk of an agent without evidence as unknown, however little or much it says', () => {
    verifies('BW-checkin.07');
    let paused = 0;
    forEachCheckIn((played) => {
      for (const checkIn of [played, { ...played, measured: !played.measured }]) {
        for (const mode of MODES) {
          const reply = answer(checkIn, mode, extrasFor(checkIn)) as Record<string, unknown>;
          const { risk_score, ...metrics } = (mode === 'minimal' ? reply : reply['metrics']) as Record<string, unknown>;
          expect(risk_score === null, mode).toBe(!checkIn.measured);
          expect((reply['provenance'] as Record<string, string>)['risk'] === 'unknown').toBe(!checkIn.measured);
          if (mode === 'minimal') continue;
          const { unmeasured } = reply['decision'] as Record<string, unknown>;
          expect(unmeasured).toBe(checkIn.measured ? undefined : true);
          if (checkIn.decision.action === 'pause') expect(metrics['verdict']).toBe('paused');
          else expect(metrics['verdict'] === 'unmeasured').toBe(!checkIn.measured);
        }
      }
      if (played.decision.action === 'pause') paused += 1;
    });
    expect(paused).toBeGreaterThan(20);
  });

  it('calls an agent measured from its first exit code or graded result on, and not for its words', () => {
    const step = (exit_code: number | undefined, graded: number) => ({
      input: {
        text: 'All tests pass.',
        textTruncated: false,
        confidence: 0.95,
        taskType: 'mixed' as const,
        ownDrift: [],
        toolResults: [{ tool: 'npm test', summary: '3 tests failed', ...(exit_code !== undefined && { exit_code }) }],
      },
      evidence: {
        claims: { value: 1, graded, meanClaim: null, accuracy: null },
        calibration: { error: null, graded },
        outcomes: [],
      },
      gapMs: 1000,
      sameSession: true,
      resident: false,
    });
    const measured = (...steps: ReturnType<typeof step>[]) => play(steps).map(({ result }) => result.measured);
    expect(measured(step(undefined, 0), step(undefined, 0))).toEqual([false, false]);
    expect(measured(step(undefined, 0), step(1, 0), step(undefined, 0))).toEqual([false, true, true]);
    expect(measured(step(undefined, 0), step(undefined, 1))).toEqual([false, true]);
  });

  it('makes up no confidence: what was assumed in its place is told as that', () => {
    verifies('BW-checkin.07');
    forEachCheckIn((checkIn) => {
      const { scoring } = answer(checkIn, 'full', extrasFor(checkIn)) as unknown as {
        scoring: { confidence: { value: number | null; source: string; assumed?: number } };
      };
      const { value, source, assumed } = scoring.confidence;
      expect([value === null, assumed !== undefined]).toEqual([source === 'derived', source === 'derived']);
    }, 10);
  });

  it('stays below 1 KB in the compact mode, also for a pause and with many warnings', () => {
    let pauses = 0;
    const notes = Array.from(
      { length: 5 },
      (_, i) => `argument "${'unknown_'.repeat(8)}${i}" is not known; kept as context`,
    );
    forEachCheckIn((checkIn) => {
      if (checkIn.decision.action === 'pause') pauses += 1;
      expect(bytes(answer(checkIn, 'compact', extrasFor(checkIn)))).toBeLessThan(1024);
      const noted = answer(checkIn, 'compact', extrasFor(checkIn, { notes }));
      expect(bytes(noted)).toBeLessThan(1024);
      expect((noted['warnings'] as string[]).length).toBeGreaterThan(0);
    });
    expect(pauses).toBeGreaterThan(20);
  });

  it('leaves a routine answer room for what the envelope adds', () => {
    forEachCheckIn((checkIn) => {
      if (checkIn.decision.action === 'pause') return;
      expect(bytes(answer(checkIn, 'compact', extrasFor(checkIn)))).toBeLessThanOrEqual(COMPACT_BYTES);
    });
  });

  it('says the same in every mode', () => {
    forEachCheckIn((checkIn) => {
      const given = extrasFor(checkIn);
      for (const mode of MODES) {
        const reply = answer(checkIn, mode, given) as {
          decision: { action: string; reason: string };
          verdict: string;
          prediction_id: string;
          metrics?: Record<string, unknown>;
        };
        expect(reply.decision.action).toBe(checkIn.decision.action);
        expect(reply.decision.reason).toBe(checkIn.decision.reason);
        expect(reply.verdict).toBe(checkIn.verdict);
        expect(reply.prediction_id).toBe(given.predictionId);
        if (mode !== 'minimal') {
          expect(Object.keys(reply.metrics!)).toEqual([
            'E',
            'I',
            'S',
            'V',
            'coherence',
            'risk',
            'risk_score',
            'risk_score_latest',
            'verdict',
          ]);
          const calm = checkIn.measured ? checkIn.verdictWord : 'unmeasured';
          expect(reply.metrics!['verdict']).toBe(checkIn.decision.action === 'pause' ? 'paused' : calm);
        }
      }
      expect(answer(checkIn, 'auto', given)).toEqual(answer(checkIn, 'compact', given));
    }, 10);
  });

  it('gives each mode what it is for', () => {
    const result = play([
      {
        input: { text: 'work', textTruncated: true, taskType: 'mixed', ownDrift: [], toolResults: [] },
        evidence: {
          claims: { value: 1, graded: 0, meanClaim: null, accuracy: null },
          calibration: { error: null, graded: 0 },
          outcomes: [],
        },
        gapMs: 0,
        sameSession: true,
        resident: false,
      },
    ])[0]!.result;
    const keys = (mode: ResponseMode) => Object.keys(answer(result, mode, extras()));
    expect(keys('minimal')).toEqual([
      'success',
      'decision',
      'verdict',
      'E',
      'I',
      'S',
      'V',
      'risk_score',
      'provenance',
      'prediction_id',
      'warnings',
    ]);
    const warned = (mode: ResponseMode) => answer(result, mode, extras())['warnings'];
    for (const mode of ['compact', 'minimal'] as const) expect(warned(mode), mode).toEqual(warned('full'));
    expect(keys('full')).toEqual(expect.arrayContaining(['state', 'scoring', 'evidence']));
    expect(answer(result, 'compact', extras())).toMatchObject({
      calibration: { error: null, n: 0, status: 'unmeasured' },
    });
    const { mirror } = answer(result, 'mirror', extras()) as unknown as { mirror: string[] };
    expect(mirror.length).toBeLessThanOrEqual(3);
    expect(mirror.join(' ')).toContain('None of your claims');
  });
});

describe('the telemetry envelope', () => {
  it('is an object of its schema without a number that is not finite', () => {
    forEachCheckIn((checkIn) => {
      const spoilt = {
        ...checkIn,
        evidence: { ...checkIn.evidence, claims: { ...checkIn.evidence.claims, value: Infinity } },
      };
      const envelope = JSON.parse(JSON.stringify(eisvTelemetry(spoilt, 0))) as Record<string, unknown>;
      expect(envelope).toMatchObject({
        schema: 'eisv.telemetry.v1',
        enforcement: { applied: checkIn.decision.action === 'pause' },
      });
      expect(envelope).toMatchObject({ policy_evaluation: { claims: null, risk_score: checkIn.risk.gated } });
      expect(bytes(envelope)).toBeLessThan(1200);
    }, 10);
  });
});

describe('the refusal of a paused agent', () => {
  it('tells since when, why, on what evidence and the way out, in less than 1 KB', () => {
    let pauses = 0;
    forEachCheckIn((checkIn) => {
      if (checkIn.pauseEvidence === undefined) return;
      pauses += 1;
      const pause = { ...PAUSED, reason: checkIn.decision.reason, evidence: checkIn.pauseEvidence };
      const { details, recovery } = pausedDetails(pause, STEP);
      const message = `Paused: ${pause.reason}`;
      expect(details).toMatchObject({ paused_at: PAUSED.paused_at, reason: checkIn.decision.reason });
      expect(details.evidence).toMatchObject({
        schema: 'dialectic.pause_evidence.v1',
        measurement: { claims: { graded: checkIn.evidence.claims.graded } },
      });
      expect(recovery).toMatchObject({
        action: STEP.say,
        tools: ['request_review', 'check_working_state'],
        expires_at: PAUSED.expires_at,
      });
      const refusal = {
        success: false,
        error: message,
        error_code: 'AGENT_PAUSED',
        error_category: 'state_error',
        agent_id: randomUUID(),
        ...details,
        recovery,
      };
      expect(bytes(refusal)).toBeLessThan(1024);
    });
    expect(pauses).toBeGreaterThan(20);
  });

  it('shortens evidence of any size and shape', () => {
    const measurement = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`figure_${i}`, i / 7]));
    const { details } = pausedDetails({ ...PAUSED, reason: 'because', evidence: { schema: 'x', measurement } }, STEP);
    expect(details.evidence).toMatchObject({ schema: 'x', shortened: true, measurement: { figure_1: 0.1429 } });
    expect(bytes(details)).toBeLessThan(600);
  });
});
