import type { FreeResume, Need, NowView } from '@breakwater/contract/overview';
import { counted, number, words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote, type Act } from '../parts/act.tsx';
import {
  archiveAct,
  assignReviewerAct,
  confirmReviewAct,
  rejectReviewAct,
  resumeAct,
  retrySagaAct,
  revertSagaAct,
} from '../parts/acts.tsx';
import { AgentLink, Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { ActivityPlot, RiskHistogram } from '../parts/plots.tsx';
import { Empty, Shown } from '../parts/state.tsx';
import { addressOf } from '../router.ts';

const actsOf = ({ acts, agent, review_id, saga_id }: Need): readonly Act[] =>
  acts.flatMap((act) => {
    switch (act) {
      case 'resume':
        return agent === null ? [] : [resumeAct(agent)];
      case 'archive':
        return agent === null ? [] : [archiveAct(agent)];
      case 'assign_reviewer':
        return agent === null || review_id === null ? [] : [assignReviewerAct({ agent, review_id })];
      case 'confirm_review':
        return agent === null || review_id === null ? [] : [confirmReviewAct({ agent, review_id })];
      case 'reject_review':
        return agent === null || review_id === null ? [] : [rejectReviewAct({ agent, review_id })];
      case 'retry_saga':
        return saga_id === null ? [] : [retrySagaAct(saga_id)];
      case 'revert_saga':
        return saga_id === null ? [] : [revertSagaAct(saga_id)];
    }
  });

const MORE: Readonly<Partial<Record<Need['kind'], readonly [path: string, text: string]>>> = {
  breach: ['/channel', 'Server health'],
  divergence: ['/channel', 'Server health'],
  not_ready: ['/system', 'System'],
  retention: ['/system', 'System'],
};

/** What a need stands on above all, which takes a line of its own. */
const REASON = 'reason';
/** A value from here on is a sentence, and would be a tall column among facts. */
const SENTENCE = 60;
const isSentence = ({ name, value }: Need['evidence'][number]): boolean =>
  name === REASON || (typeof value === 'string' && value.length > SENTENCE);
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

const Value = ({ value }: { value: string | number | null }) => {
  if (typeof value === 'number') return <>{number(value, 3)}</>;
  if (value === null) return <span class="faint">not known</span>;
  return INSTANT.test(value) ? <Time at={value} /> : <>{value}</>;
};

const NeedCard = ({ need }: { need: Need }) => {
  const more = MORE[need.kind];
  return (
    <li class={`need ${need.severity}`}>
      <div class="need-head">
        <Badge word={need.severity} />
        <h3>{need.title}</h3>
        <Time at={need.since} />
      </div>
      {need.evidence.filter(isSentence).map(({ name, value }) => (
        <p key={name}>
          {name !== REASON && <span class="faint">{name}: </span>}
          {value}
        </p>
      ))}
      <Facts
        facts={need.evidence.flatMap((one) => (isSentence(one) ? [] : [[one.name, <Value value={one.value} />]]))}
      />
      <div class="need-acts">
        {actsOf(need).map((act) => (
          <ActButton key={act.title} act={act} />
        ))}
        {need.agent !== null && (
          <span>
            Agent: <AgentLink agent={need.agent} />
          </span>
        )}
        {need.review_id !== null && (
          <a href={addressOf(`/reviews/${encodeURIComponent(need.review_id)}`)}>Read the review</a>
        )}
        {need.key === 'stuck:many' && <a href={addressOf('/agents', { status: 'stuck' })}>Show them</a>}
        {more !== undefined && <a href={addressOf(more[0])}>{more[1]}</a>}
      </div>
    </li>
  );
};

const HOW: Readonly<Record<FreeResume['how'], string>> = {
  review: 'after a review',
  self_recovery: 'by self-recovery',
  expiry: 'when its pause expired',
};

/** Agents that resumed although no operator said so: a person should look at them once. */
const FreeResumes = ({ resumes, more }: { resumes: readonly FreeResume[]; more: number }) => (
  <Section title="Resumed without an operator in the last 24 h">
    <ul class="plain">
      {resumes.map(({ at, agent, how, by, why, review_id }) => (
        <li key={`${agent.agent_id}:${at}`}>
          <Time at={at} /> <AgentLink agent={agent} /> {HOW[how]}
          {how === 'review' && by !== null && (
            <>
              {' '}
              of <AgentLink agent={by} />
            </>
          )}
          {why !== null && <span class="faint">: {why}</span>}{' '}
          {review_id !== null && <a href={addressOf(`/reviews/${encodeURIComponent(review_id)}`)}>Read the review</a>}
        </li>
      ))}
    </ul>
    {more > 0 && <p>And {more} more, which are not shown.</p>}
  </Section>
);

const STATUSES = ['active', 'paused', 'stuck', 'waiting_input', 'archived'] as const;

const Fleet = ({ view }: { view: NowView }) => (
  <div class="grid">
    <Section title="Agents">
      <ul class="tiles">
        {STATUSES.map((status) => (
          <li key={status}>
            <a href={addressOf('/agents', { status })}>
              <strong>{(view.agents[status] ?? 0).toLocaleString('en')}</strong>
              <span>{words(status)}</span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
    <Section title="Reviews and requests">
      <Facts
        facts={[
          ['open reviews', view.reviews?.open ?? null],
          ['reviews waiting for a person', view.reviews?.waiting ?? null],
          ['requests (last minute)', view.requests?.count.toLocaleString('en') ?? null],
          ['rejected with 503', view.requests?.unavailable ?? null],
        ]}
      />
    </Section>
    <Section
      title="Check-ins by verdict, last 60 min"
      aside={
        <span class="faint">
          as counted by this node since <Time at={view.activity_since} />
        </span>
      }
    >
      {view.activity.every(({ proceed, guide, pause }) => proceed + guide + pause === 0) ? (
        <Empty title="No check-ins yet">
          <p>This node has seen none in the last hour.</p>
        </Empty>
      ) : (
        <ActivityPlot buckets={view.activity} />
      )}
    </Section>
    <Section title="Active agents by risk">
      {view.risk.every((count) => count === 0) ? (
        <Empty title="No active agent has a risk yet">
          <p>It comes with the first check-in.</p>
        </Empty>
      ) : (
        <RiskHistogram counts={view.risk} />
      )}
      {view.without_risk > 0 && (
        <p class="faint">{counted(view.without_risk, 'agent')} with unknown risk: no check-in yet, or no evidence.</p>
      )}
    </Section>
  </div>
);

/** What needs a person, and the fleet at a glance (BW-console.01). */
export const NowPage = () => {
  const loaded = useData<NowView>('/api/now');
  return (
    <>
      <PageTitle title="Overview" />
      <Shown loaded={loaded}>
        {(view) => {
          const count = view.needs.length + view.more_needs;
          return (
            <>
              <p class="summary">
                {count === 0
                  ? 'Nothing needs attention'
                  : `${counted(count, 'item')} ${count === 1 ? 'needs' : 'need'} attention`}{' '}
                · {counted(view.at_work, 'agent')} at work{' '}
                <span class="faint">(checked in within the last 5 minutes)</span>
              </p>
              <ReadOnlyNote />
              {count === 0 ? (
                <Empty title="All is well">
                  <p>
                    Updated <Time at={view.at} />. Pauses, reviews without a reviewer, resolutions that failed
                    permanently and failures of the server will appear here automatically.
                  </p>
                  {Object.values(view.agents).every((agents) => agents === 0) && (
                    <p>
                      There are no agents yet. <code>npm run fleet</code> shows three of them at work.
                    </p>
                  )}
                </Empty>
              ) : (
                <>
                  <h2 class="visually-hidden">Needs attention</h2>
                  <ul class="needs" aria-label="Needs attention">
                    {view.needs.map((need) => (
                      <NeedCard key={need.key} need={need} />
                    ))}
                  </ul>
                </>
              )}
              {view.more_needs > 0 && <p>And {view.more_needs} more, which are not shown.</p>}
              {view.free_resumes !== null && view.free_resumes.length > 0 && (
                <FreeResumes resumes={view.free_resumes} more={view.more_free_resumes} />
              )}
              <h2 class="divider">The fleet</h2>
              <Fleet view={view} />
            </>
          );
        }}
      </Shown>
    </>
  );
};
