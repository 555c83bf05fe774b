import type { AgentRow, AgentsPage as Page, AgentSort } from '@breakwater/contract/overview';
import { useRef, useState } from 'preact/hooks';
import { agentsRoute, changedAddress, columnOf, lastOffset, stateOf, type AgentsState } from '../agents-query.ts';
import { counted, number, percent, points, words } from '../format.ts';
import { heldRows } from '../held-rows.ts';
import { useData, type Loaded } from '../live.ts';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { coverageText } from '../parts/record.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { navigate, route } from '../router.ts';

const STATUSES = ['', 'active', 'paused', 'stuck', 'waiting_input', 'archived', 'all'] as const;
const VERDICTS = ['', 'proceed', 'guide', 'pause', 'reject'] as const;
const go = (state: AgentsState, changed: Partial<AgentsState>, replace = false): void =>
  navigate(changedAddress(state, changed), { replace });

/** Why an agent stands as it does, in a few words; null: there is nothing to say. */
const whyOf = ({ pause, vitals, status }: AgentRow): string | null => {
  if (pause !== null) return pause.reason;
  if (status !== 'active' || vitals === null) return null;
  if (vitals.risk_word === 'paused') return 'by the pause of an agent that it descends from';
  return vitals.verdict === 'proceed' ? null : vitals.verdict;
};

const Name = ({ row, state }: { row: AgentRow; state: AgentsState }) => (
  <>
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
  </>
);

const Status = ({ row }: { row: AgentRow }) => {
  const why = whyOf(row);
  return (
    <>
      <Badge word={row.status} />
      {row.status !== 'paused' && row.vitals?.risk_word === 'paused' && <Badge word="held" />}
      {row.is_stuck && <Badge word="stuck" />}
      {!row.is_stable && <Badge word="in flight" />}
      {row.conditions > 0 && <span class="faint"> {counted(row.conditions, 'condition')}</span>}
      {why !== null && <span class="faint why">{why}</span>}
    </>
  );
};

const gradedOf = ({ vitals }: AgentRow): number => vitals?.graded ?? 0;

const columnsOf = (state: AgentsState): readonly Column<AgentRow>[] => {
  const column = (sort: AgentSort, name: string, rest: Omit<Column<AgentRow>, 'name' | 'sort'>): Column<AgentRow> => {
    const { sorted, next } = columnOf(state, sort);
    const choose = () => {
      go(state, { sort, order: next });
    };
    return { name, sort: { sorted, choose }, ...rest };
  };
  return [
    column('name', 'Name', { heads: true, cell: (row) => <Name row={row} state={state} /> }),
    column('status', 'Status', { cell: (row) => <Status row={row} /> }),
    column('pass_rate', 'Pass rate', {
      numeric: true,
      title: (row) => (gradedOf(row) === 0 ? 'No result is graded yet' : counted(gradedOf(row), 'graded result')),
      cell: ({ vitals }) => percent(vitals?.pass_rate),
    }),
    column('gap', 'Mean gap', {
      numeric: true,
      title: () => 'Average claim minus the pass rate, in points',
      cell: ({ vitals }) => points(vitals?.mean_gap),
    }),
    column('coverage', 'Coverage', {
      numeric: true,
      title: ({ vitals }) => (vitals === null ? undefined : coverageText(vitals.coverage)),
      cell: ({ vitals }) => percent(vitals?.coverage.share),
    }),
    column('evidence', 'Evidence', {
      numeric: true,
      title: () => 'Over-claiming evidence: 1 means none, 1,000 pauses',
      cell: (row) => (gradedOf(row) === 0 ? '–' : number(row.vitals?.claims, 1)),
    }),
    column('check_ins', 'Check-ins', { numeric: true, cell: (row) => row.check_ins.toLocaleString('en') }),
    column('activity', 'Last activity', { cell: (row) => <Time at={row.last_activity_at ?? row.created_at} /> }),
  ];
};

/**
 * The rows of a list, which stay where they are while somebody points at them or has the focus there: a list that follows
 * its agents would move under the cursor. Another list (another filter, order or part) is shown at once.
 */
const useHeldRows = ({ key, data }: Loaded<Page>) => {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const shown = useRef<{ key: string; rows: readonly AgentRow[] }>(undefined);
  const newest = data?.rows ?? [];
  const holds = (pointed || focused) && shown.current?.key === key;
  const held = holds ? heldRows(shown.current?.rows ?? [], newest, ({ agent_id }) => agent_id) : undefined;
  if (held === undefined) shown.current = { key, rows: newest };
  return {
    rows: held?.rows ?? newest,
    moved: held?.moved ?? 0,
    region: {
      onPointerEnter: () => {
        setPointed(true);
      },
      onPointerLeave: () => {
        setPointed(false);
      },
      onFocusIn: () => {
        setFocused(true);
      },
      onFocusOut: () => {
        setFocused(false);
      },
    },
  };
};

/** Every agent: filtered, searched, sorted, in pages (BW-console.04). */
export const AgentsPage = () => {
  const state = stateOf(route.value.query);
  const loaded = useData<Page>(agentsRoute(state));
  const counts = loaded.data?.counts;
  const { rows, moved, region } = useHeldRows(loaded);
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
            {status === '' ? 'current' : words(status)}
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
        {moved > 0 && (
          <span class="faint waiting" role="status">
            {counted(moved, 'row')} changed places; the new order appears when you leave the list
          </span>
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
                    ? `This list has only ${counted(page.matching, 'agent')}`
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
                  Show the last page
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
              <Table
                label="Agents"
                columns={columnsOf(state)}
                rows={rows}
                keyOf={({ agent_id }) => agent_id}
                region={region}
              />
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
