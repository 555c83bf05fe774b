import type { CurveBin } from './curve.ts';

const WIDTH = 480;
const LEFT = 56;
const TOP = 48;
const SIDE = 400;
const COUNTS_TOP = TOP + SIDE + 44;
const COUNTS_HEIGHT = 72;
const HEIGHT = COUNTS_TOP + COUNTS_HEIGHT + 48;

/** Colours follow the reader's scheme; shapes tell everything that colours tell. */
const STYLE = `
.ground{fill:#fff}.text{fill:#1f2328;font:12px system-ui,sans-serif}.title{font-size:14px;font-weight:600}
.frame{fill:none;stroke:#8c959f}.ideal{stroke:#8c959f;stroke-dasharray:4 4}.range{stroke:#0969da;stroke-width:2}
.point{fill:#0969da}.count{fill:#54aeff}.gap{stroke:#cf222e;stroke-width:2}
@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.text{fill:#e6edf3}.frame,.ideal{stroke:#6e7681}
.range{stroke:#58a6ff}.point{fill:#58a6ff}.count{fill:#1f6feb}.gap{stroke:#ff7b72}}`;

/** As the text of an XML document: what would be markup is written out, and what XML forbids is left blank. */
const escaped = (text: string): string =>
  text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ' ')
    .replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const at = (value: number): string => String(Math.round(value * 10) / 10);
const x = (confidence: number): number => LEFT + confidence * SIDE;
const y = (accuracy: number): number => TOP + (1 - accuracy) * SIDE;

const line = (name: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${name}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;
const text = (px: number, py: number, anchor: 'start' | 'middle' | 'end', content: string, more = ''): string =>
  `<text class="text${more}" x="${at(px)}" y="${at(py)}" text-anchor="${anchor}">${escaped(content)}</text>`;

const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((value) => [
  text(x(value), TOP + SIDE + 16, 'middle', value.toFixed(1)),
  text(LEFT - 6, y(value) + 4, 'end', value.toFixed(1)),
]);

/** A bin with its interval, its distance from what was claimed, and how many stand behind it. */
const point = ({ lower, upper, n, meanConfidence, accuracy, interval }: CurveBin): string => {
  if (meanConfidence === null || accuracy === null || interval === null) return '';
  const px = x(meanConfidence);
  const said = `${lower} to ${upper}: n = ${n}, mean claim ${meanConfidence.toFixed(2)}, result ${accuracy.toFixed(2)}`;
  return (
    `<g><title>${escaped(said)}</title>` +
    line('gap', px, y(meanConfidence), px, y(accuracy)) +
    line('range', px, y(interval[0]), px, y(interval[1])) +
    `<circle class="point" cx="${at(px)}" cy="${at(y(accuracy))}" r="4"/></g>`
  );
};

const count = ({ lower, upper, n }: CurveBin, most: number): string => {
  const height = most === 0 ? 0 : (n / most) * COUNTS_HEIGHT;
  const top = COUNTS_TOP + COUNTS_HEIGHT - height;
  return (
    (n === 0
      ? ''
      : `<rect class="count" x="${at(x(lower) + 2)}" y="${at(top)}" width="${at(x(upper) - x(lower) - 4)}" height="${at(height)}"/>`) +
    text(x((lower + upper) / 2), top - 4, 'middle', String(n))
  );
};

/**
 * A reliability diagram as a whole SVG document: mean result against mean claim for each bin, with 95 % intervals, and
 * under it how many outcomes stand behind each. The dashed line is where claims come true as often as they say. Readable
 * on light and dark grounds; `title` may be any text.
 */
export const reliabilityDiagram = (curve: readonly CurveBin[], title: string): string => {
  const n = curve.reduce((sum, bin) => sum + bin.n, 0);
  const most = Math.max(0, ...curve.map((bin) => bin.n));
  const whole = `${title} (n = ${n})`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(whole)}</title><style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(LEFT, 24, 'start', whole, ' title'),
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}"/>`,
    line('ideal', x(0), y(0), x(1), y(1)),
    ...ticks,
    text(LEFT, TOP - 8, 'start', 'result'),
    text(LEFT + SIDE, TOP + SIDE + 32, 'end', 'claimed confidence'),
    ...(n === 0 ? [text(x(0.5), y(0.5), 'middle', 'no data')] : curve.map(point)),
    ...curve.map((bin) => count(bin, most)),
    line('frame', LEFT, COUNTS_TOP + COUNTS_HEIGHT, LEFT + SIDE, COUNTS_TOP + COUNTS_HEIGHT),
    text(LEFT, COUNTS_TOP + COUNTS_HEIGHT + 20, 'start', 'outcomes in each bin'),
    '</svg>',
  ].join('\n');
};
