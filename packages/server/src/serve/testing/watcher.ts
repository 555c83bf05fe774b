import { WebSocket, type ClientOptions } from 'ws';

/** A message of the feed. */
export type FeedMessage = Readonly<Record<string, unknown>>;

/** A client of the live feed that keeps what it is told. */
export interface Watcher {
  readonly socket: WebSocket;
  readonly messages: readonly FeedMessage[];
  /** The first message that passes, also one that came already; rejects when the connection ends before. */
  next(passes: (message: FeedMessage) => boolean): Promise<FeedMessage>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Why a watcher was not let in. */
export class NotLetIn extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Connects to the feed of a server, and waits for its greeting; rejects with {@link NotLetIn}. */
export const watch = async (
  url: string,
  options: ClientOptions & { readonly query?: string; readonly protocols?: string[] } = {},
): Promise<Watcher> => {
  const { query = '', protocols = [], ...rest } = options;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/eisv${query}`, protocols, rest);
  const messages: FeedMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as FeedMessage);
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => reject(new NotLetIn(response.statusCode ?? 0, body)));
    });
  });
  const next: Watcher['next'] = (passes) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = messages.find(passes);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void closed.then(({ code, reason }) => reject(new Error(`the feed ended with ${code} ${reason}`)));
    });
  await next(({ type }) => type === 'feed_ready');
  return { socket, messages, next, closed };
};
