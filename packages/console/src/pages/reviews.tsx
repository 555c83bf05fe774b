import type { ReviewsPage as Page } from '@breakwater/contract/overview';
import { words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton } from '../parts/act.tsx';
import { assignReviewerAct } from '../parts/acts.tsx';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { addressOf, navigate, route } from '../router.ts';

const LIMIT = 50;
const STATUSES = ['all', 'open', 'waiting', 'resolved', 'failed'] as const;

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
            <Empty title={status === 'all' ? 'There were no reviews yet' : `No review is ${status}`}>
              <p>
                A paused agent asks for one with <code>request_review</code>; another agent answers it.
              </p>
            </Empty>
          ) : (
            <>
              <div class="scroll" tabIndex={0} role="region" aria-label="Reviews, a table">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Review</th>
                      <th scope="col">Agent</th>
                      <th scope="col">Reviewer</th>
                      <th scope="col">Phase</th>
                      <th scope="col">Round</th>
                      <th scope="col">Outcome</th>
                      <th scope="col">Begun</th>
                      <th scope="col">Last word</th>
                      <th scope="col">
                        <span class="visually-hidden">Acts</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.rows.map((row) => (
                      <tr key={row.review_id}>
                        <th scope="row">
                          <a href={addressOf(`/reviews/${encodeURIComponent(row.review_id)}`)}>
                            {row.reason ?? row.review_id}
                          </a>
                        </th>
                        <td>
                          <AgentLink agent={row.agent} />
                        </td>
                        <td>
                          {row.reviewer === null ? (
                            <span class="faint">nobody</span>
                          ) : (
                            <AgentLink agent={row.reviewer} />
                          )}
                        </td>
                        <td>
                          <Badge word={row.phase} />
                          {row.awaiting_facilitation && <Badge word="waiting" />}
                        </td>
                        <td>
                          {row.round} of {row.max_rounds}
                        </td>
                        <td>{row.outcome === null ? <span class="faint">–</span> : words(row.outcome)}</td>
                        <td>
                          <Time at={row.created_at} />
                        </td>
                        <td>
                          <Time at={row.last_participant_at} />
                        </td>
                        <td>{row.awaiting_facilitation && <ActButton small act={assignReviewerAct(row)} />}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
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
