import { signal } from '@preact/signals';

/** Where the console lives; the server answers every address below it with the page. */
const BASE = '/dashboard';

/** The address without its base: `/agents/…`, with the query apart. */
export interface Route {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The route of an address of this server. */
const routeOf = (pathname: string, search: string): Route => {
  const below = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
  const path = below.replace(/\/+$/, '');
  return { path: path === '' ? '/' : path, query: new URLSearchParams(search) };
};

/** The parts of a path, as their names are; undefined: it is encoded wrongly, and leads nowhere. */
export const partsOf = (path: string): readonly string[] | undefined => {
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
};

/** The address of a page, with those parameters of its query that say something. */
export const addressOf = (path: string, query: Readonly<Record<string, string | number | undefined>> = {}): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `${BASE}${path === '/' ? '/' : path}${text === '' ? '' : `?${text}`}`;
};

/** Where the reader is. */
export const route = signal<Route>({ path: '/', query: new URLSearchParams() });

const read = (): void => {
  route.value = routeOf(location.pathname, location.search);
};

/** How long a page that is gone back to may take until it is as long as it was. */
const RESTORE_MS = 3_000;

/** Scrolls to where the reader left a page, as soon as the page is long enough again: what it lists has yet to come. */
const restoreScroll = (top: number): void => {
  const reaches = (): boolean => document.documentElement.scrollHeight >= top + innerHeight;
  const watch = new ResizeObserver(() => {
    if (!reaches()) return;
    watch.disconnect();
    scrollTo(0, top);
  });
  watch.observe(document.body);
  setTimeout(() => {
    watch.disconnect();
  }, RESTORE_MS);
};

/** Goes to an address. `replace`: without a step back, for what is typed or chosen on a page. */
export const navigate = (address: string, how: { readonly replace?: boolean } = {}): void => {
  if (how.replace === true) history.replaceState(null, '', address);
  else {
    history.replaceState({ top: scrollY }, '');
    history.pushState(null, '', address);
    scrollTo(0, 0);
  }
  read();
};

/** Follows the browser's address, and takes clicks on links of the console. */
export const startRouter = (): void => {
  read();
  // The browser restores before anything is loaded, and so never far down.
  history.scrollRestoration = 'manual';
  addEventListener('popstate', ({ state }) => {
    read();
    restoreScroll((state as { readonly top?: number } | null)?.top ?? 0);
  });
  addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.origin !== location.origin) return;
    if (!link.pathname.startsWith(`${BASE}/`) || link.hash !== '') return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
};
