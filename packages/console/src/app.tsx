import { useEffect, useRef, useState } from 'preact/hooks';
import type { NowView, SessionView } from '@breakwater/contract/overview';
import { secret, session, signedOutBecause, signIn, signOut } from './api.ts';
import { clockTime } from './format.ts';
import { PAGES, shortcutsShown } from './keys.ts';
import type { Connection } from './live-rules.ts';
import { answeredAt, connection, useData } from './live.ts';
import { saidOfNew } from './needs.ts';
import { AgentPage } from './pages/agent.tsx';
import { AgentsPage } from './pages/agents.tsx';
import { CalibrationPage } from './pages/calibration.tsx';
import { ChannelPage } from './pages/channel.tsx';
import { FlagsPage } from './pages/flags.tsx';
import { KnowledgePage } from './pages/knowledge.tsx';
import { NowPage } from './pages/now.tsx';
import { ReviewPage } from './pages/review.tsx';
import { ReviewsPage } from './pages/reviews.tsx';
import { SystemPage } from './pages/system.tsx';
import { ActPlace } from './parts/act.tsx';
import { PageTitle } from './parts/basics.tsx';
import { Failed } from './parts/state.tsx';
import { addressOf, partsOf, route } from './router.ts';
import { theme, toggleTheme } from './theme.ts';

const saidOfConnection = (state: Connection): string => {
  const since = answeredAt.value === 0 ? '' : ` since ${clockTime(answeredAt.value)}`;
  switch (state) {
    case 'live':
      return 'Live';
    case 'connecting':
      return 'Connecting';
    case 'reconnecting':
      return 'Reconnecting';
    case 'polling':
      return 'Polling';
    case 'unavailable':
      return `Server not ready${since}`;
    case 'offline':
      return `Offline${since}`;
  }
};

const ConnectionMark = () => (
  <span class={`connection ${connection.value}`} role="status">
    <i aria-hidden="true" />
    {saidOfConnection(connection.value)}
  </span>
);

