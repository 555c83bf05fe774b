import type { AgentRef, AgentRow, AgentsPage } from '@breakwater/contract/overview';
import { useState } from 'preact/hooks';
import { counted, percent, points } from '../format.ts';
import { useData } from '../live.ts';
import { addressOf } from '../router.ts';
import type { Act } from './act.tsx';

/** Makes a paused agent active again. */
export const resumeAct = (agent: AgentRef): Act => ({
  title: 'Resume',
  says: `${agent.name} resumes immediately, and the evidence it was paused for is cleared. Above risk 0.8 the server refuses until the pause ends.`,
  verb: 'Resume',
  tool: 'operator_resume_agent',
  fields: [
    {
      name: 'force',
      label: 'Resume even if its risk is above 0.6 or unknown',
      box: true,
      optional: true,
    },
  ],
  args: ({ reason, force }) => ({ target_agent_id: agent.agent_id, reason, ...(force === 'yes' && { force: true }) }),
});

/** Pauses an agent that is at work. */
export const pauseAct = (agent: AgentRef): Act => ({
  title: 'Pause',
  says: `The check-ins of ${agent.name} are refused until an operator resumes it, or until the hours have passed.`,
  verb: 'Pause',
  tone: 'danger',
  tool: 'agent',
  fields: [
    { name: 'hours', label: 'Hours', hint: 'Empty: until an operator resumes it.', whole: true, optional: true },
  ],
  args: ({ reason, hours }) => ({
    action: 'pause',
    target_agent_id: agent.agent_id,
    reason,
    ...(hours !== '' && { hours }),
  }),
});

/** Ends the active life of an agent. */
export const archiveAct = (agent: AgentRef): Act => ({
  title: 'Archive',
  says: `${agent.name} will be archived: it can no longer check in. Its record is kept, and an operator can bring it back.`,
  verb: 'Archive',
  tone: 'danger',
  tool: 'agent',
  fields: [
    {
      name: 'force',
      label: 'Archive even if it is still active',
      box: true,
      optional: true,
    },
  ],
  args: ({ reason, force }) => ({
    action: 'archive',
    target_agent_id: agent.agent_id,
    reason,
    ...(force === 'yes' && { force: true }),
  }),
});

/** Adds a note to the record of an agent. */
export const noteAct = (agent: AgentRef): Act => ({
  title: 'Add note',
  says: `It is added to the notes of ${agent.name}, which operators and the agent itself can read.`,
  verb: 'Add note',
  tool: 'agent',
  fields: [{ name: 'notes', label: 'Note', multiline: true }],
  args: ({ notes, reason }) => ({
    action: 'update',
    target_agent_id: agent.agent_id,
    append_notes: true,
    notes,
    reason,
  }),
});

/** What speaks for an agent as a reviewer. */
const reviewerRecord = ({ vitals, check_ins }: AgentRow): string =>
  vitals === null || vitals.graded === 0
    ? `no graded results, ${counted(check_ins, 'check-in')}`
    : `${counted(vitals.graded, 'graded result')}, pass rate ${percent(vitals.pass_rate)}, gap ${points(vitals.mean_gap)}`;

const ReviewerPicker = ({
  id,
  value,
  set,
  except,
}: {
  id: string;
  value: string;
  set: (value: string) => void;
  except: string;
}) => {
  const [search, setSearch] = useState('');
  const query = { status: 'active', sort: 'activity', limit: 20, search };
  const { data } = useData<AgentsPage>(addressOf('/agents', query).replace('/dashboard', '/api'));
  const rows = (data?.rows ?? []).filter(({ agent_id }) => agent_id !== except);
  return (
    <div class="picker">
      <input
        id={id}
        type="search"
        placeholder="Search active agents by name"
        autoComplete="off"
        value={search}
        onInput={({ currentTarget }) => {
          setSearch(currentTarget.value);
        }}
      />
      <div role="radiogroup" aria-label="Reviewer" class="choices">
        {rows.map((row) => (
          <label key={row.agent_id}>
            <input
              type="radio"
              name="reviewer"
              value={row.agent_id}
              checked={value === row.agent_id}
              onChange={() => {
                set(row.agent_id);
              }}
            />
            <span>{row.name}</span>
            <span class="faint">{reviewerRecord(row)}</span>
          </label>
        ))}
        {data !== undefined && rows.length === 0 && <p class="faint">No other active agent matches.</p>}
      </div>
    </div>
  );
};

