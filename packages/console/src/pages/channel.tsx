import type { ChannelLine, ChannelView } from '@breakwater/contract/overview';
import { number } from '../format.ts';
import { useData } from '../live.ts';
import { PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';
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

const Lines = ({ lines, title, failing }: { lines: readonly ChannelLine[]; title: string; failing: boolean }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, a table`}>
    <table>
      <thead>
        <tr>
          <th scope="col">Type</th>
          <th scope="col">Where</th>
          <th scope="col" class="numeric">
            Count
          </th>
          {failing && (
            <th scope="col" class="numeric">
              Incidents
            </th>
          )}
          <th scope="col" class="numeric">
            Agents
          </th>
          <th scope="col" class="numeric">
            p50 ms
          </th>
          <th scope="col" class="numeric">
            p99 ms
          </th>
          <th scope="col">Classes</th>
          <th scope="col">First</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={`${line.type} ${line.endpoint ?? ''} ${line.tool ?? ''}`}>
            <th scope="row">{line.type.replace(/^(coordination_failure|measurement)\./, '')}</th>
            <td>{[line.endpoint, line.tool].filter(Boolean).join(' ') || <span class="faint">–</span>}</td>
            <td class="numeric">{line.count.toLocaleString('en')}</td>
            {failing && <td class="numeric">{line.incidents}</td>}
            <td class="numeric">{line.agents}</td>
            <td class="numeric">{number(line.elapsed_ms.p50, 1)}</td>
            <td class="numeric">{number(line.elapsed_ms.p99, 1)}</td>
            <td>{classesOf(line) || <span class="faint">–</span>}</td>
            <td>
              <Time at={line.first} />
            </td>
            <td>
              <Time at={line.last} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** What the servers say of themselves: failures and measurements. */
export const ChannelPage = () => {
  const since = route.value.query.get('since') ?? '24h';
  const loaded = useData<ChannelView>(`/api/channel?since=${encodeURIComponent(since)}`, EVERY_MS);
  return (
    <>
      <PageTitle title="Channel" />
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
            <Section title="Failures">
              {view.failures.no_data ? (
                <Empty title="No failure was recorded in this time" />
              ) : (
                <Lines lines={view.failures.lines} title="Failures" failing />
              )}
            </Section>
            <Section title="Measurements">
              {view.measurements.no_data ? (
                <Empty title="Nothing was measured in this time" />
              ) : (
                <Lines lines={view.measurements.lines} title="Measurements" failing={false} />
              )}
            </Section>
            <p class="faint">
              {view.samples_dropped === 0
                ? 'Nothing is known to be missing.'
                : `${view.samples_dropped} more were counted but could not be stored.`}
            </p>
          </>
        )}
      </Shown>
    </>
  );
};
