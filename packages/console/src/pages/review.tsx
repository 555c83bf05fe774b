import type { ConfirmationView, MergeView, ReviewMessage, ReviewView, SagaView } from '@breakwater/contract/overview';
import { number, percent, words } from '../format.ts';
import { useData } from '../live.ts';
import { ActButton, ReadOnlyNote } from '../parts/act.tsx';
import {
  assignReviewerAct,
  confirmReviewAct,
  rejectReviewAct,
  resumeAct,
  retrySagaAct,
  revertSagaAct,
} from '../parts/acts.tsx';
import { AgentLink, Badge, Facts, PageTitle, Section, Time } from '../parts/basics.tsx';
import { Empty, Shown } from '../parts/state.tsx';

const List = ({ title, items }: { title: string; items: readonly string[] }) =>
  items.length === 0 ? null : (
    <>
      <strong>{title}</strong>
      <ul>
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </>
  );

const verdictOf = ({ agrees, refused }: ReviewMessage): string | null => {
  if (refused) return 'refused';
  if (agrees === null) return null;
  return agrees ? 'agrees' : 'disagrees';
};

const Message = ({ message }: { message: ReviewMessage }) => {
  const verdict = verdictOf(message);
  return (
    <li class={`message ${message.role.replace(' ', '-')}`}>
      <header>
        {message.author === null ? <strong>The server</strong> : <AgentLink agent={message.author} />}
        <span class="faint">
          {message.role === 'server' ? '' : `${message.role}, `}
          {message.kind}
        </span>
        {verdict !== null && (
          <span class={`badge ${message.agrees === true && !message.refused ? 'good' : 'warn'}`}>{verdict}</span>
        )}
        <Time at={message.at} />
      </header>
      {message.root_cause !== null && (
        <p>
          <strong>Cause:</strong> {message.root_cause}
        </p>
      )}
      {message.reasoning !== null && <p>{message.reasoning}</p>}
      <List title="Proposes" items={message.conditions} />
      <List title="Concerns" items={message.concerns} />
      {message.proposed_action !== null && (
        <p>
          Proposed action: <strong>{words(message.proposed_action)}</strong>
        </p>
      )}
    </li>
  );
};

const Merge = ({ merge }: { merge: MergeView }) => (
  <>
    <ul class="plain">
      {merge.conditions.map((condition) => (
        <li key={condition.text}>
          <strong>{condition.text}</strong>{' '}
          <span class="faint">{condition.from === 'both' ? 'both want it' : `the ${condition.from} wants it`}</span>
        </li>
      ))}
      {merge.conflicts.map((conflict) => (
        <li key={conflict.b}>
          <s>{conflict.b}</s>{' '}
          <span class="faint">
            against “{conflict.a}”. {conflict.why}
          </span>
        </li>
      ))}
    </ul>
    {merge.root_cause_similarity !== null && (
      <p class="faint">Root causes: {percent(merge.root_cause_similarity)} similar.</p>
    )}
  </>
);

const Saga = ({ saga }: { saga: SagaView }) => (
  <li>
    <p>
      <Badge word={saga.dead_letter ? 'failed permanently' : saga.state} /> <code>{saga.saga_id}</code>{' '}
      {saga.attempts > 0 && <span class="faint">taken over {number(saga.attempts)} times</span>}
    </p>
    <ol class="steps">
      {saga.history.map(({ step, at }) => (
        <li key={step}>
          {step} <Time at={at} />
        </li>
      ))}
    </ol>
    {saga.last_error !== null && <p class="bad-text">{saga.last_error}</p>}
    {saga.dead_letter && (
      <div class="acts">
        <ActButton act={retrySagaAct(saga.saga_id)} />
        <ActButton act={revertSagaAct(saga.saga_id)} />
      </div>
    )}
  </li>
);

const Resolution = ({ review }: { review: ReviewView }) =>
  review.resolution === null ? (
    <Empty title={review.phase === 'failed' ? 'Failed without a resolution' : 'No resolution yet'} />
  ) : (
    <>
      <p class="lead">
        {words(review.resolution.action)} <Time at={review.resolution.at} />
      </p>
      <List title="Under these conditions" items={review.resolution.conditions} />
      <p>
        <strong>Cause:</strong> {review.resolution.root_cause}
      </p>
      <p class="pre">{review.resolution.reasoning}</p>
    </>
  );

