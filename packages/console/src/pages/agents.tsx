import type { AgentRow, AgentsPage as Page, AgentSort } from '@breakwater/contract/overview';
import { agentsRoute, changedAddress, columnOf, lastOffset, stateOf, type AgentsState } from '../agents-query.ts';
import { counted, number, percent, points, words } from '../format.ts';
import { useData } from '../live.ts';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { coverageText } from '../parts/record.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { navigate, route } from '../router.ts';

const STATUSES = ['', 'active', 'paused', 'stuck', 'waiting_input', 'archived', 'all'] as const;
const VERDICTS = ['', 'proceed', 'guide', 'pause', 'reject'] as const;
const COLUMNS: readonly { readonly sort?: AgentSort; readonly name: string; readonly numeric?: true }[] = [
  { sort: 'name', name: 'Name' },
  { sort: 'status', name: 'Status' },
  { sort: 'pass_rate', name: 'Pass rate', numeric: true },
  { sort: 'gap', name: 'Mean gap', numeric: true },
  { sort: 'coverage', name: 'Coverage', numeric: true },
  { sort: 'evidence', name: 'Evidence', numeric: true },
  { sort: 'check_ins', name: 'Check-ins', numeric: true },
  { sort: 'activity', name: 'Last activity' },
];

const go = (state: AgentsState, changed: Partial<AgentsState>, replace = false): void =>
  navigate(changedAddress(state, changed), { replace });

const Heading = ({ column, state }: { column: (typeof COLUMNS)[number]; state: AgentsState }) => {
  const { sort, name, numeric } = column;
  const classes = numeric === true ? 'numeric' : undefined;
  if (sort === undefined) {
    return (
      <th scope="col" class={classes}>
        {name}
      </th>
    );
  }
  const { sorted, next } = columnOf(state, sort);
  return (
    <th scope="col" class={classes} aria-sort={sorted}>
      <button
        type="button"
        class="sort"
        onClick={() => {
          go(state, { sort, order: next });
        }}
      >
        {name}
        <span aria-hidden="true">{sorted === undefined ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}</span>
      </button>
    </th>
  );
};

/** Why an agent stands as it does, in a few words; null: there is nothing to say. */
const whyOf = ({ pause, vitals, status }: AgentRow): string | null => {
  if (pause !== null) return pause.reason;
  if (status !== 'active' || vitals === null) return null;
  if (vitals.risk_word === 'paused') return 'by the pause of an agent that it descends from';
  return vitals.verdict === 'proceed' ? null : vitals.verdict;
};

const Row = ({ row, state }: { row: AgentRow; state: AgentsState }) => {
  const { vitals } = row;
  const graded = vitals?.graded ?? 0;
  const why = whyOf(row);
  return (
    <tr>
      <th scope="row">
        <AgentLink agent={row} />
        {row.tags.length > 0 && (
          <span class="row-tags">
            {row.tags.map((tag) => (
              <a key={tag} href={changedAddress(state, { tag })} aria-label={`Agents with the tag ${tag}`}>
                {tag}
              </a>
            ))}
          </span>
        )}
        {row.purpose !== null && <span class="faint clipped">{row.purpose}</span>}
      </th>
      <td>
        <Badge word={row.status} />
        {row.status !== 'paused' && vitals?.risk_word === 'paused' && <Badge word="held" />}
        {row.is_stuck && <Badge word="stuck" />}
        {!row.is_stable && <Badge word="in flight" />}
        {row.conditions > 0 && <span class="faint"> {counted(row.conditions, 'condition')}</span>}
        {why !== null && <span class="faint why">{why}</span>}
      </td>
      <td class="numeric" title={graded === 0 ? 'No result is graded yet' : counted(graded, 'graded result')}>
        {percent(vitals?.pass_rate)}
      </td>
      <td class="numeric" title="Claimed on average, less the pass rate, in points">
        {points(vitals?.mean_gap)}
      </td>
      <td class="numeric" title={vitals === null ? undefined : coverageText(vitals.coverage)}>
        {percent(vitals?.coverage.share)}
      </td>
      <td class="numeric" title="Evidence against its claims: 1 says nothing, 1,000 pauses">
        {graded === 0 ? '–' : number(vitals?.claims, 1)}
      </td>
      <td class="numeric">{row.check_ins.toLocaleString('en')}</td>
      <td>
        <Time at={row.last_activity_at ?? row.created_at} />
      </td>
    </tr>
  );
};

/** Every agent: filtered, searched, sorted, in pages (BW-console.04). */
export const AgentsPage = () => {
  const state = stateOf(route.value.query);
  const loaded = useData<Page>(agentsRoute(state));
  const counts = loaded.data?.counts;
  return (
    <>
      <PageTitle title="Agents">
        <input
          type="search"
          aria-label="Search agents by name, id, purpose or tag"
          placeholder="Search name, id, purpose, tag  ( / )"
          value={state.search}
          onInput={({ currentTarget }) => {
            go(state, { search: currentTarget.value }, true);
          }}
        />
      </PageTitle>
      <div class="tabs" role="group" aria-label="Status">
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            aria-pressed={state.status === status}
            onClick={() => {
              go(state, { status });
            }}
          >
            {status === '' ? 'present' : words(status)}
            {counts !== undefined && status in counts && <span class="count">{counts[status]}</span>}
          </button>
        ))}
        <label class="choice">
          Verdict
          <select
            value={state.verdict}
            onChange={({ currentTarget }) => {
              go(state, { verdict: currentTarget.value });
            }}
          >
            {VERDICTS.map((verdict) => (
              <option key={verdict} value={verdict}>
                {verdict === '' ? 'any' : verdict}
              </option>
            ))}
          </select>
        </label>
        {state.tag !== '' && (
          <button
            type="button"
            aria-label={`With the tag ${state.tag}; show every tag`}
            aria-pressed
            onClick={() => {
              go(state, { tag: '' });
            }}
          >
            tag: {state.tag} <span aria-hidden="true">×</span>
          </button>
        )}
      </div>
      <Shown loaded={loaded}>
        {(page) =>
          page.rows.length === 0 ? (
            <Empty
              title={
                page.total === 0
                  ? 'There are no agents yet'
                  : page.matching > 0
                    ? `The list ends before this: ${counted(page.matching, 'agent')} match`
                    : 'No agent matches'
              }
            >
              {page.total === 0 ? (
                <p>
                  An agent appears with its first call. <code>npm run fleet</code> shows three at work.
                </p>
              ) : page.matching > 0 ? (
                <button
                  type="button"
                  onClick={() => {
                    go(state, { offset: lastOffset(page.matching) }, true);
                  }}
                >
                  Show the last ones
                </button>
              ) : (
                <button
                  type="button"
                  onClick={() => {
                    go(state, { search: '', verdict: '', tag: '', status: 'all' });
                  }}
                >
                  Show all {page.total.toLocaleString('en')}
                </button>
              )}
            </Empty>
          ) : (
            <>
              <div class="scroll" tabIndex={0} role="region" aria-label="Agents, a table">
                <table>
                  <thead>
                    <tr>
                      {COLUMNS.map((column) => (
                        <Heading key={column.name} column={column} state={state} />
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {page.rows.map((row) => (
                      <Row key={row.agent_id} row={row} state={state} />
                    ))}
                  </tbody>
                </table>
              </div>
              <Pager
                {...page}
                go={(offset) => {
                  go(state, { offset });
                }}
              />
            </>
          )
        }
      </Shown>
    </>
  );
};
