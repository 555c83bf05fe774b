import { z } from 'zod';
import { agentLabel, agentStatus, visibleAgentId } from './agent-answer.ts';
import { isoTime } from './common.ts';

const count = z.int().nonnegative();

// Open: a finding is shown as its reporter sent it, beside what the server knows of it.
const finding = z
  .looseObject({
    event_id: z.string(),
    timestamp: isoTime,
    reported_by: visibleAgentId.nullable().describe('null: the reporter proved no identity'),
  })
  .describe('What was reported, as it was sent');

const observation = z.object({ observation_id: z.string() });

/** What the actions of `report` answer. */
export const reportAnswers = {
  finding: z.object({
    deduped: z.boolean().describe('An equal one was reported within a day; event is that one'),
    event: finding,
  }),
  metric: z.object({ name: z.string(), value: z.number(), ts: isoTime }),
  observation,
};

const resident = z.object({
  agent_id: visibleAgentId,
  label: agentLabel,
  status: agentStatus,
  tags: z.array(z.string()),
  missing_tags: z.array(z.string()).describe('Tags of a resident that it lacks'),
  total_updates: count.describe('Its check-ins'),
  last_update: isoTime.nullable(),
});

/** What the actions of `notices` answer. */
export const noticeAnswers = {
  findings: z.object({ count, findings: z.array(finding).describe('The newest first') }),
  series: z.object({
    name: z.string(),
    count,
    points: z.array(z.object({ ts: isoTime, value: z.number() })).describe('The oldest first'),
  }),
  catalog: z.object({ metrics: z.array(z.object({ name: z.string(), points: count, newest: isoTime })) }),
  residents: z.object({
    configured: z.array(z.string()).describe('Names that the server keeps for residents'),
    residents: z.array(resident),
    source: z.literal('roster'),
  }),
  tag_audit: z.object({
    checked: count,
    ok: z.boolean().describe('No resident lacks a tag'),
    residents: z.array(resident),
    drifted: z.array(resident).describe('Those that lack a tag'),
    issues: z.array(resident).describe('The same as drifted'),
  }),
};
