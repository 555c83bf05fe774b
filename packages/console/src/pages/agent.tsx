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
import { addressOf } from '../router.ts';

const SOURCES: Readonly<Record<string, string>> = {
  measured: 'measured',
  derived: 'derived from its own check-ins',
  prior: 'a prior: nothing is known yet',
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
  ['evidence against its claims', 'How strongly results speak against what was claimed; 1 says nothing, 1,000 pauses.'],
  ['mean gap', 'Claimed on average, less the actual pass rate: above 0 the claims run ahead of the results.'],
  ['coverage', 'The share of claims that a graded result met within their 24 hours.'],
  ['unobserved claims', 'Claims that no result has settled: they expired, or are still open.'],
  [
    'evidence of silence',
    'How strongly it speaks that most claims meet no result; 1 says nothing, 1,000 asks for a person.',
  ],
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
      ['these numbers are', SOURCES[vitals.source] ?? vitals.source],
      ['as of', <Time key="at" at={vitals.at} />],
    ]}
  />
);

const Identity = ({ agent }: { agent: AgentView }) => (
  <Facts
    facts={[
      ['id', <code key="id">{agent.agent_id}</code>],
      ['handle', agent.handle],
      ['purpose', agent.purpose ?? '–'],
      ['tags', agent.tags.length === 0 ? '–' : agent.tags.join(', ')],
      ['born', <Time key="born" at={agent.created_at} />],
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
                side === 'successors' ? 'may go on for it' : 'may go on for',
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
      ['sessions in force', agent.sessions.in_force],
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
          <Empty title="It has not checked in yet" />
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
        What was claimed, and how much of it came true, over the {counted(graded, 'graded result')} below. Under the
        diagonal claims run ahead of results.
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

const Claims = ({ id }: { id: string }) => {
  const loaded = useData<ClaimsView>(`/api/agents/${id}/claims?limit=50`);
  return (
    <Shown loaded={loaded}>
      {({ rows }) =>
        rows.length === 0 ? (
          <Empty title="No results are known">
            <p>
              They come with <code>record_result</code>, and are held against what was claimed.
            </p>
          </Empty>
        ) : (
          <>
            <ClaimsCurve rows={rows} />
            <div class="scroll" tabIndex={0} role="region" aria-label="Claims against outcomes, a table">
              <table>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Result</th>
                    <th scope="col" class="numeric">
                      Claimed
                    </th>
                    <th scope="col">Came out</th>
                    <th scope="col">Known by</th>
                    <th scope="col">Counts</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={`${row.at} ${row.check_in ?? ''} ${row.outcome}`}>
                      <td>
                        <Time at={row.at} />
                      </td>
                      <td>
                        <span class={`badge ${row.graded ? (row.is_bad ? 'bad' : 'good') : 'neutral'}`}>
                          {words(row.outcome)}
                        </span>
                        {row.ran !== null && <code class="clipped">{row.ran}</code>}
                      </td>
                      <td class="numeric">{percent(row.claimed_confidence)}</td>
                      <td>{row.is_bad ? 'fail' : row.score === null ? '–' : 'pass'}</td>
                      <td>{words(row.grade)}</td>
                      <td>
                        <Counts row={row} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )
      }
    </Shown>
  );
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
          <div class="scroll" tabIndex={0} role="region" aria-label="Audit trail, a table">
            <table>
              <thead>
                <tr>
                  <th scope="col" class="numeric">
                    #
                  </th>
                  <th scope="col">When</th>
                  <th scope="col">Event</th>
                  <th scope="col">What</th>
                  <th scope="col">Hash</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.index}>
                    <td class="numeric">{row.index}</td>
                    <td>
                      <Time at={row.at} />
                    </td>
                    <td>{words(row.event)}</td>
                    <td class="payload">
                      <code>{plain(row.payload)}</code>
                    </td>
                    <td>
                      <code title={row.hash}>{row.hash.slice(0, 8)}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
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
    <Empty title="No conditions are in force" />
  ) : (
    <ul class="plain">
      {agent.conditions_in_force.map((condition) => (
        <li key={`${condition.text} ${condition.from}`}>
          <strong>{condition.text}</strong>{' '}
          <span class="faint">
            {condition.enforced ? 'held by every check-in' : 'shown to people'}, from <Time at={condition.from} />
            {condition.until === null ? ', without an end' : ', ends '}
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
          {agent.pause.expires_at === null ? 'It has no end of its own.' : 'It ends by itself '}
          {agent.pause.expires_at !== null && <Time at={agent.pause.expires_at} />}
        </p>
      </Section>
    )}
    {agent.archive !== null && (
      <Section title="Why it is over" aside={<Time at={agent.archive.at} />}>
        <p class="lead">{agent.archive.reason}</p>
        <p class="faint">
          By {agent.archive.by}
          {agent.archive.actor === null ? '' : `, ${agent.archive.actor}`}
        </p>
      </Section>
    )}
  </>
);

/** One agent: who it is, how it does, what it claimed and what came of it, and what was done about it. */
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
              <Section title="How it does">
                {view.vitals === null ? <Empty title="It has not checked in yet" /> : <Vitals vitals={view.vitals} />}
              </Section>
              <Section title="Who it is">
                <Identity agent={view} />
              </Section>
            </div>
            <Section title="State over time, with the verdicts on it">
              <History id={path} />
            </Section>
            <div class="grid">
              <Section title="Conditions in force">
                <Conditions agent={view} />
              </Section>
              <Section title="Reviews">
                {view.reviews.length === 0 ? (
                  <Empty title="It was in no review" />
                ) : (
                  <ul class="plain">
                    {view.reviews.map((review) => (
                      <li key={review.review_id}>
                        <a href={addressOf(`/reviews/${encodeURIComponent(review.review_id)}`)}>
                          {review.agent.agent_id === view.agent_id
                            ? `of it, by ${review.reviewer?.name ?? 'nobody yet'}`
                            : `of ${review.agent.name}, by it`}
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
            <Section title="Claims against outcomes">
              <Claims id={path} />
            </Section>
            <Section title="Notes">
              {view.notes === null || view.notes === '' ? <Empty title="No notes" /> : <p class="pre">{view.notes}</p>}
            </Section>
            <Section title="Audit trail">
              <Trail id={path} />
            </Section>
          </>
        )}
      </Shown>
    </>
  );
};