const Navigation = () => {
  const { path } = route.value;
  // What needs somebody is seen from every page.
  const { data } = useData<NowView>('/api/now');
  const needs = data === undefined ? 0 : data.needs.length + data.more_needs;
  const known = useRef<ReadonlySet<string>>(undefined);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (data === undefined) return;
    const news = saidOfNew(known.current, data.needs);
    if (news !== undefined) setSaid(news);
    known.current = new Set(data.needs.map(({ key }) => key));
  }, [data]);
  return (
    <nav aria-label="Pages">
      <p class="visually-hidden" role="status">
        {said}
      </p>
      <ul>
        {PAGES.map((page) => {
          const isHere = page.path === '/' ? path === '/' : path.startsWith(page.path);
          return (
            <li key={page.path}>
              <a href={addressOf(page.path)} aria-current={isHere ? 'page' : undefined}>
                {page.name}
                {page.path === '/' && needs > 0 && (
                  <span class="count" title={`${needs} need attention`}>
                    {needs}
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
};

const Header = () => (
  <header class="top">
    <a class="skip" href="#main">
      Skip to the page
    </a>
    <a class="brand" href={addressOf('/')}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M2 15c3 0 3-3 6-3s3 3 6 3 3-3 6-3 2 1 2 1M2 20c3 0 3-3 6-3s3 3 6 3 3-3 6-3 2 1 2 1M12 3v6" />
      </svg>
      <span>Breakwater</span>
    </a>
    <ConnectionMark />
    <div class="tools">
      <button
        type="button"
        class="quiet"
        onClick={toggleTheme}
        aria-label={theme.value === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
      >
        {theme.value === 'dark' ? '☀' : '☾'}
      </button>
      <button type="button" class="quiet" onClick={() => (shortcutsShown.value = true)} aria-label="Keyboard shortcuts">
        ?
      </button>
      {session.value?.operator != null && (
        <span
          class="who"
          title={`${session.value.operator.name}: ${session.value.operator.can_act ? 'may act' : 'read only'}`}
        >
          {session.value.operator.name}
          {!session.value.operator.can_act && ' (read only)'}
        </span>
      )}
      <button
        type="button"
        class="quiet"
        onClick={() => {
          signOut();
        }}
      >
        Sign out
      </button>
    </div>
  </header>
);

const Shortcuts = () => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={() => (shortcutsShown.value = false)} aria-labelledby="keys-title">
      <h2 id="keys-title">Keyboard shortcuts</h2>
      <dl class="facts">
        {PAGES.map(({ key, name }) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dd>
          </div>
        ))}
        <div>
          <dt>Row before or after, in a table</dt>
          <dd>
            <kbd>↑</kbd> <kbd>↓</kbd>
          </dd>
        </div>
        <div>
          <dt>Search</dt>
          <dd>
            <kbd>/</kbd>
          </dd>
        </div>
        <div>
          <dt>Send a dialog</dt>
          <dd>
            <kbd>Ctrl</kbd> <kbd>Enter</kbd>
          </dd>
        </div>
        <div>
          <dt>Close</dt>
          <dd>
            <kbd>Esc</kbd>
          </dd>
        </div>
      </dl>
      <form method="dialog" class="buttons">
        <button>Close</button>
      </form>
    </dialog>
  );
};

const SignInPage = () => {
  const [given, setGiven] = useState('');
  const [wrong, setWrong] = useState(false);
  const because = signedOutBecause.value;
  return (
    <main id="main" class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          // A whole link is as good as the secret that stands in it.
          const found = /bwo_[\w-]{20,}/.exec(given)?.[0];
          setWrong(found === undefined);
          if (found !== undefined) signIn(found);
        }}
      >
        <PageTitle title="Sign in" />
        {because !== undefined && (
          <p class="result bad" role="alert">
            {because}
          </p>
        )}
        <p>On the machine of the server, this prints a link that signs you in:</p>
        <pre>npm run breakwater -- console</pre>
        <div class="field">
          <label for="secret">Or paste the link, or an operator credential</label>
          <input
            id="secret"
            type="password"
            autoComplete="off"
            placeholder="bwo_…"
            value={given}
            aria-invalid={wrong}
            aria-describedby="secret-hint"
            onInput={({ currentTarget }) => {
              setGiven(currentTarget.value);
            }}
          />
          <small id="secret-hint" class={wrong ? 'bad-text' : 'faint'}>
            {wrong ? 'That is not a Breakwater credential (bwo_…).' : 'Kept for this tab only.'}
          </small>
        </div>
        <div class="buttons">
          <button type="submit" class="primary">
            Sign in
          </button>
        </div>
      </form>
    </main>
  );
};

const NotFound = () => (
  <>
    <PageTitle title="Page not found" />
    <p>
      Nothing is at this address. <a href={addressOf('/')}>Go to overview</a>
    </p>
  </>
);

const Page = () => {
  const [kind, id, ...more] = partsOf(route.value.path) ?? [];
  if (more.length > 0) return <NotFound />;
  if (id !== undefined) {
    if (kind === 'agents') return <AgentPage key={id} id={id} />;
    if (kind === 'reviews') return <ReviewPage key={id} id={id} />;
    return <NotFound />;
  }
  switch (kind) {
    case '':
      return <NowPage />;
    case 'agents':
      return <AgentsPage />;
    case 'reviews':
      return <ReviewsPage />;
    case 'knowledge':
      return <KnowledgePage />;
    case 'calibration':
      return <CalibrationPage />;
    case 'channel':
      return <ChannelPage />;
    case 'flags':
      return <FlagsPage />;
    case 'system':
      return <SystemPage />;
    default:
      return <NotFound />;
  }
};

/** Who is signed in is known before anything else is asked for. */
const SignedIn = () => {
  const { data, failure } = useData<SessionView>('/api/session', 60_000);
  useEffect(() => {
    session.value = data;
  }, [data]);
  return (
    <>
      <Header />
      <Navigation />
      <main id="main" tabIndex={-1}>
        {data === undefined && failure !== undefined ? <Failed failure={failure} /> : <Page />}
      </main>
      <ActPlace />
      {shortcutsShown.value && <Shortcuts />}
    </>
  );
};

/** The console. */
export const App = () =>
  // Another operator begins anew: nothing of the one before stays on the page.
  secret.value === undefined ? <SignInPage /> : <SignedIn key={secret.value} />;