/** An agreement before an operator, and what it said. */
const Confirmed = ({ confirmation }: { confirmation: ConfirmationView }) => (
  <Section title={confirmation.decision === 'open' ? 'Waiting for your confirmation' : 'Operator decision'}>
    {confirmation.decision === 'open' ? (
      <p>
        Both agree on <strong>{words(confirmation.action)}</strong> since <Time at={confirmation.since} />. You are
        asked because {confirmation.why}.
      </p>
    ) : (
      <p>
        {confirmation.operator} <strong>{confirmation.decision === 'accept' ? 'confirmed' : 'rejected'}</strong> it{' '}
        <Time at={confirmation.at} />: {confirmation.reason}
      </p>
    )}
  </Section>
);

/** What two agents say to each other is no event of the feed; it is asked for more often than the rest. */
const EVERY_MS = 2_000;

/** One review: its messages, what the two agree on, and how the result was carried out. */
export const ReviewPage = ({ id }: { id: string }) => {
  const loaded = useData<ReviewView>(`/api/reviews/${encodeURIComponent(id)}`, EVERY_MS);
  const review = loaded.data;
  const isOpen = review !== undefined && review.phase !== 'resolved' && review.phase !== 'failed';
  const toConfirm = review !== undefined && review.awaiting_confirmation_since !== null;
  return (
    <>
      <PageTitle title={review === undefined ? 'Review' : `Review of ${review.agent.name}`}>
        {review !== undefined && (
          <div class="acts">
            <Badge word={review.phase} />
            {review.awaiting_facilitation && <Badge word="waiting" />}
            {toConfirm && <ActButton act={confirmReviewAct(review)} />}
            {toConfirm && <ActButton act={rejectReviewAct(review)} />}
            {isOpen && !toConfirm && <ActButton act={assignReviewerAct(review)} />}
            {isOpen && <ActButton act={resumeAct(review.agent)} />}
          </div>
        )}
      </PageTitle>
      <ReadOnlyNote />
      <Shown loaded={loaded}>
        {(view) => (
          <>
            <Section title="Summary">
              <Facts
                facts={[
                  ['agent', <AgentLink key="agent" agent={view.agent} />],
                  ['reviewer', view.reviewer === null ? 'nobody yet' : <AgentLink key="by" agent={view.reviewer} />],
                  ...(view.reviewer_assigned_by === null
                    ? []
                    : ([['reviewer assigned by', `operator ${view.reviewer_assigned_by}`]] as const)),
                  ['reason', view.reason ?? '–'],
                  ['round', `${view.round} of ${view.max_rounds}`],
                  ['started', <Time key="started" at={view.created_at} />],
                  ['last message', <Time key="last" at={view.last_participant_at} />],
                  ...(view.facilitation_since === null
                    ? []
                    : ([['waiting for a person since', <Time key="waits" at={view.facilitation_since} />]] as const)),
                ]}
              />
            </Section>
            {view.confirmation !== null && <Confirmed confirmation={view.confirmation} />}
            <Section title="Messages">
              {view.transcript.length === 0 ? (
                <Empty title="No messages yet" />
              ) : (
                <ol class="transcript">
                  {view.transcript.map((message, index) => (
                    <Message key={index} message={message} />
                  ))}
                </ol>
              )}
            </Section>
            <div class="grid">
              <Section title="Agreement">
                {view.merge === null ? <Empty title="Waiting for both proposals" /> : <Merge merge={view.merge} />}
              </Section>
              <Section title="Resolution">
                <Resolution review={view} />
              </Section>
            </div>
            <Section title="Execution log">
              {view.sagas.length === 0 ? (
                <Empty title="Not executed yet" />
              ) : (
                <ul class="plain">
                  {view.sagas.map((saga) => (
                    <Saga key={saga.saga_id} saga={saga} />
                  ))}
                </ul>
              )}
            </Section>
          </>
        )}
      </Shown>
    </>
  );
};
