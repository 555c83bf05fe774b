import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { ReviewSession } from '../../dialectic/index.ts';
import { NOW } from '../../lifecycle/rules/testing/head.ts';
import { reviewView, sagaView, type StoredReview, type StoredSaga } from './review.ts';
import { iso } from '../../runtime/index.ts';

const find = () => undefined;

const said = (
  agentId: string,
  type: ReviewSession['messages'][number]['type'],
  over: Partial<ReviewSession['messages'][number]> = {},
): ReviewSession['messages'][number] => ({
  type,
  agentId,
  at: NOW,
  rootCause: null,
  conditions: [],
  reasoning: null,
  proposedAction: null,
  agrees: null,
  concerns: [],
  observedMetrics: null,
  refused: false,
  ...over,
});

const session = (messages: ReviewSession['messages']): ReviewSession => ({
  sessionId: 'r-1',
  pausedAgentId: 'A',
  reviewerAgentId: 'B',
  phase: 'synthesis',
  sessionType: 'review',
  createdAt: NOW,
  lastParticipantAt: NOW,
  round: 1,
  maxRounds: 5,
  awaitingFacilitation: false,
  facilitationSince: null,
  topic: null,
  reason: null,
  triggerSource: null,
  discoveryId: null,
  disputeType: null,
  pausedAgentState: {},
  messages,
  resolution: null,
  confirmation: null,
});

const row: StoredReview = {
  reviewId: 'r-1',
  pausedAgentId: 'A',
  reviewerAgentId: 'B',
  phase: 'synthesis',
  round: 1,
  maxRounds: 5,
  awaitingFacilitation: false,
  facilitationSince: null,
  reason: null,
  outcome: null,
  createdAt: NOW,
  lastParticipantAt: NOW,
  messages: 0,
  confirmationSince: null,
};
const view = (...messages: ReviewSession['messages'][number][]) => reviewView(row, session(messages), [], find);

const saga: StoredSaga = {
  sagaId: 's-1',
  reviewId: 'r-1',
  pausedAgentId: 'A',
  reviewerAgentId: 'B',
  state: 'reserved',
  attempts: 0,
  lastError: null,
  createdAt: NOW,
  pausedAgentAppliedAt: null,
  bothAppliedAt: null,
  committedAt: null,
  revertedAt: null,
  deadLetterAt: null,
};

describe('the merge of a review', () => {
  it('is null before both have proposed something', () => {
    verifies('BW-console.03');
    expect(view().merge).toBeNull();
    expect(view(said('A', 'thesis', { conditions: ['Report daily'] })).merge).toBeNull();
    expect(view(said('A', 'thesis', { conditions: ['Report daily'] }), said('B', 'antithesis')).merge).toBeNull();
  });

  it('says of each condition whose it is, and what is left out for which', () => {
    const { merge } = view(
      said('A', 'thesis', { conditions: ['raise pace', 'rest'], rootCause: 'too fast' }),
      said('B', 'antithesis', { conditions: ['something else'] }),
      said('A', 'synthesis', { conditions: ['report daily now', 'raise pace'] }),
      said('B', 'synthesis', { conditions: ['Report daily, now', 'lower pace', 'sleep'], rootCause: 'too fast' }),
    );
    expect(merge).toEqual({
      conditions: [
        { text: 'report daily now', from: 'both' },
        { text: 'raise pace', from: 'paused agent' },
        { text: 'sleep', from: 'reviewer' },
      ],
      conflicts: [{ a: 'raise pace', b: 'lower pace', why: 'They contradict each other; the later one is left out.' }],
      root_cause_similarity: 1,
    });
  });

  it('of a resolved review is what it was resolved with, by whomever', () => {
    const rest = said('A', 'synthesis', { conditions: ['rest', 'report daily'] });
    const resolved = (...messages: ReviewSession['messages'][number][]) =>
      reviewView(row, { ...session(messages), phase: 'resolved' }, [], find).merge;
    const agreedByReviewer = said('B', 'synthesis', { conditions: ['Rest!', 'sleep'], agrees: true });
    expect(resolved(rest, agreedByReviewer)?.conditions).toEqual([
      { text: 'Rest!', from: 'both' },
      { text: 'sleep', from: 'reviewer' },
    ]);
    const asked = said('B', 'synthesis', { conditions: ['sleep'], agrees: false });
    const agreedByAgent = said('A', 'synthesis', { conditions: ['sleep', 'rest'], agrees: true });
    expect(resolved(asked, agreedByAgent)?.conditions).toEqual([
      { text: 'sleep', from: 'both' },
      { text: 'rest', from: 'paused agent' },
    ]);
    const agreed = said('B', 'synthesis', { conditions: ['sleep'], agrees: true });
    // Both agreed, so that both lists are merged; what came after is no part of it.
    expect(resolved(agreed, agreedByAgent, said('B', 'synthesis', { conditions: ['run'] }))?.conditions).toEqual([
      { text: 'sleep', from: 'both' },
      { text: 'rest', from: 'paused agent' },
    ]);
    expect(resolved(rest, asked)?.conditions, 'without an agreement on record').toHaveLength(3);
  });

  it('does not count what was refused', () => {
    const { merge } = view(
      said('A', 'thesis', { conditions: ['rest'] }),
      said('B', 'synthesis', { conditions: ['sleep'] }),
      said('B', 'synthesis', { conditions: ['run'], refused: true }),
    );
    expect(merge?.conditions.map(({ text }) => text)).toEqual(['rest', 'sleep']);
    expect(merge?.root_cause_similarity).toBeNull();
  });
});

describe('a review', () => {
  it('shows who said what, also the server', () => {
    const { transcript } = view(
      said('A', 'thesis', { rootCause: 'rc', proposedAction: 'resume' }),
      said('B', 'antithesis', { concerns: ['one'], agrees: false }),
      said('system', 'system', { reasoning: 'reassigned' }),
      said('system', 'failed', { reasoning: 'over' }),
    );
    expect(transcript.map(({ role, author, kind }) => [role, author?.agent_id ?? null, kind])).toEqual([
      ['paused agent', 'A', 'thesis'],
      ['reviewer', 'B', 'antithesis'],
      ['server', null, 'system'],
      ['server', null, 'failed'],
    ]);
    expect(transcript[1]).toMatchObject({ concerns: ['one'], agrees: false, root_cause: null, at: iso(NOW) });
  });
});

describe('a saga', () => {
  it('shows the steps that are known to have happened, and no others', () => {
    verifies('BW-console.03');
    expect(sagaView(saga, find).history).toEqual([{ step: 'reserved', at: iso(NOW) }]);
    const given = sagaView({ ...saga, pausedAgentAppliedAt: NOW + 1, deadLetterAt: NOW + 2, lastError: 'x' }, find);
    expect(given).toMatchObject({ dead_letter: true, last_error: 'x', reviewer: { agent_id: 'B', name: 'B' } });
    expect(given.history.map(({ step }) => step)).toEqual([
      'reserved',
      'change of the paused agent staged',
      'given up',
    ]);
    expect(sagaView({ ...saga, deadLetterAt: NOW, committedAt: NOW }, find).dead_letter).toBe(false);
  });
});
