import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOf, type AgentHead, type AgentStatus } from '../src/agents/index.ts';
import { vitalsView } from '../src/checkin/vitals.ts';
import { updateFor } from '../src/feed/index.ts';
import { provenanceOf } from '../src/knowledge/rules/provenance.ts';
import { head, HOUR, ME, NOW, OTHER, pauseUntil, vitals } from '../src/lifecycle/rules/testing/head.ts';
import { agentRow } from '../src/overview/rules/agents.ts';
import { KINDS } from '../src/cli/export/kinds.ts';

const STATUSES: readonly AgentStatus[] = ['active', 'paused', 'waiting_input'];

const pauses = fc.constantFrom(null, pauseUntil(NOW + HOUR), { ...pauseUntil(NOW), expires_at: null });

/** An agent as it may be found: held or not, by its own pause or its parent's, with and without evidence. */
const found = fc
  .record({
    status: fc.constantFrom(...STATUSES),
    pause: pauses,
    parentPause: pauses,
    measured: fc.boolean(),
    graded: fc.nat(40),
    word: fc.constantFrom('safe', 'caution', 'high-risk'),
    risk: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ status, pause, parentPause, measured, graded, word, risk }) => {
    const parent = head({ agentId: OTHER, status: parentPause === null ? 'active' : 'paused', pause: parentPause });
    const agent = head({
      agentId: ME,
      parentAgentId: OTHER,
      status: pause === null ? status : 'paused',
      pause,
      vitals: vitals({ measured, risk, risk_word: word, calibration: { error: null, graded } }),
    });
    return { agent, find: (id: string) => [agent, parent].find(({ agentId }) => agentId === id) };
  });

/** Every face of an agent that renders a word for how it stands. */
const faces = (agent: AgentHead, find: (id: string) => AgentHead | undefined): Readonly<Record<string, unknown>> => {
  const hold = holdOf(agent, find, NOW);
  const around = { now: NOW, stuckAfter: () => Infinity, isStable: () => true, conditionsInForce: () => 0, find };
  return {
    check_working_state: vitalsView(agent, hold, NOW),
    'API, console, command line': agentRow(agent, around),
    export: KINDS.agents.shape?.({ is_paused: hold !== undefined, vitals: agent.vitals, read_at_ms: NOW }),
    // A held descendant cannot check in, so no update of it is made: only pauses of its own are to be told.
    ...(hold?.inherited !== true && {
      feed: updateFor(
        { at: NOW, head: agent, isStable: true, own: undefined, checkIns: 1, events: [] },
        { agentId: undefined, operator: true },
      ),
    }),
    'provenance of a finding': provenanceOf(
      {
        agentId: ME,
        sessionKey: 's',
        caller: { source: 'session', assurance: 'strong', origin: 'caller_asserted', operator: undefined },
      } as never,
      agent,
      { confidence: null },
      NOW,
    ),
  };
};

describe('how an agent stands', () => {
  it('is on no face safe, cautious or risky while something holds it, nor without evidence', () => {
    fc.assert(
      fc.property(found, ({ agent, find }) => {
        const held = holdOf(agent, find, NOW) !== undefined;
        const measured = agent.vitals?.measured === true || (agent.vitals?.calibration.graded ?? 0) > 0;
        for (const [face, shown] of Object.entries(faces(agent, find))) {
          const text = JSON.stringify(shown);
          if (held || !measured) expect(text, face).not.toMatch(/"(safe|caution|high-risk)"/);
          if (!measured) expect(text, face).not.toContain(`"risk":${String(agent.vitals?.risk)}`);
        }
        // And who is neither held nor unmeasured is called what its risk says: the rule is no blanket.
        if (!held && measured) {
          const { metrics } = vitalsView(agent, undefined, NOW) as { metrics: { verdict: string } };
          expect(metrics.verdict).toBe(agent.vitals?.risk_word);
          expect(faces(agent, find)['API, console, command line']).toMatchObject({
            vitals: { risk_word: agent.vitals?.risk_word },
          });
        }
      }),
    );
  });
});
