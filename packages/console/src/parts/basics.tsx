import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { AgentRef } from '@breakwater/contract/overview';
import { exactTime, relativeTime, words } from '../format.ts';
import { now } from '../live.ts';
import { addressOf } from '../router.ts';

/** The heading of a page; it takes the focus when the page opens, so that a screen reader says where one is. */
export const PageTitle = ({ title, children }: { title: string; children?: ComponentChildren }) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Breakwater`;
    // Who is typing on the new page already is not interrupted.
    const isBusy = document.activeElement?.closest('main') != null;
    if (!isBusy) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <header class="page-title">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </header>
  );
};

/** When something was, in words, and in full for who points at it. */
export const Time = ({ at }: { at: string | null | undefined }) =>
  at == null ? (
    <span class="faint">–</span>
  ) : (
    <time dateTime={at} title={exactTime(at)}>
      {relativeTime(at, now.value)}
    </time>
  );

const TONES: Readonly<Record<string, string>> = {
  active: 'good',
  proceed: 'good',
  resolved: 'good',
  'in force': 'good',
  safe: 'good',
  calibrated: 'good',
  ready: 'good',
  paused: 'bad',
  held: 'bad',
  pause: 'bad',
  reject: 'bad',
  failed: 'bad',
  critical: 'bad',
  miscalibrated: 'bad',
  'high-risk': 'bad',
  'not ready': 'bad',
  'failed permanently': 'bad',
  guide: 'warn',
  caution: 'warn',
  warning: 'warn',
  stuck: 'warn',
  waiting: 'warn',
  waiting_input: 'warn',
  signal_stale: 'warn',
  undecided: 'warn',
};

/** A status in a word and a tone; the word alone says it, too. */
export const Badge = ({ word }: { word: string }) => (
  <span class={`badge ${TONES[word] ?? 'neutral'}`}>{words(word)}</span>
);

/** An agent by its name, as a link. */
export const AgentLink = ({ agent }: { agent: AgentRef }) => (
  <a href={addressOf(`/agents/${encodeURIComponent(agent.agent_id)}`)}>{agent.name}</a>
);

/** A part of a page under a heading of its own. */
export const Section = ({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) => (
  <section class="card" aria-label={title}>
    <div class="card-head">
      <h2>{title}</h2>
      {aside}
    </div>
    {children}
  </section>
);

/** Facts with their names. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) => (
  <dl class="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value ?? <span class="faint">not known</span>}</dd>
      </div>
    ))}
  </dl>
);
