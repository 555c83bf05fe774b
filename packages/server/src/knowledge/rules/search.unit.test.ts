import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { hintsOf } from './hints.ts';
import { composeQuery, parseQuery } from './query.ts';
import { limitOf, narrowingOf, searchOf } from './search.ts';

const refusalOf = (args: Record<string, unknown>) => {
  const request = searchOf(args);
  if (request.ok) throw new Error('the search was accepted');
  return request.refusal;
};

describe('a search text', () => {
  const word = (text: string) => ({ kind: 'word', text });

  it('is taken apart into what must be there, what may be, and what must not', () => {
    expect(parseQuery('row "lock order" -"redis" or agents/sql.ts row -"two words"').parts).toEqual([
      word('row'),
      word('lock order'),
      { kind: 'not', text: 'redis' },
      { kind: 'or', text: 'or' },
      word('agents/sql.ts'),
      word('row'),
      { kind: 'not', text: 'two words' },
    ]);
  });

  it('takes options of commands for words, and composes what was typed in pieces', () => {
    const { parts } = parseQuery('kubectl -n prod --force-with-lease a-"b"');
    expect(parts).toEqual(['kubectl', '-n', 'prod', '--force-with-lease', 'a-', 'b'].map(word));
    expect(parseQuery('cafe\u0301').parts).toEqual([word('caf\u00e9')]);
  });

  it('is put together from what its parts are searched by; what nothing can be searched by is named', () => {
    const parsed = parseQuery('a the b or c -"d" c');
    expect(composeQuery(parsed, ["'a'", '', "'b'", '', "'c'", "'d'", "'c'"])).toEqual({
      all: "('a') & ('b') | ('c') & ('c') & !('d')",
      terms: [
        { word: 'a', query: "'a'" },
        { word: 'b', query: "'b'" },
        { word: 'c', query: "'c'" },
      ],
      excluded: "!('d')",
      notSearched: ['the'],
    });
    const choiceOfNothing = parseQuery('a or -"d"');
    expect(composeQuery(choiceOfNothing, ["'a'", '', "'d'"])).toMatchObject({ all: '', excluded: "!('d')" });
    expect(composeQuery(parseQuery('the or -- -"d"'), ['', '', '', "'d'"])).toMatchObject({
      all: '',
      excluded: "!('d')",
      notSearched: ['the', '--'],
    });
  });

  it('keeps twelve words to look for one by one, and counts the others', () => {
    const words = Array.from({ length: 20 }, (_, i) => `w${i}`);
    const parsed = parseQuery(words.join(' '));
    expect(parsed).toMatchObject({ left: 8 });
    expect(composeQuery(parsed, words).terms).toHaveLength(12);
  });

  it('never excludes but what stands in quotation marks after a dash', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const { parts } = parseQuery(text);
        const marks = [...text.matchAll(/(?<=^|\s)-"[^"]*"/g)];
        expect(parts.filter(({ kind }) => kind === 'not').length).toBeLessThanOrEqual(marks.length);
      }),
      { examples: [['--a'], ['-'], ['-"'], ['a -"b'], ['"'], ['- a']] },
    );
  });
});

describe('a search', () => {
  it('may be for words, or for what filters say', () => {
    verifies('BW-knowledge.02');
    expect(searchOf({ query: ' a ' })).toMatchObject({
      value: {
        queryText: 'a',
        without: ['archived', 'cold'],
        operator: null,
        modeRequested: 'auto',
        sort: 'relevance',
      },
    });
    expect(searchOf({ tags: 'DB' })).toMatchObject({ value: { query: null, tags: ['db'] } });
    expect(searchOf({ created_after: '2026-01-01' })).toMatchObject({ value: { after: Date.UTC(2026, 0, 1) } });
  });

  it('for nothing at all is one for the newest; a blank one is refused even with filters', () => {
    verifies('BW-knowledge.02');
    expect(searchOf({})).toMatchObject({ value: { query: null, queryText: null, tags: [] } });
    expect(refusalOf({ query: ' \n' })).toMatchObject({ code: 'PARAMETER_ERROR', details: { parameter: 'query' } });
    expect(refusalOf({ query: '', tags: ['x'] })).toMatchObject({ code: 'PARAMETER_ERROR' });
  });

  it.each([
    [{ tags: ['!!!'] }, 'tags'],
    [{ tags: [] }, 'tags'],
    [{ tags: ' , ' }, 'tags'],
    [{ discovery_type: ' ' }, 'discovery_type'],
    [{ severity: 'info' }, 'severity'],
    [{ status: '' }, 'status'],
    [{ agent_id_filter: '' }, 'agent_id_filter'],
    [{ exclude_agent_labels: ['', ' '] }, 'exclude_agent_labels'],
    [{ created_before: 'yesterday' }, 'created_before'],
  ])('with a filter that comes to nothing is refused: %j', (filter, parameter) => {
    verifies('BW-knowledge.02');
    expect(refusalOf({ query: 'a', ...filter })).toMatchObject({ code: 'PARAMETER_ERROR', details: { parameter } });
  });

  it.each([
    [{ search_mode: 'semantic' }, 'semantic'],
    [{ search_mode: 'hybrid' }, 'hybrid'],
    [{ semantic: true }, 'semantic'],
  ])('by meaning is refused, and told what there is: %j', (mode, requested) => {
    verifies('BW-knowledge.02');
    expect(refusalOf({ query: 'a', ...mode })).toMatchObject({
      code: 'SEARCH_MODE_UNAVAILABLE',
      details: { requested, available: ['auto', 'fts'] },
    });
  });

  it('leaves the archive out, unless it is asked for', () => {
    const without = (args: Record<string, unknown>) => {
      const narrowed = narrowingOf(args);
      return narrowed.ok ? narrowed.value.without : undefined;
    };
    expect(without({})).toEqual(['archived', 'cold']);
    expect(without({ include_archived: true })).toEqual(['cold']);
    expect(without({ include_archived: true, include_cold: true })).toEqual([]);
    expect(without({ status: 'archived' })).toEqual([]);
  });

  it('shows a hundred at most, and says that it was asked for more', () => {
    verifies('BW-knowledge.01');
    expect(limitOf(101, 10)).toEqual({ limit: 100, clampedFrom: 101 });
    expect(limitOf(100, 10)).toEqual({ limit: 100 });
    expect(limitOf(undefined, 10)).toEqual({ limit: 10 });
  });
});

describe('an empty answer', () => {
  const nothing = {
    query: 'a',
    tags: [],
    type: null,
    severity: null,
    status: null,
    byAgent: false,
    byTime: false,
    includesArchived: false,
    includesCold: false,
  };

  it('says what could be left out, and what was left out', () => {
    verifies('BW-knowledge.02');
    expect(hintsOf({ ...nothing, tags: ['x'], type: 'bug' })[0]).toBe('Leave out a filter: tags, discovery_type.');
    expect(hintsOf(nothing).join(' ')).toMatch(/other words.*include_archived=true.*store it/);
    expect(hintsOf({ ...nothing, includesArchived: true }).join(' ')).toMatch(/include_cold=true/);
    const all = hintsOf({ ...nothing, query: null, status: 'open', byAgent: true, byTime: true, severity: 'low' });
    expect(all.join(' ')).not.toMatch(/include_|words/);
  });
});
