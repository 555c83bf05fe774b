import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { subjectConflict } from './recusal.ts';

const matched = (...texts: (string | null)[]) => subjectConflict(texts, 'enforce')?.matchedTerms;

describe('a session about the review itself', () => {
  it('is known by one decisive term or two of the apparatus', () => {
    verifies('W3-5.07');
    expect(matched('Reviewer quality is low')).toEqual(['reviewer quality']);
    expect(matched('the antithesis was late')).toBeUndefined();
    expect(matched('antithesis after antithesis')).toBeUndefined();
    expect(matched('no reviewer slot for the antithesis')).toEqual(['antithesis', 'reviewer slot']);
    expect(matched('an antithesis by rubber-stamp')).toEqual(['rubber-stamp', 'antithesis']);
  });

  it('is sought in all texts as one, in any case and spacing', () => {
    expect(matched('the Dialectic', null, '', ' \n reviewer')).toEqual(['dialectic reviewer']);
    expect(matched('reviewer\u00a0\n INDEPENDENCE')).toEqual(['reviewer independence']);
    expect(matched(null, '')).toBeUndefined();
    expect(matched()).toBeUndefined();
  });

  it('leads to what the mode says', () => {
    expect(subjectConflict(['rubber stamp'], 'enforce')).toMatchObject({ recused: true });
    expect(subjectConflict(['rubber stamp'], 'flag')).toMatchObject({
      recused: false,
      matchedTerms: ['rubber stamp'],
      basis: 'subject_matter_conflict',
    });
    expect(subjectConflict(['rubber stamp'], 'off')).toBeNull();
  });
});
