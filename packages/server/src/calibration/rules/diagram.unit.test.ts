import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { curveOf } from './curve.ts';
import { reliabilityDiagram } from './diagram.ts';
import { tacticalBins } from './tally.ts';
import { cellOf, claims } from './testing/cells.ts';

/** Fails on a document that is no well-formed XML of the few forms that the diagram uses. */
const elements = (svg: string): string[] => {
  const open: string[] = [];
  const names: string[] = [];
  let rest = svg;
  for (let tag = /<[^>]*>/.exec(rest); tag !== null; tag = /<[^>]*>/.exec(rest)) {
    const between = rest.slice(0, tag.index);
    expect(between.replaceAll(/&#\d+;/g, '')).not.toMatch(/[<>&]/);
    const [, slash, name = '', self] = /^<(\/?)([a-z]+)(?: [\w:-]+="[^"<>&]*")*(\/?)>$/.exec(tag[0]) ?? [];
    expect(name, tag[0]).not.toBe('');
    if (slash === '/') expect(open.pop()).toBe(name);
    else {
      names.push(name);
      if (self !== '/') open.push(name);
    }
    rest = rest.slice(tag.index + tag[0].length);
  }
  expect([open, rest.trim()]).toEqual([[], '']);
  return names;
};

const diagram = (cells: Parameters<typeof tacticalBins>[0], title = 'Calibration') =>
  reliabilityDiagram(curveOf(tacticalBins(cells)), title);

describe('the reliability diagram', () => {
  it('has a point with its interval for each bin that holds something, and a count for every bin', () => {
    verifies('BW-outcomes.04');
    const svg = diagram([...claims(10, 6, 0.85), ...claims(7, 7, 0.35)]);
    const names = elements(svg);
    expect(names.filter((name) => name === 'circle')).toHaveLength(2);
    expect(svg.match(/class="range"/g)).toHaveLength(2);
    expect(svg.match(/class="count"/g)).toHaveLength(2);
    expect(svg).toContain('<title>0.8 to 0.9: n = 10, mean claim 0.85, result 0.60</title>');
    expect(svg).toContain('(n = 17)');
    // The point of the bin: 0.85 of 400 to the right of 56, and 0.4 of 400 below 48.
    expect(svg).toContain('<circle class="point" cx="396" cy="208" r="4"/>');
    for (const n of ['10', '7', '0']) expect(svg).toContain(`>${n}</text>`);
  });

  it('says that there are no data instead of drawing any', () => {
    verifies('BW-outcomes.04');
    const svg = diagram([]);
    expect(elements(svg)).not.toContain('circle');
    expect(svg).toContain('>no data</text>');
  });

  it('is readable on both grounds, and runs and loads nothing', () => {
    const svg = diagram(claims(3, 1, 0.5));
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).not.toMatch(/<script|href|url\(|on\w+=/i);
  });

  it('is one whole document whatever the name and the numbers', () => {
    const claim = fc.record({
      claim: fc.double({ min: 0, max: 1, noNaN: true }),
      result: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(claim, { maxLength: 30 }), (title, all) => {
        const svg = diagram(all.map(cellOf), `${title}"><script>&'`);
        expect(elements(svg)).not.toContain('script');
        expect(svg).not.toMatch(/NaN|Infinity/);
        // eslint-disable-next-line no-control-regex -- control characters are what XML forbids
        expect(svg).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      }),
      { numRuns: 200 },
    );
  });
});
