import type { AgentRow, AgentsPage as Page, AgentSort } from '@breakwater/contract/overview';
import { agentsRoute, changedAddress, columnOf, lastOffset, stateOf, type AgentsState } from '../agents-query.ts';
import { counted, number, words } from '../format.ts';
import { useData } from '../live.ts';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { navigate, route } from '../router.ts';

const STATUSES = ['', 'active', 'paused', 'stuck', 'waiting_input', 'archived', 'all'] as const;
const VERDICTS = ['', 'proceed', 'guide', 'pause', 'reject'] as const;
const COLUMNS: readonly { readonly sort?: AgentSort; readonly name: string; readonly numeric?: true }[] = [
  { sort: 'name', name: 'Name' },
  { sort: 'status', name: 'Status' },
  { name: 'Verdict' },
  { sort: 'risk', name: 'Risk', numeric: true },
  { name: 'E', numeric: true },
  { name: 'I', numeric: true },
  { name: 'S', numeric: true },
  { name: 'V', numeric: true },
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

const Row = ({ row, state }: { row: AgentRow; state: AgentsState }) => (
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
      {row.is_stuck && <Badge word="stuck" />}
      {!row.is_stable && <Badge word="in flight" />}
      {row.conditions > 0 && <span class="faint"> {counted(row.conditions, 'condition')}</span>}
    </td>
    <td>{row.vitals === null ? <span class="faint">–</span> : <Badge word={row.vitals.verdict} />}</td>
    <td class="numeric">
      {row.vitals !== null && row.vitals.risk === null ? (
        <span class="faint">unmeasured</span>
      ) : (
        number(row.vitals?.risk)
      )}
    </td>
    <td class="numeric">{number(row.vitals?.E)}</td>
    <td class="numeric">{number(row.vitals?.I)}</td>
    <td class="numeric">{number(row.vitals?.S)}</td>
    <td class="numeric">{number(row.vitals?.V)}</td>
    <td class="numeric">{row.check_ins.toLocaleString('en')}</td>
    <td>
      <Time at={row.last_activity_at ?? row.created_at} />
    </td>
  </tr>
);

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
