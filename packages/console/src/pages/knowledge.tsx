import { useTool } from '../live.ts';
import { AgentLink, Badge, PageTitle, Time } from '../parts/basics.tsx';
import { Pager } from '../parts/pager.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { addressOf, navigate, route } from '../router.ts';

const LIMIT = 25;
const EVERY_MS = 15_000;

interface Finding {
  readonly id: string;
  readonly type: string;
  readonly severity: string;
  readonly status: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly by: string;
  readonly agent_id: string;
  readonly created_at: string;
  readonly details?: string;
  readonly details_preview?: string;
  readonly likely_stale?: boolean;
  readonly superseded?: boolean;
}
interface Findings {
  readonly discoveries: readonly Finding[];
  readonly total_discoveries?: number;
  readonly total_count?: number;
  readonly has_more?: boolean;
  readonly operator_used?: string;
  readonly fallback_used?: boolean;
}

const Card = ({ finding }: { finding: Finding }) => {
  const details = finding.details ?? finding.details_preview;
  return (
    <li class="card">
      <div class="need-head">
        <Badge word={finding.type} />
        <Badge word={finding.severity} />
        {finding.status !== 'open' && <Badge word={finding.status} />}
        {finding.likely_stale === true && <Badge word="likely stale" />}
        <span class="faint">
          by <AgentLink agent={{ agent_id: finding.agent_id, name: finding.by }} /> <Time at={finding.created_at} />
        </span>
      </div>
      <p class="lead">{finding.summary}</p>
      {details !== undefined && details !== '' && (
        <details>
          <summary>Details</summary>
          <p class="pre">{details}</p>
        </details>
      )}
      {finding.tags.length > 0 && (
        <p class="tags">
          {finding.tags.map((tag) => (
            <a key={tag} href={addressOf('/knowledge', { search: tag })}>
              {tag}
            </a>
          ))}
        </p>
      )}
    </li>
  );
};

/** The findings that agents have stored for each other. */
export const KnowledgePage = () => {
  const { query } = route.value;
  const search = query.get('search') ?? '';
  const offset = Number(query.get('offset') ?? 0) || 0;
  const loaded = useTool<Findings>(
    'knowledge',
    search === ''
      ? { action: 'list', limit: LIMIT, offset, response_mode: 'full' }
      : { action: 'search', query: search, limit: LIMIT, response_mode: 'full' },
    EVERY_MS,
  );
  return (
    <>
      <PageTitle title="Knowledge">
        <input
          type="search"
          aria-label="Search findings"
          placeholder="Search findings  ( / )"
          value={search}
          onInput={({ currentTarget }) => {
            navigate(addressOf('/knowledge', { search: currentTarget.value }), { replace: true });
          }}
        />
      </PageTitle>
      <Shown loaded={loaded} everyMs={EVERY_MS}>
        {(view) =>
          view.discoveries.length === 0 ? (
            <Empty title={search === '' ? 'No agent has stored a finding yet' : 'No finding matches'}>
              <p>
                Agents store them with <code>knowledge(action=store)</code>, and search them before they work.
              </p>
            </Empty>
          ) : (
            <>
              {view.fallback_used === true && (
                <p class="faint">No finding has all of these words; these have some of them.</p>
              )}
              <ul class="cards" aria-label="Findings">
                {view.discoveries.map((finding) => (
                  <Card key={finding.id} finding={finding} />
                ))}
              </ul>
              {search === '' && (
                <Pager
                  offset={offset}
                  limit={LIMIT}
                  matching={view.total_discoveries ?? view.discoveries.length}
                  go={(next) => {
                    navigate(addressOf('/knowledge', { offset: next }));
                  }}
                />
              )}
            </>
          )
        }
      </Shown>
    </>
  );
};
