import type { ReviewsPage as Page } from '@breakwater/contract/overview';
import { words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton } from '../parts/act.tsx';
import { assignReviewerAct } from '../parts/acts.tsx';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { addressOf, navigate, route } from '../router.ts';

const LIMIT = 50;
const STATUSES = ['all', 'open', 'waiting', 'resolved', 'failed'] as const;

const COLUMNS: readonly Column<Page['rows'][number]>[] = [
  {
    name: 'Review',
    heads: true,
    cell: ({ review_id, reason }) => (
      <a href={addressOf(`/reviews/${encodeURIComponent(review_id)}`)}>{reason ?? review_id}</a>
    ),
  },
  { name: 'Agent', cell: ({ agent }) => <AgentLink agent={agent} /> },
  {
    name: 'Reviewer',
    cell: ({ reviewer }) => (reviewer === null ? <span class="faint">nobody</span> : <AgentLink agent={reviewer} />),
  },
  {
    name: 'Phase',
    cell: ({ phase, awaiting_facilitation }) => (
      <>
        <Badge word={phase} />
        {awaiting_facilitation && <Badge word="waiting" />}
      </>
    ),
  },
  { name: 'Round', cell: ({ round, max_rounds }) => `${round} of ${max_rounds}` },
  { name: 'Outcome', cell: ({ outcome }) => (outcome === null ? <span class="faint">–</span> : words(outcome)) },
  { name: 'Started', cell: ({ created_at }) => <Time at={created_at} /> },
  { name: 'Last message', cell: ({ last_participant_at }) => <Time at={last_participant_at} /> },
  {
    name: 'Acts',
    silent: true,
    cell: (row) => row.awaiting_facilitation && <ActButton small act={assignReviewerAct(row)} />,
  },
];

/** Every review, the newest first. */
export const ReviewsPage = () => {
  const { query } = route.value;
  const status = query.get('status') ?? 'all';
  const offset = Number(query.get('offset') ?? 0) || undefined;
  const loaded = useData<Page>(addressOf('/reviews', { status, offset, limit: LIMIT }).replace('/dashboard', '/api'));
  const counts = loaded.data?.counts;
  return (
    <>
      <PageTitle title="Reviews" />
      <div class="tabs" role="group" aria-label="Status">
        {STATUSES.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={status === one}
            onClick={() => {
              navigate(addressOf('/reviews', { status: one === 'all' ? undefined : one }));
            }}
          >
            {one}
            {counts !== undefined && one !== 'all' && <span class="count">{counts[one]}</span>}
          </button>
        ))}
      </div>
      <Shown loaded={loaded}>
        {(page) =>
          page.rows.length === 0 ? (
            <Empty title={status === 'all' ? 'No reviews yet' : `No review is ${status}`}>
              <p>
                A paused agent asks for one with <code>request_review</code>; another agent answers it.
              </p>
            </Empty>
          ) : (
            <>
              <Table label="Reviews" columns={COLUMNS} rows={page.rows} keyOf={({ review_id }) => review_id} />
              <Pager
                {...page}
                go={(next) => {
                  navigate(addressOf('/reviews', { status, offset: next }));
                }}
              />
            </>
          )
        }
      </Shown>
    </>
  );
};
