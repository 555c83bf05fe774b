import { describe, expect, it } from 'vitest';
import { tableLines } from './table.ts';
import { agoText } from './print.ts';
import { paint, terminalOf } from './terminal.ts';

const ID = '0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21';
const LONG = 'the tests were said to pass, and they did not pass, three times in a row';

describe('a table', () => {
  it('is as wide as what it holds where there is no terminal', () => {
    expect(tableLines(['NAME', 'WHY'], [['a', LONG]])).toEqual(['NAME  WHY', `a     ${LONG}`]);
  });

  it('fits the terminal: the widest text is cut and says so, ids and names are not', () => {
    const lines = tableLines(
      ['AGENT', 'NAME', 'WHY', 'COUNT'],
      [
        [ID, 'Ada', LONG, '12'],
        [ID, 'Grace Hopper', 'short', '3'],
      ],
      80,
    );
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(new RegExp(`^${ID}  Ada .*… {2,}12$`));
    expect(lines[2]).toContain('Grace Hopper');
  });

  it('leaves columns out where all would be cut to nothing, the least wanted first, and names them', () => {
    const headings = ['AGENT', 'NAME', 'STATUS', 'RISK', 'VERDICT', 'LAST ACTIVITY', 'TAGS'];
    const row = (name: string) => [ID, name, 'active', '0.31', 'proceed', '3 min ago', 'team:support cost:high'];
    const lines = tableLines(headings, [row('docs-writer-01'), row('docs-writer-02')], 80, [
      'AGENT',
      'NAME',
      'STATUS',
      'LAST ACTIVITY',
    ]);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^AGENT +NAME +STATUS +LAST ACTIVITY$/);
    expect(lines[1], 'ids can be copied').toContain(ID);
    expect(lines[1], 'names can be told apart').not.toBe(lines[2]);
    expect(lines[3]).toMatch(/^\(no room for RISK, VERDICT, TAGS/);
  });

  it('cuts an id only when nothing else is left to cut', () => {
    const [, line] = tableLines(['AGENT', 'WHY'], [[ID, LONG]], 30);
    expect(line).toMatch(/^0c4f6a0e.*… {2}the tes…$/);
    expect(line).toHaveLength(30);
  });

  it('puts numbers to the right, and text to the left', () => {
    expect(
      tableLines(
        ['WHAT', 'ROWS', 'SIZE'],
        [
          ['a', '~1', '5 B'],
          ['b', '12000', '-'],
        ],
      ),
    ).toEqual(['WHAT   ROWS  SIZE', 'a        ~1   5 B', 'b     12000     -']);
    expect(tableLines(['A', 'B'], [['x', '1a']])).toEqual(['A  B', 'x  1a']);
  });

  it('shows no control character, whoever wrote it', () => {
    const [, line] = tableLines(['NAME', 'B'], [['a\u001B[2Jb\nc\u202Ed', 'x']]);
    expect(line).toBe('a [2Jb c d  x');
  });

  it('counts wide characters as two columns, and cuts none in half', () => {
    const [, line] = tableLines(['NAME', 'WHAT'], [['名前', '説明説明説明説明説明説明']], 18);
    expect(line).toBe('名前  説明説明説…');
  });
});

describe('colour', () => {
  it('is for terminals, and never with NO_COLOR', () => {
    const tty = { isTTY: true, columns: 80 };
    expect(terminalOf(tty, {})).toEqual({ columns: 80, colour: true });
    expect(terminalOf(tty, { NO_COLOR: '1' }).colour).toBe(false);
    expect(terminalOf(tty, { TERM: 'dumb' }).colour).toBe(false);
    expect(terminalOf({ columns: 80 }, {})).toEqual({ columns: undefined, colour: false });
    expect(paint('x', 'red', { colour: false })).toBe('x');
    expect(paint('x', 'red', { colour: true })).toBe('\u001B[31mx\u001B[0m');
  });
});

describe('a relative time', () => {
  it.each([
    [3_000, '3 s ago'],
    [200_000, '3 min ago'],
    [72 * 3_600_000, '3 d ago'],
    [-12 * 3_600_000 + 1_000, 'in 12 h'],
  ])('of %i ms ago is %s', (ms, text) => {
    expect(agoText(1_000_000_000 - ms, 1_000_000_000)).toBe(text);
  });
});
