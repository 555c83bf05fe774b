import type { AgentView, ClaimRow, ClaimsView, StatesView, TrailView, VitalsView } from '@breakwater/contract/overview';
import { useState } from 'preact/hooks';
import { binsOf } from '../curves.ts';
import { counted, number, percent, plain, points, words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import { archiveAct, assignReviewerAct, noteAct, pauseAct, resumeAct } from '../parts/acts.tsx';
import { AgentLink, Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Evidence } from '../parts/evidence.tsx';
import { RecordFacts } from '../parts/record.tsx';
import { ReliabilityDiagram, StatePlot } from '../parts/plots.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { addressOf } from '../router.ts';

const SOURCES: Readonly<Record<string, string>> = {
  measured: 'measured',
  derived: "agent's own check-ins",
  prior: 'default values: not enough data yet',
};

const MEANINGS = [
  ['E energy, 0 to 1', 'Recent decisions and results are good.'],
  ['I integrity, 0 to 1', 'Claims, difficulty and results fit together.'],
  ['S entropy, 0 to 1', 'Drift, instability, divergence.'],
  ['V volatility, −1 to 1', 'The running imbalance of E and I.'],
  [
    'risk, 0 to 1',
    'The mean of the last ten final risks; it decides. Unknown without a graded result or a tool result with exit code.',
  ],
  ['over-claiming evidence', 'How strongly results speak against the claims: 1 means none, 1,000 pauses.'],
  ['mean gap', 'Average claim minus pass rate: above 0 the claims run ahead of the results.'],
  ['coverage', 'The share of claims that a graded result met within their 24 hours.'],
  ['unobserved claims', 'Claims that no result has settled: they expired, or are still open.'],
  ['evidence of silence', 'How strongly missing results count against it: 1 means none, 1,000 asks for a person.'],
] as const;

const Vitals = ({ vitals }: { vitals: VitalsView }) => (
  <>
    <VitalsFacts vitals={vitals} />
    <details>
      <summary>What these numbers mean</summary>
      <Facts facts={MEANINGS} />
    </details>
  </>
);

const VitalsFacts = ({ vitals }: { vitals: VitalsView }) => (
  <Facts
    facts={[
      ['verdict', <Badge key="verdict" word={vitals.verdict} />],
      [
        'risk, mean of the last ten',
        `${vitals.risk === null ? 'unknown' : number(vitals.risk)} (${words(vitals.risk_word)})`,
      ],
      ['E energy', number(vitals.E)],
      ['I integrity', number(vitals.I)],
      ['S entropy', number(vitals.S)],
      ['V volatility', number(vitals.V)],
      ['source', SOURCES[vitals.source] ?? vitals.source],
      ['as of', <Time key="at" at={vitals.at} />],
    ]}
  />
);

/** A longer text than this is folded: it would take half of its card. */
const FOLDED = 160;

const Folded = ({ text }: { text: string }) =>
  text.length <= FOLDED ? (
    <>{text}</>
  ) : (
    <details>
      <summary>{text.slice(0, FOLDED).trimEnd()} …</summary>
      {text}
    </details>
  );

const Identity = ({ agent }: { agent: AgentView }) => (
  <Facts
    facts={[
      ['id', <code key="id">{agent.agent_id}</code>],
      ['handle', agent.handle],
      ['purpose', <Folded key="purpose" text={agent.purpose ?? '–'} />],
      ['tags', agent.tags.length === 0 ? '–' : agent.tags.join(', ')],
      ['created', <Time key="created" at={agent.created_at} />],
      ['last activity', <Time key="active" at={agent.last_activity_at} />],
      ['parent', agent.parent === null ? 'none declared' : <AgentLink key="parent" agent={agent.parent} />],
      ...(agent.parent === null
        ? []
        : ([
            ['lineage', agent.lineage.state],
            ['spawned because', agent.spawn_reason ?? '–'],
          ] as const)),
      [
        'children',
        agent.children.length === 0 ? (
          'none'
        ) : (
          <ul key="children" class="inline">
            {agent.children.map((child) => (
              <li key={child.agent_id}>
                <AgentLink agent={child} />
              </li>
            ))}
          </ul>
        ),
      ],
      ...(agent.held_by === null
        ? []
        : ([['held by the pause of', <AgentLink key="held" agent={agent.held_by} />]] as const)),
      ...(['successors', 'successor_of'] as const).flatMap((side) =>
        agent[side].length === 0
          ? []
          : [
              [
                side === 'successors' ? 'may have been replaced by' : 'may replace',
                <ul key={side} class="inline">
                  {agent[side].map(({ agent: other, evidence }) => (
                    <li key={other.agent_id}>
                      <AgentLink agent={other} /> <span class="faint">{evidence.join(', ').replaceAll('_', ' ')}</span>
                    </li>
                  ))}
                </ul>,
              ] as const,
            ],
      ),
      ['active sessions', agent.sessions.in_force],
      ['session last seen', <Time key="seen" at={agent.sessions.last_seen_at} />],
      ...(agent.substrate === null ? [] : ([['bound to', agent.substrate.executable]] as const)),
    ]}
  />
);

const History = ({ id }: { id: string }) => {
  const loaded = useData<StatesView>(`/api/agents/${id}/states`);
  return (
    <Shown loaded={loaded}>
      {({ points, truncated }) =>
        points.length === 0 ? (
          <Empty title="No check-ins yet" />
        ) : (
          <>
            <StatePlot points={points} />
            {truncated && <p class="faint">The newest {points.length} check-ins; there are older ones.</p>}
          </>
        )
      }
    </Shown>
  );
};

const ClaimsCurve = ({ rows }: { rows: ClaimsView['rows'] }) => {
  const bins = binsOf(rows);
  const graded = bins.reduce((sum, { n }) => sum + n, 0);
  if (graded === 0) return <p class="faint">None of these results is graded against a claim.</p>;
  return (
    <figure class="curve">
      <ReliabilityDiagram bins={bins} />
      <figcaption class="faint">
        Claimed confidence against the pass rate, over the {counted(graded, 'graded result')} below. Points under the
        diagonal are over-confident.
      </figcaption>
    </figure>
  );
};

/** Whether a result counts, and if not, why. */
const Counts = ({ row }: { row: ClaimRow }) => {
  if (!row.graded) {
    return (
      <>
        no<span class="faint">: {row.why_not_graded}</span>
      </>
    );
  }
  if (row.bet_held === null) return <>yes</>;
  return (
    <>
      yes, bet held
      <span class="faint">
        : {counted(row.bet_held.others, 'result')} of other agents fell short by {points(row.bet_held.shortfall)}{' '}
        points, which looks like an outage
      </span>
    </>
  );
};

const RESULTS: readonly Column<ClaimRow>[] = [
  { name: 'When', cell: ({ at }) => <Time at={at} /> },
  {
    name: 'Result',
    cell: ({ graded, is_bad, outcome, ran }) => (
      <>
        <span class={`badge ${graded ? (is_bad ? 'bad' : 'good') : 'neutral'}`}>{words(outcome)}</span>
        {ran !== null && <code class="clipped">{ran}</code>}
      </>
    ),
  },
  { name: 'Claimed', numeric: true, cell: ({ claimed_confidence }) => percent(claimed_confidence) },
  { name: 'Passed', cell: ({ is_bad, score }) => (is_bad ? 'no' : score === null ? '–' : 'yes') },
  { name: 'Evidence', cell: ({ grade }) => words(grade) },
  { name: 'Graded', cell: (row) => <Counts row={row} /> },
];

const resultKey = ({ at, check_in, outcome }: ClaimRow): string => `${at} ${check_in ?? ''} ${outcome}`;

const Claims = ({ id }: { id: string }) => {
  const loaded = useData<ClaimsView>(`/api/agents/${id}/claims?limit=50`);
  return (
    <Shown loaded={loaded}>
      {({ rows, truncated }) => {
        const graded = rows.filter((row) => row.graded);
        const others = rows.filter((row) => !row.graded);
        return rows.length === 0 ? (
          <Empty title="No results yet">
            <p>
              They come with <code>record_result</code>, and are held against what was claimed.
            </p>
          </Empty>
        ) : (
          <>
            <ClaimsCurve rows={rows} />
            {graded.length > 0 && (
              <Table label="Claims and results" columns={RESULTS} rows={graded} keyOf={resultKey} />
            )}
            {others.length > 0 && (
              <details open={graded.length === 0}>
                <summary>{counted(others.length, 'result')} not graded, with the reason</summary>
                <Table label="Results that are not graded" columns={RESULTS} rows={others} keyOf={resultKey} />
              </details>
            )}
            {truncated && <p class="faint">The newest {rows.length} results; there are older ones.</p>}
          </>
        );
      }}
    </Shown>
  );
};

const TRAIL: readonly Column<TrailView['rows'][number]>[] = [
  { name: '#', numeric: true, cell: ({ index }) => index },
  { name: 'When', cell: ({ at }) => <Time at={at} /> },
  { name: 'Event', cell: ({ event }) => EVENTS[event] ?? words(event) },
  {
    name: 'Details',
    cell: ({ payload }) => (
      <span class="payload">
        <code>{plain(payload)}</code>
      </span>
    ),
  },
  { name: 'Hash', cell: ({ hash }) => <code title={hash}>{hash.slice(0, 8)}</code> },
];

/** Events of the trail that have a word of their own. */
const EVENTS: Readonly<Record<string, string>> = {
  checkin_recorded: 'Check-in',
  lifecycle_paused: 'Paused',
  lifecycle_resumed: 'Resumed',
  lifecycle_archived: 'Archived',
  void_alert: 'Imbalance warning (V)',
};

const Trail = ({ id }: { id: string }) => {
  const [before, setBefore] = useState<number>();
  const loaded = useData<TrailView>(
    `/api/agents/${id}/trail?limit=25${before === undefined ? '' : `&before=${before}`}`,
  );
  return (
    <Shown loaded={loaded}>
      {({ rows, next }) => (
        <>
          <Table label="Audit trail" columns={TRAIL} rows={rows} keyOf={({ index }) => index} />
          <nav class="pager" aria-label="Parts of the audit trail">
            {before !== undefined && (
              <button
                type="button"
                onClick={() => {
                  setBefore(undefined);
                }}
              >
                Newest
              </button>
            )}
            {next !== null && (
              <button
                type="button"
                onClick={() => {
                  setBefore(next);
                }}
              >
                Older
              </button>
            )}
          </nav>
        </>
      )}
    </Shown>
  );
};

const Conditions = ({ agent }: { agent: AgentView }) =>
  agent.conditions_in_force.length === 0 ? (
    <Empty title="No active conditions" />
  ) : (
    <ul class="plain">
      {agent.conditions_in_force.map((condition) => (
        <li key={`${condition.text} ${condition.from}`}>
          <strong>{condition.text}</strong>{' '}
          <span class="faint">
            {condition.enforced ? 'enforced' : 'advisory'}, from <Time at={condition.from} />
            {condition.until === null ? ', no end' : ', ends '}
            {condition.until !== null && <Time at={condition.until} />}
          </span>
        </li>
      ))}
    </ul>
  );

const Standing = ({ agent }: { agent: AgentView }) => (
  <>
    {agent.pause !== null && (
      <Section title="Why it is paused" aside={<Time at={agent.pause.paused_at} />}>
        <p class="lead">{agent.pause.reason}</p>
        <Evidence record={agent.pause.evidence} />
        <p>
          {agent.pause.expires_at === null ? 'Stays paused until it is resumed.' : 'Resumes automatically '}
          {agent.pause.expires_at !== null && <Time at={agent.pause.expires_at} />}
        </p>
      </Section>
    )}
    {agent.archive !== null && (
      <Section title="Archived" aside={<Time at={agent.archive.at} />}>
        <p class="lead">{agent.archive.reason}</p>
        <p class="faint">
          By {agent.archive.by}
          {agent.archive.actor === null ? '' : `, ${agent.archive.actor}`}
        </p>
      </Section>
    )}
  </>
);

/** One agent: who it is, its health, its claims and results, and what was done about it. */
export const AgentPage = ({ id }: { id: string }) => {
  const path = encodeURIComponent(id);
  const loaded = useData<AgentView>(`/api/agents/${path}`);
  const agent = loaded.data;
  return (
    <>
      <PageTitle title={agent?.name ?? 'Agent'}>
        {agent !== undefined && (
          <div class="acts">
            <Badge word={agent.status} />
            {!agent.is_stable && <Badge word="in flight" />}
            {agent.status === 'paused' && <ActButton act={resumeAct(agent)} />}
            {(agent.status === 'active' || agent.status === 'waiting_input') && <ActButton act={pauseAct(agent)} />}
            {agent.archive === null && <ActButton act={noteAct(agent)} />}
            {agent.archive === null && <ActButton act={archiveAct(agent)} />}
          </div>
        )}
      </PageTitle>
      <ReadOnlyNote />
      {loaded.failure?.kind === 'refused' && loaded.failure.code === 'AGENT_NOT_FOUND' && agent === undefined ? (
        <Empty title="No agent has this id or name">
          <p>
            It may never have checked in here, or bear another name.{' '}
            <a href={addressOf('/agents', { search: id, status: 'all' })}>Search the agents for “{id}”</a>
          </p>
        </Empty>
      ) : (
        <Shown loaded={loaded}>
          {(view) => (
            <>
              <Standing agent={view} />
              {view.vitals !== null && (
                <Section title="Claims and results">
                  <RecordFacts vitals={view.vitals} />
                </Section>
              )}
              <div class="grid">
                <Section title="Health">
                  {view.vitals === null ? <Empty title="No check-ins yet" /> : <Vitals vitals={view.vitals} />}
                </Section>
                <Section title="Identity">
                  <Identity agent={view} />
                </Section>
              </div>
              <Section title="History">
                <History id={path} />
              </Section>
              <div class="grid">
                <Section title="Active conditions">
                  <Conditions agent={view} />
                </Section>
                <Section title="Reviews">
                  {view.reviews.length === 0 ? (
                    <Empty title="No reviews" />
                  ) : (
                    <ul class="plain">
                      {view.reviews.map((review) => (
                        <li key={review.review_id}>
                          <a href={addressOf(`/reviews/${encodeURIComponent(review.review_id)}`)}>
                            {review.agent.agent_id === view.agent_id
                              ? `as subject, by ${review.reviewer?.name ?? 'nobody yet'}`
                              : `as reviewer of ${review.agent.name}`}
                          </a>{' '}
                          <Badge word={review.phase} />
                          {review.awaiting_facilitation && <Badge word="waiting" />} <Time at={review.created_at} />{' '}
                          {review.awaiting_facilitation && <ActButton small act={assignReviewerAct(review)} />}
                        </li>
                      ))}
                    </ul>
                  )}
                </Section>
              </div>
              <Section title="Claims vs. results">
                <Claims id={path} />
              </Section>
              <Section title="Notes">
                {view.notes === null || view.notes === '' ? (
                  <Empty title="No notes" />
                ) : (
                  <p class="pre">{view.notes}</p>
                )}
              </Section>
              <Section title="Audit trail">
                <Trail id={path} />
              </Section>
            </>
          )}
        </Shown>
      )}
    </>
  );
};
