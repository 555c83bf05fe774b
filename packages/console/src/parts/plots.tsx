import type { ActivityBucket, StatePoint } from '@breakwater/contract/overview';
import { useEffect, useRef, useState } from 'preact/hooks';
import UPlot, { type AlignedData, type Options, type Series } from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { hourOf, type Minute, type ReliabilityBin } from '../curves.ts';
import { axisTimes, counted, exactTime, number } from '../format.ts';
import { theme } from '../theme.ts';

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const HEIGHT = 220;

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** How far apart the marks of time may be, in seconds: no less than one, or a burst would be marked by one time ten times. */
const STEPS = [
  ...[1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800],
  ...[1, 2, 3, 4, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 28, 84, 364].map((days) => days * DAY),
];

/** The x of every plot: times as the reader writes them; nothing where nobody points. */
const TIME: Series = {
  value: (_plot, at: number | null) => (at === null ? '' : exactTime(new Date(at * 1000).toISOString())),
};

/**
 * A plot over time that fits its place, and follows new data, another width or theme. What the reader has zoomed into, and
 * points at, stays while new data comes.
 */
const TimePlot = ({
  data,
  series,
  options,
  label,
}: {
  data: AlignedData;
  /** Colours are names of CSS properties. */
  series: readonly (Omit<Series, 'stroke' | 'fill'> & { readonly colour: string; readonly fills?: boolean })[];
  options?: Partial<Options>;
  label: string;
}) => {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<UPlot>(undefined);
  const newest = useRef(data);
  newest.current = data;
  const [zoomed, setZoomed] = useState(false);
  const { value: scheme } = theme;
  useEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const axis = { stroke: colour('--faint'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    const plot = new UPlot(
      {
        width: current.clientWidth,
        height: HEIGHT,
        // Room for the half of the last mark that stands right of it.
        padding: [8, 32, 0, 0],
        legend: { live: true },
        cursor: { y: false },
        axes: [
          {
            ...axis,
            space: 80,
            incrs: STEPS,
            size: 42,
            values: (_plot, splits, _axis, _space, step) => [...axisTimes(splits, step)],
          },
          { ...axis, size: 44, values: (_plot, splits) => splits.map((split) => number(split)) },
        ],
        hooks: {
          setSelect: [
            ({ select }) => {
              if (select.width > 0) setZoomed(true);
            },
          ],
        },
        ...options,
        series: [
          TIME,
          ...series.map(({ colour: name, fills, ...one }): Series => {
            const stroke = colour(name);
            return {
              width: 1.5,
              ...one,
              stroke,
              points: { show: false, ...one.points, fill: stroke },
              ...(fills === true && { fill: stroke }),
            };
          }),
        ],
      },
      newest.current,
      current,
    );
    drawn.current = plot;
    setZoomed(false);
    const showAll = () => {
      setZoomed(false);
    };
    plot.over.addEventListener('dblclick', showAll);
    const watch = new ResizeObserver(() => {
      plot.setSize({ width: current.clientWidth, height: HEIGHT });
    });
    watch.observe(current);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [series, options, scheme]);
  useEffect(() => {
    if (drawn.current?.data !== data) drawn.current?.setData(data, !zoomed);
  }, [data, zoomed]);
  return (
    <>
      <div ref={place} class="plot" role="img" aria-label={label} />
      <p class="faint plot-hint">
        {zoomed ? (
          <button
            type="button"
            class="small"
            onClick={() => {
              setZoomed(false);
              drawn.current?.setData(newest.current, true);
            }}
          >
            Reset zoom
          </button>
        ) : (
          'Drag to zoom in.'
        )}
      </p>
    </>
  );
};

const seconds = (at: string): number => Date.parse(at) / 1000;

const BARS: Partial<Options> = {
  scales: {
    x: { range: (_plot, min, max) => [min - 30, max + 30] },
    y: { range: (_plot, _min, max) => [0, Math.max(1, max)] },
  },
};
const bars = UPlot.paths.bars?.({ size: [0.8, 40] });
const stacked = (minutes: readonly Minute[]): AlignedData => [
  minutes.map(({ at }) => at),
  minutes.map(({ counts }) => counts && counts.proceed + counts.guide + counts.pause),
  minutes.map(({ counts }) => counts && counts.guide + counts.pause),
  minutes.map(({ counts }) => counts && counts.pause),
];
const ACTIVITY_SERIES = [
  { label: 'proceed', colour: '--good', fills: true, ...(bars && { paths: bars }) },
  { label: 'guide', colour: '--warn', fills: true, ...(bars && { paths: bars }) },
  { label: 'pause', colour: '--bad', fills: true, ...(bars && { paths: bars }) },
].map((one, index) => ({
  ...one,
  // The bars stand on each other; the legend tells each by itself.
  value: (plot: UPlot, here: number | null, _series: number, at: number | null) => {
    if (at === null || here === null) return '';
    return String(here - (plot.data[index + 2]?.[at] ?? 0));
  },
}));

/** Check-ins by verdict, minute by minute. */
export const ActivityPlot = ({ buckets }: { buckets: readonly ActivityBucket[] }) => {
  const sum = (kind: 'proceed' | 'guide' | 'pause') => buckets.reduce((total, bucket) => total + bucket[kind], 0);
  const label = `Check-ins of the last hour: ${sum('proceed')} went on, ${sum('guide')} were guided, ${sum('pause')} were paused`;
  const data = useMemoByValue(stacked(hourOf(buckets)));
  return <TimePlot data={data} series={ACTIVITY_SERIES} options={BARS} label={label} />;
};

const STATE_SERIES = [
  { label: 'E energy', colour: '--e' },
  { label: 'I integrity', colour: '--i' },
  { label: 'S entropy', colour: '--s' },
  { label: 'V volatility', colour: '--v' },
  { label: 'risk', colour: '--text', width: 2.5 },
  { label: 'guided', colour: '--warn', width: 0, points: { show: true, size: 7 } },
  { label: 'paused', colour: '--bad', width: 0, points: { show: true, size: 10 } },
].map((one) => ({ ...one, value: (_plot: UPlot, value: number | null) => (value === null ? '' : number(value)) }));
const STATE: Partial<Options> = {
  scales: {
    x: {
      range: ({ data: [at] }, min, max) => {
        // Of a single instant uPlot makes a range of years.
        const [only, ...others] = at;
        return only !== undefined && others.length === 0 ? [only - 30, only + 30] : [min, max];
      },
    },
    // V reaches from -1 to 1, and is mostly near 0.
    y: { range: (_plot, min, max) => [Math.min(-0.2, min - 0.05), Math.max(1, max)] },
  },
};

/** The state of an agent over its check-ins, with the verdicts on it. */
export const StatePlot = ({ points }: { points: readonly StatePoint[] }) => {
  const on = (...verdicts: readonly string[]) =>
    points.map(({ verdict, risk }) => (verdict !== null && verdicts.includes(verdict) ? risk : null));
  const data = useMemoByValue<AlignedData>([
    points.map(({ at }) => seconds(at)),
    points.map(({ E }) => E),
    points.map(({ I }) => I),
    points.map(({ S }) => S),
    points.map(({ V }) => V),
    points.map(({ risk }) => risk),
    on('guide'),
    on('pause', 'reject'),
  ]);
  const last = points.at(-1);
  const verdicts = (...wanted: readonly string[]) =>
    points.filter(({ verdict }) => verdict !== null && wanted.includes(verdict)).length;
  const label =
    last === undefined
      ? 'No check-ins'
      : `${counted(points.length, 'check-in')} up to ${exactTime(last.at)}, ${verdicts('guide')} guided and ` +
        `${verdicts('pause', 'reject')} paused; the last had E ${number(last.E)}, I ${number(last.I)}, ` +
        `S ${number(last.S)}, V ${number(last.V)} and risk ${number(last.risk)}`;
  return <TimePlot data={data} series={STATE_SERIES} options={STATE} label={label} />;
};

/** The same object as long as what it says is the same, so that a plot is not drawn anew for nothing. */
const useMemoByValue = <T,>(value: T): T => {
  const text = JSON.stringify(value);
  const kept = useRef({ text, value });
  if (kept.current.text !== text) kept.current = { text, value };
  return kept.current.value;
};

const BAR = { width: 34, height: 120, gap: 4 };

/** How many active agents stand in each tenth of risk. */
export const RiskHistogram = ({ counts }: { counts: readonly number[] }) => {
  const most = Math.max(1, ...counts);
  const width = counts.length * (BAR.width + BAR.gap);
  const said = counts.flatMap((count, tenth) =>
    count > 0 ? [`${count} from ${tenth / 10} to ${(tenth + 1) / 10}`] : [],
  );
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${width} ${BAR.height + 36}`}
      role="img"
      aria-label={`Active agents by risk: ${said.join(', ') || 'none with a risk'}`}
    >
      {counts.map((count, tenth) => {
        const height = (count / most) * BAR.height;
        const x = tenth * (BAR.width + BAR.gap);
        return (
          <g key={tenth}>
            <rect
              x={x}
              y={BAR.height - height + 16}
              width={BAR.width}
              height={Math.max(height, 1)}
              rx="2"
              class={tenth >= 6 ? 'bad' : tenth >= 4 ? 'warn' : 'good'}
            />
            {count > 0 && (
              <text x={x + BAR.width / 2} y={BAR.height - height + 11} text-anchor="middle">
                {count}
              </text>
            )}
            <text x={x + BAR.width / 2} y={BAR.height + 31} text-anchor="middle" class="faint">
              {(tenth / 10).toFixed(1)}
            </text>
          </g>
        );
      })}
    </svg>
  );
};

const FIELD = 300;
const EDGE = 52;

/** Claimed confidence against how often it came true; on the diagonal claims are worth what they say. */
export const ReliabilityDiagram = ({ bins }: { bins: readonly ReliabilityBin[] }) => {
  const x = (value: number) => EDGE + value * FIELD;
  const y = (value: number) => 8 + (1 - value) * FIELD;
  const full = bins.filter(({ n }) => n > 0);
  const most = Math.max(1, ...full.map(({ n }) => n));
  const said = full.map(
    ({ mean_confidence, accuracy, n }) => `claimed ${number(mean_confidence)}, passed ${number(accuracy)}, ${n} claims`,
  );
  return (
    <svg
      class="reliability"
      viewBox={`0 0 ${FIELD + EDGE + 12} ${FIELD + 44}`}
      role="img"
      aria-label={`Reliability: ${said.join('; ') || 'nothing is known'}`}
    >
      {[0, 0.25, 0.5, 0.75, 1].map((tick) => (
        <g key={tick}>
          <line class="grid" x1={x(0)} x2={x(1)} y1={y(tick)} y2={y(tick)} />
          <line class="grid" x1={x(tick)} x2={x(tick)} y1={y(0)} y2={y(1)} />
          <text class="faint" x={EDGE - 6} y={y(tick) + 4} text-anchor="end">
            {tick}
          </text>
          <text class="faint" x={x(tick)} y={y(0) + 16} text-anchor="middle">
            {tick}
          </text>
        </g>
      ))}
      <line class="diagonal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
      {full.map(({ lower, mean_confidence, accuracy, interval, n }) => {
        if (mean_confidence === null || accuracy === null) return null;
        return (
          <g key={lower}>
            {interval !== null && (
              <line
                class="whisker"
                x1={x(mean_confidence)}
                x2={x(mean_confidence)}
                y1={y(interval[0])}
                y2={y(interval[1])}
              />
            )}
            <circle class="point" cx={x(mean_confidence)} cy={y(accuracy)} r={4 + 8 * Math.sqrt(n / most)}>
              <title>{`claimed ${number(mean_confidence)}, passed ${number(accuracy)}, ${n} claims`}</title>
            </circle>
            <text
              class="faint"
              x={x(mean_confidence) + (mean_confidence > 0.85 ? -14 : 14)}
              y={y(accuracy) + 4}
              text-anchor={mean_confidence > 0.85 ? 'end' : 'start'}
            >
              n={n}
            </text>
          </g>
        );
      })}
      <text class="faint" x={x(0.5)} y={y(0) + 34} text-anchor="middle">
        claimed confidence
      </text>
      <text class="faint" transform={`translate(11 ${y(0.5)}) rotate(-90)`} text-anchor="middle">
        pass rate
      </text>
    </svg>
  );
};
