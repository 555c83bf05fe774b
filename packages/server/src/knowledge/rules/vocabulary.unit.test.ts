import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import {
  understandClosureClass,
  understandResponseType,
  understandSeverity,
  understandStatus,
  understandType,
} from './vocabulary.ts';

describe('words', () => {
  it.each([
    [understandType, ' Bug-Found ', 'bug_found'],
    [understandType, 'architectural decision', 'architectural_decision'],
    [understandSeverity, 'HIGH', 'high'],
    [understandStatus, 'active', 'open'],
    [understandClosureClass, 'fix verified', 'fix_verified'],
    [understandResponseType, 'extends', 'extend'],
    [understandResponseType, 'follow-up', 'follow_up'],
    [understandResponseType, 'FollowUp', 'follow_up'],
    [understandResponseType, 'corrects', 'correction'],
    [understandResponseType, 'supersede', 'supersedes'],
  ])('%o takes %s for %s', (understand, given, value) => {
    verifies('BW-knowledge.01');
    expect(understand(given)).toEqual({ ok: true, value });
  });

  it.each([
    [understandSeverity, 'info', 'low'],
    [understandSeverity, 'warn', 'medium'],
    [understandSeverity, 'error', 'high'],
    [understandSeverity, 'fatal', 'critical'],
    [understandType, 'issue', 'bug_found'],
    [understandType, 'idea', 'insight'],
    [understandType, 'learnings', 'learning'],
    [understandStatus, 'wontfix', 'wont_fix'],
  ])('%o refuses %s, and asks whether %s was meant', (understand, given, meant) => {
    verifies('BW-knowledge.01');
    const understood = understand(given);
    expect(understood).toMatchObject({ ok: false, problem: { did_you_mean: meant, given, type: 'value' } });
  });

  it.each([[''], ['zzzzzzzz']])('have no guess for %j', (given) => {
    expect(understandSeverity(given)).toMatchObject({ ok: false, problem: { field: 'severity' } });
    expect(understandSeverity(given)).not.toHaveProperty('problem.did_you_mean');
  });

  it('are strings, and name the field that they stand in', () => {
    expect(understandType(7, 'discoveries[0].type')).toMatchObject({
      ok: false,
      problem: { field: 'discoveries[0].type', type: 'type' },
    });
    expect(understandResponseType('agrees', 'response_to.response_type')).toMatchObject({
      ok: false,
      problem: { field: 'response_to.response_type', did_you_mean: 'disagree' },
    });
  });
});