/** Gives a review to a reviewer. */
export const assignReviewerAct = (review: { readonly review_id: string; readonly agent: AgentRef }): Act => ({
  title: 'Assign reviewer',
  says: `The chosen agent is asked to answer the review of ${review.agent.name}.`,
  verb: 'Assign',
  tool: 'dialectic',
  fields: [
    {
      name: 'new_reviewer_id',
      label: 'Reviewer',
      control: (value, set, id) => <ReviewerPicker id={id} value={value} set={set} except={review.agent.agent_id} />,
    },
  ],
  args: ({ new_reviewer_id, reason }) => ({
    action: 'reassign',
    session_id: review.review_id,
    new_reviewer_id,
    reason,
  }),
});

/** Has what a review agreed on carried out. */
export const confirmReviewAct = (review: { readonly review_id: string; readonly agent: AgentRef }): Act => ({
  title: 'Confirm',
  says: `What the review agreed on is carried out: ${review.agent.name} goes on under its conditions.`,
  verb: 'Confirm',
  tool: 'dialectic',
  args: ({ reason }) => ({ action: 'confirm', session_id: review.review_id, decision: 'accept', reason }),
});

/** Fails a review whose agreement an operator does not want. */
export const rejectReviewAct = (review: { readonly review_id: string; readonly agent: AgentRef }): Act => ({
  title: 'Reject',
  says: `The review fails, and ${review.agent.name} stays paused. It can ask for another one.`,
  verb: 'Reject',
  tone: 'danger',
  tool: 'dialectic',
  args: ({ reason }) => ({ action: 'confirm', session_id: review.review_id, decision: 'reject', reason }),
});

/** Has a resolution that failed permanently carried out once more. */
export const retrySagaAct = (sagaId: string): Act => ({
  title: 'Retry',
  says: 'The resolution is carried out from where it stood. Do it when the cause of the error is gone.',
  verb: 'Retry',
  tool: 'saga',
  args: ({ reason }) => ({ action: 'retry', saga_id: sagaId, reason }),
});

/** Rolls back a resolution that failed permanently. */
export const revertSagaAct = (sagaId: string): Act => ({
  title: 'Roll back',
  says: 'Nothing of the resolution is applied: its review fails, and the paused agent stays paused.',
  verb: 'Roll back',
  tone: 'danger',
  tool: 'saga',
  args: ({ reason }) => ({ action: 'revert', saga_id: sagaId, reason }),
});

/** Sets a flag on every node. */
export const setFlagAct = (flag: {
  readonly key: string;
  readonly value: string;
  readonly values: readonly string[];
}): Act => ({
  title: 'Change',
  says: `${flag.key} is ${flag.value} now. The new value takes effect immediately, on every node.`,
  verb: 'Set',
  tool: 'flags',
  fields: [
    {
      name: 'value',
      label: 'New value',
      choices: flag.values.filter((value) => value !== flag.value).map((value) => ({ value, label: value })),
    },
  ],
  args: ({ value, reason }) => ({ action: 'set', key: flag.key, value, reason }),
});

/** Ends an operator's credential. */
export const revokeOperatorAct = (name: string): Act => ({
  title: 'Revoke',
  says: `${name} is signed out everywhere, immediately and permanently.`,
  verb: 'Revoke',
  tone: 'danger',
  tool: 'operators',
  args: ({ reason }) => ({ action: 'revoke', name, reason }),
});
