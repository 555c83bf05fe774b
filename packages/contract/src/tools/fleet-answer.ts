import { z } from 'zod';
import { VERDICTS } from './check-in-words.ts';
import { agentLabel, agentStatus, visibleAgentId } from './agent-answer.ts';
import { isoTime } from './common.ts';

const share = z.number().min(0).max(1);
const count = z.int().nonnegative();

const measures = z.object({ E: share, I: share, S: share, V: z.number().min(-1).max(1), risk: share });

const observed = z.object({
  agent_id: visibleAgentId,
  label: agentLabel,
  status: agentStatus,
  total_updates: count.describe('Its check-ins'),
  verdict: z.enum(VERDICTS).nullable().describe('Of its newest check-in; null: there is none'),
  metrics: measures.nullable().describe('Of its newest check-in'),
  at: isoTime.nullable().describe('When that was'),
});

const anomaly = z.object({
  agent_id: visibleAgentId,
  agent_name: agentLabel,
  type: z.enum(['paused', 'claims', 'risk_spike']),
  severity: z.enum(['low', 'medium', 'high']),
  value: z.number().nullable().describe('The claims detector, or the risk; null of a pause'),
  description: z.string(),
  timestamp: isoTime.nullable(),
});

/** What the actions of `observe` answer. */
export const observeAnswers = {
  agent: observed.extend({ observation: observed.describe('The same once more') }),
  compare: z.object({ agents: z.array(observed), compared: count }),
  similar: z.object({
    agent: observed,
    similar_agents: z
      .array(observed.extend({ distance: z.number().nonnegative().describe('By E, I, S and V') }))
      .describe('The nearest first'),
  }),
  anomalies: z.object({
    anomalies: z.array(anomaly).describe('The most severe first'),
    count: count.describe('All that there are'),
    agents_analyzed: count,
    not_looked_for: z.array(z.string()).describe('What the reference tells as an anomaly and this server does not'),
  }),
  aggregate: z.object({
    aggregate: z.object({
      total_agents: count.describe('Active and paused ones'),
      agents_with_data: count.describe('Of them, those that have checked in'),
      means: measures.nullable().describe('null: none has'),
    }),
  }),
};

/** The thresholds that check-ins are decided by. */
export const thresholds = z.object({
  thresholds: z.object({
    claims_guide: z.number().positive().describe('The claims detector guides from here on'),
    claims_pause: z.number().positive().describe('and pauses from here on'),
    claims_least_graded: count.describe('with at least so many graded results'),
    loop_same_topic: count,
    loop_same_topic_window_seconds: z.number().positive(),
    loop_updates_per_minute: count.nullable().describe('null: as many as there are'),
    loop_pauses: count,
    loop_pauses_window_seconds: z.number().positive(),
    pause_hours: z.number().positive(),
  }),
  settable: z.literal(false),
});
