import type { Outcome } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { readAgentsQuery, readLimit, readReviewsQuery, readTexts, readTrailQuery } from './query.ts';

const refusal = (outcome: Outcome<unknown>) => {
  if (outcome.ok) throw new Error('it was accepted');
  return outcome.refusal;
};

describe('the query of a list', () => {
  it('has defaults', () => {
    expect(readAgentsQuery({})).toEqual({
      ok: true,
      value: {
        search: undefined,
        status: 'present',
        verdict: undefined,
        tag: undefined,
        sort: 'activity',
        descending: true,
        offset: 0,
        limit: 50,
      },
    });
    expect(readReviewsQuery({})).toMatchObject({ value: { status: 'all', offset: 0, limit: 50 } });
    expect(readTrailQuery({})).toEqual({ ok: true, value: { before: undefined, limit: 50 } });
    expect(readLimit({}, 2000, 300)).toEqual({ ok: true, value: 300 });
  });

  it.each([
    [readAgentsQuery({ sort: 'age' }), 'sort', 'activity, name, status, risk, check_ins, created'],
    [readAgentsQuery({ order: 'up' }), 'order', 'asc, desc'],
    [readAgentsQuery({ status: 'dead' }), 'status', 'waiting_input'],
    [readAgentsQuery({ verdict: 'maybe' }), 'verdict', 'proceed, guide, pause, reject'],
    [readAgentsQuery({ limit: '0' }), 'limit', 'from 1 to 1000'],
    [readAgentsQuery({ limit: '1001' }), 'limit', 'from 1 to 1000'],
    [readAgentsQuery({ offset: '-1' }), 'offset', 'from 0 to 1000000'],
    [readAgentsQuery({ limit: '1e2' }), 'limit', 'a whole number'],
    [readAgentsQuery({ search: 'x'.repeat(201) }), 'search', 'at most 200 characters'],
    [readAgentsQuery({ search: ['a', 'b'] }), 'search', 'one text'],
    [readAgentsQuery({ tag: 'a\0b' }), 'tag', 'on one line'],
    [readAgentsQuery({ page: '2' }), 'page', 'known are search, status, verdict, tag, sort, order, offset, limit'],
    [readReviewsQuery({ status: 'done' }), 'status', 'open, waiting, resolved, failed, all'],
    [readReviewsQuery({ limit: '201' }), 'limit', 'from 1 to 200'],
    [readReviewsQuery({ agent: 'a\0' }), 'agent', 'on one line'],
    [readTrailQuery({ before: '0' }), 'before', 'from 1'],
    [readLimit({ limit: '501' }, 500, 100), 'limit', 'from 1 to 500'],
    [readTexts({ x: 'y' }, []), 'x', 'known are none'],
  ])('refuses %o, naming the field and what it may be', (outcome, field, words) => {
    const { code, message, details, recovery } = refusal(outcome);
    expect(code).toBe('BAD_REQUEST');
    expect(details).toEqual({ field });
    expect(message).toContain(`"${field}"`);
    expect(message).toContain(words);
    expect(recovery?.action).toContain(field);
  });

  it('tells of the first wrong field', () => {
    expect(refusal(readAgentsQuery({ limit: 'x', page: '1' })).details).toEqual({ field: 'page' });
  });

  it('takes an empty value for none', () => {
    expect(readAgentsQuery({ search: '', limit: '' })).toEqual(readAgentsQuery({}));
  });
});
