import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { ACTS, verdictOf, WITHOUT_AUTHORITY, type Act, type Capacity, type Verdict } from './acts.ts';
import { STANDINGS } from './standings.ts';

const WORDS: Readonly<Record<string, Verdict>> = {
  '+': 'yes',
  P: 'AGENT_PAUSED',
  F: 'FORBIDDEN',
  A: 'AGENT_ARCHIVED',
  O: 'OPERATOR_REQUIRED',
  N: 'AGENT_NOT_RESUMABLE',
  I: 'INVALID_STATUS_TRANSITION',
  Z: 'AGENT_ALREADY_ARCHIVED',
};

/**
 * The table as it is promised, a mark for each standing: active, waiting for input, pause over; held by an ancestor, by
 * claims, risk, conditions, an operator, a review's cooldown, a review, something unknown; archived by itself, archived by
 * an operator, disabled, deleted.
 */
const PROMISED: Readonly<Record<Capacity, Readonly<Partial<Record<Act, string>>>>> = {
  owner: {
    read: '+++ ++++++++ ++++',
    simulate: '+++ ++++++++ ++++',
    record_result: '+++ ++++++++ AAAA',
    check_in: '+++ PPPPPPPP AAAA',
    update: '+++ PPPPPPPP AAAA',
    rename: '+++ PPPPPPPP AAAA',
    archive: '+++ FFFFFFFF ZZZZ',
    delete: '+++ FFFFFFFF ++OA',
    reactivate: 'III IIIIIIII +OOA',
    resume: 'N++ FFFFFFFF NNNN',
    unstick: '+++ FFFFFFFF NNNN',
    recover: 'N++ FF+FFFFF NNNN',
    pause: 'OOO OOOOOOOO OOOO',
    mint: '+++ PPPPPPPP ++++',
    leave_session: '+++ PPPPPPPP ++++',
    revoke: '+++ ++++++++ ++++',
    write_knowledge: '+++ PPPPPPPP AAAA',
    request_review: '+++ P+++FFFF AAAA',
    speak_in_own_review: '+++ ++++++++ ++++',
    review_others: '+++ PPPPPPPP AAAA',
  },
  operator: {
    read: '+++ ++++++++ ++++',
    update: '+++ ++++++++ AAAA',
    archive: '+++ ++++++++ ZZZZ',
    delete: '+++ ++++++++ +++A',
    reactivate: 'III IIIIIIII +++A',
    resume: 'N++ N+++++++ NNNN',
    unstick: '+++ N+++++++ NNNN',
    pause: '++I +IIIIIII IIII',
    check_in: 'FFF FFFFFFFF FFFF',
    mint: 'FFF FFFFFFFF FFFF',
    revoke: 'FFF FFFFFFFF FFFF',
  },
};

const cells = (['owner', 'operator'] as const).flatMap((capacity) =>
  Object.entries(PROMISED[capacity]).map(([act, marks]) => [capacity, act as Act, marks] as const),
);

describe('the table of acts', () => {
  it.each(cells)('%s, %s: %s', (capacity, act, marks) => {
    verifies('BW-breaker.03', 'BW-breaker.04');
    const promised = marks.replaceAll(' ', '').split('');
    expect(promised).toHaveLength(STANDINGS.length);
    expect(STANDINGS.map((standing) => verdictOf(capacity, act, standing))).toEqual(
      promised.map((mark) => WORDS[mark]),
    );
  });

  it('says of every act what the agent itself may', () => {
    expect(Object.keys(PROMISED.owner).sort()).toEqual([...ACTS].sort());
  });

  it('has one word for each who has no authority', () => {
    verifies('BW-identity.07');
    expect(WITHOUT_AUTHORITY).toEqual({
      inferred: 'STRONG_IDENTITY_REQUIRED',
      reader: 'OPERATOR_REQUIRED',
      nobody: 'IDENTITY_REQUIRED',
      another: 'FORBIDDEN',
    });
  });
});
