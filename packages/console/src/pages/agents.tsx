import type { AgentRow, AgentsPage as Page, AgentSort } from '@breakwater/contract/overview';
import { number, words } from '../format.ts';
import { useData } from '../live.ts';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { addressOf, navigate, route } from '../router.ts';

const LIMIT = 50;
const STATUSES = ['', 'active', 'paused', 'stuck', 'waiting_input', 'archived', 'all'] as const;
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

/** The whole state of the page stands in its address, so that it can be shared. */
const stateOf = (query: URLSearchParams) => ({
  search: query.get('search') ?? '',
  status: query.get('status') ?? '',
  sort: query.get('sort') ?? '',
  order: query.get('order') ?? '',
  offset: Number(query.get('offset') ?? 0) || 0,
});
type State = ReturnType<typeof stateOf>;

const go = (state: State, changed: Partial<State>, replace = false): void => {
  const next = { ...state, offset: 0, ...changed };
  navigate(addressOf('/agents', { ...next, offset: next.offset === 0 ? undefined : next.offset }), { replace });
};

const isUpByNature = (sort: string): boolean => sort === 'name' || sort === 'status';

const Heading = ({ column, state }: { column: (typeof COLUMNS)[number]; state: State }) => {
  const { sort, name, numeric } = column;
  const classes = numeric === true ? 'numeric' : undefined;
  if (sort === undefined) {
    return (
      <th scope="col" class={classes}>
        {name}
      </th>
    );
  }
  const isSorted = (state.sort === '' ? 'activity' : state.sort) === sort;
  const isUp = state.order === '' ? isUpByNature(sort) : state.order === 'asc';
  const turned = isSorted ? (isUp ? 'desc' : 'asc') : '';
  return (
    <th scope="col" class={classes} aria-sort={isSorted ? (isUp ? 'ascending' : 'descending') : undefined}>
      <button
        type="button"
        class="sort"
        onClick={() => {
          go(state, { sort, order: turned });
        }}
      >
        {name}
        <span aria-hidden="true">{isSorted ? (isUp ? ' ↑' : ' ↓') : ''}</span>
      </button>
    </th>
  );
};

const Row = ({ row }: { row: AgentRow }) => (
  <tr>
    <th scope="row">
      <AgentLink agent={row} />
      {row.purpose !== null && <span class="faint clipped">{row.purpose}</span>}
    </th>
    <td>
      <Badge word={row.status} />
      {row.is_stuck && <Badge word="stuck" />}
      {!row.is_stable && <Badge word="in flight" />}
      {row.conditions > 0 && <span class="faint"> {row.conditions} conditions</span>}
    </td>
    <td>{row.vitals === null ? <span class="faint">–</span> : <Badge word={row.vitals.verdict} />}</td>
    <td class="numeric">{number(row.vitals?.risk)}</td>
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
  const query = { ...state, limit: LIMIT, offset: state.offset === 0 ? undefined : state.offset };
  const loaded = useData<Page>(addressOf('/agents', query).replace('/dashboard', '/api'));
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
      </div>
      <Shown loaded={loaded}>
        {(page) =>
          page.rows.length === 0 ? (
            <Empty title={page.total === 0 ? 'There are no agents yet' : 'No agent matches'}>
              {page.total === 0 ? (
                <p>
                  An agent appears with its first call. <code>npm run fleet</code> shows three at work.
                </p>
              ) : (
                <button
                  type="button"
                  onClick={() => {
                    go(state, { search: '', status: 'all' });
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
                      <Row key={row.agent_id} row={row} />
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
