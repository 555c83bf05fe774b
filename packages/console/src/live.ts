import { computed, signal, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { callTool, read, secret, signOut, type Answer, type Failure } from './api.ts';
import { concerns, connectionOf, isOld, paceOf, POLL_MS, type Connection } from './live-rules.ts';

/** What is known of one route, and how fresh it is. */
export interface Loaded<T> {
  /** What was asked for. While another part of a list is on its way, this is still the part before. */
  readonly key: string;
  readonly data: T | undefined;
  /** Why the newest request failed; undefined when it did not. */
  readonly failure: Failure | undefined;
  /** When `data` came, in ms since the epoch. */
  readonly at: number;
}

interface Entry {
  readonly key: string;
  readonly load: () => Promise<Answer<unknown>>;
  readonly state: Signal<Loaded<unknown>>;
  everyMs: number;
  watchers: number;
  askedAt: number;
  isAsking: boolean;
  /** Something happened while it was being asked for. */
  again: boolean;
}

const TICK_MS = 500;
/** However much happens, a route is asked for no more often than this. */
const LEAST_MS = 1_000;
const RECONNECT_MS = 2_000;

const entries = new Map<string, Entry>();
const socketIsOpen = signal(false);
const socketLostAt = signal<number | undefined>(undefined);
const lastFailure = signal<Failure | undefined>(undefined);
/** When the server answered last, in ms since the epoch; 0: never yet. */
export const answeredAt = signal(0);
/** Ticks twice a second, for ages and stale marks. */
export const now = signal(Date.now());

/** How the page hears of the server. */
export const connection = computed<Connection>(() =>
  connectionOf(
    {
      failure: lastFailure.value,
      answeredAt: answeredAt.value,
      feedIsOpen: socketIsOpen.value,
      feedLostAt: socketLostAt.value,
    },
    now.value,
  ),
);

const ask = async (entry: Entry): Promise<void> => {
  if (entry.isAsking) {
    entry.again = true;
    return;
  }
  entry.isAsking = true;
  entry.again = false;
  entry.askedAt = Date.now();
  const asker = secret.value;
  const answer = await entry.load();
  entry.isAsking = false;
  // Whoever has signed in meanwhile is neither shown this nor signed out by it.
  if (secret.value !== asker) return;
  const before = entry.state.value;
  if (answer.ok) {
    answeredAt.value = Date.now();
    lastFailure.value = undefined;
    // The same answer leaves what is shown alone.
    const isSame = JSON.stringify(before.data) === JSON.stringify(answer.value);
    entry.state.value = {
      key: entry.key,
      data: isSame ? before.data : answer.value,
      failure: undefined,
      at: Date.now(),
    };
    return;
  }
  const { failure } = answer;
  if (failure.kind === 'signed_out') signOut(failure.message);
  if (failure.kind === 'offline' || failure.kind === 'unavailable') lastFailure.value = failure;
  else answeredAt.value = Date.now();
  entry.state.value = { ...before, failure };
};

const tick = (): void => {
  now.value = Date.now();
  for (const entry of entries.values()) {
    if (entry.watchers === 0) continue;
    const age = now.value - entry.askedAt;
    if (age >= paceOf(entry.everyMs, document.hidden, socketIsOpen.value) || (entry.again && age >= LEAST_MS))
      void ask(entry);
  }
};

/** Something happened: what is shown and follows it is asked for again, at once when it was not just now. */
const happened = (message?: unknown): void => {
  // Where nobody looks, the slow pace of a hidden page does.
  if (document.hidden) return;
  for (const entry of entries.values()) {
    if (entry.watchers === 0 || entry.everyMs > POLL_MS || !concerns(entry.key, message)) continue;
    if (Date.now() - entry.askedAt >= LEAST_MS) void ask(entry);
    else entry.again = true;
  }
};

/** Asks for everything that is shown again, after an act. */
export const refresh = (): void => {
  for (const entry of entries.values()) if (entry.watchers > 0) void ask(entry);
};

let socket: WebSocket | undefined;

const connect = (): void => {
  if (secret.value === undefined || document.hidden) return;
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/eisv`;
  // A page cannot send a header here; the server takes the credential as a subprotocol.
  const opened = new WebSocket(url, ['breakwater', `bearer.${secret.value}`]);
  socket = opened;
  opened.onopen = () => {
    socketIsOpen.value = true;
    socketLostAt.value = undefined;
    happened();
  };
  opened.onmessage = ({ data }: MessageEvent<string>) => {
    happened(JSON.parse(data));
  };
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = undefined;
    if (socketIsOpen.value) socketLostAt.value = Date.now();
    socketIsOpen.value = false;
  };
};

/** Follows the server for as long as the page lives. */
export const startLive = (): void => {
  setInterval(tick, TICK_MS);
  setInterval(() => {
    if (socket === undefined) connect();
  }, RECONNECT_MS);
  secret.subscribe(() => {
    socket?.close();
    socket = undefined;
    socketIsOpen.value = false;
    socketLostAt.value = undefined;
    entries.clear();
    connect();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) happened();
  });
};

const entryOf = (key: string, load: Entry['load'], everyMs: number): Entry => {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = {
      key,
      load,
      state: signal<Loaded<unknown>>({ key, data: undefined, failure: undefined, at: 0 }),
      everyMs,
      watchers: 0,
      askedAt: 0,
      isAsking: false,
      again: false,
    };
    entries.set(key, entry);
  }
  return entry;
};

const useEntry = <T>(key: string, load: Entry['load'], everyMs: number): Loaded<T> => {
  const entry = useMemo(() => entryOf(key, load, everyMs), [key, everyMs]);
  useEffect(() => {
    // Another place of the page that left just now may have taken it out.
    entries.set(key, entry);
    entry.watchers += 1;
    if (Date.now() - entry.askedAt >= LEAST_MS) void ask(entry);
    return () => {
      entry.watchers -= 1;
      // What nobody looks at is old when somebody looks again.
      if (entry.watchers === 0 && entries.get(key) === entry) entries.delete(key);
    };
  }, [entry]);
  const state = entry.state.value as Loaded<T>;
  const last = useRef<{ readonly source: string; readonly state: Loaded<T> }>(undefined);
  const source = key.split('?', 1)[0] ?? key;
  if (state.data !== undefined) last.current = { source, state };
  // While another page of the same list is on its way, the one before stays; where there is no other, it would be a lie.
  else if (last.current?.source === source && state.failure?.kind !== 'refused') {
    return { ...last.current.state, failure: state.failure };
  }
  return state;
};

/** What a route says, kept fresh while it is shown; `everyMs` above 5 s: it does not follow each event. */
export const useData = <T>(path: string, everyMs = POLL_MS): Loaded<T> => useEntry(path, () => read(path), everyMs);

/** What a tool that only reads says, kept fresh in the same way. */
export const useTool = <T>(name: string, args: Readonly<Record<string, unknown>>, everyMs = POLL_MS): Loaded<T> =>
  useEntry(`${name}?${JSON.stringify(args)}`, () => callTool(name, args), everyMs);

/** Whether what is shown is older than it should be. */
export const isStale = ({ at, data }: Loaded<unknown>, everyMs = POLL_MS): boolean =>
  data !== undefined && isOld(at, now.value, everyMs);
