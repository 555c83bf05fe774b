import type { ChannelLine, ChannelView } from '@breakwater/contract/overview';
import { placeOf } from '../endpoints.ts';
import { exactTime, number } from '../format.ts';
import { useData } from '../live.ts';
import { PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { addressOf, navigate, route } from '../router.ts';

const EVERY_MS = 30_000;
const SPANS = [
  ['1h', 'hour'],
  ['24h', 'day'],
  ['7d', 'week'],
  ['30d', '30 days'],
] as const;

const classesOf = (line: ChannelLine): string =>
  Object.entries(line.classes)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const typeOf = ({ type }: ChannelLine): string => type.replace(/^(coordination_failure|measurement)\./, '');

const COLUMNS: readonly Column<ChannelLine>[] = [
  { name: 'Type', heads: true, cell: typeOf },
  { name: 'Endpoint / tool', title: (line) => placeOf(line).wire, cell: (line) => placeOf(line).shown },
  { name: 'Count', numeric: true, cell: ({ count }) => count.toLocaleString('en') },
  { name: 'Incidents', numeric: true, cell: ({ incidents }) => incidents },
  { name: 'Agents', numeric: true, cell: ({ agents }) => agents },
  { name: 'p50 ms', numeric: true, cell: ({ elapsed_ms: { p50 } }) => number(p50, 1) },
  { name: 'p99 ms', numeric: true, cell: ({ elapsed_ms: { p99 } }) => number(p99, 1) },
  { name: 'Error codes', cell: (line) => classesOf(line) || <span class="faint">–</span> },
  { name: 'Last', title: ({ first }) => `First: ${exactTime(first)}`, cell: ({ last }) => <Time at={last} /> },
];

/** The lines of one kind; a type that all of them share is said once, above, and an empty column nowhere. */
const Lines = ({ lines, title, empty }: { lines: readonly ChannelLine[]; title: string; empty: string }) => {
  const types = new Set(lines.map(typeOf));
  const hasIncidents = lines.some(({ incidents }) => incidents > 0);
  const hasCodes = lines.some((line) => classesOf(line) !== '');
  const columns = COLUMNS.filter(
    ({ name }) =>
      (name !== 'Type' || types.size > 1) &&
      (name !== 'Incidents' || hasIncidents) &&
      (name !== 'Error codes' || hasCodes),
  ).map((column, place) => (place === 0 ? { ...column, heads: true } : column));
  return (
    <Section
      title={title}
      aside={types.size === 1 ? <span class="faint">all of the type {[...types][0]}</span> : undefined}
    >
      {lines.length === 0 ? (
        <Empty title={empty} />
      ) : (
        <Table
          label={title}
          columns={columns}
          rows={lines}
          keyOf={({ type, endpoint, tool }) => `${type} ${endpoint ?? ''} ${tool ?? ''}`}
        />
      )}
    </Section>
  );
};

/** What the servers say of themselves: failures and measurements. */
export const ChannelPage = () => {
  const since = route.value.query.get('since') ?? '24h';
  const loaded = useData<ChannelView>(`/api/channel?since=${encodeURIComponent(since)}`, EVERY_MS);
  return (
    <>
      <PageTitle title="Server health" />
      <div class="tabs" role="group" aria-label="Time">
        {SPANS.map(([span, name]) => (
          <button
            key={span}
            type="button"
            aria-pressed={since === span}
            onClick={() => {
              navigate(addressOf('/channel', { since: span }));
            }}
          >
            last {name}
          </button>
        ))}
      </div>
      <Shown loaded={loaded} everyMs={EVERY_MS}>
        {(view) => (
          <>
            <Lines lines={view.failures.lines} title="Failures" empty="No failures in this period" />
            <Lines lines={view.measurements.lines} title="Measurements" empty="Nothing was measured in this period" />
            <p class="faint">
              {view.samples_dropped === 0
                ? 'No samples dropped.'
                : `${view.samples_dropped} more were counted but could not be stored.`}
            </p>
          </>
        )}
      </Shown>
    </>
  );
};
