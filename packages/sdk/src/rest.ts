import { fetchWhole, type Transport, type TransportOptions } from './transport.ts';

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/** Calls tools by `POST /v1/tools/call`. It keeps no state, so a restart of the server is nothing to it. */
export const restTransport = (options: TransportOptions): Transport => {
  const url = new URL('v1/tools/call', options.base);
  return {
    exchange: (name, args, signal) =>
      fetchWhole(
        options,
        url,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json', ...options.headers },
          body: JSON.stringify({ name, arguments: args }),
          // The body holds the agent's secret, which is for this server and no other.
          redirect: 'error',
          signal,
        },
        async (response) => ({
          status: response.status,
          retryAfter: response.headers.get('retry-after'),
          body: parsed(await response.text()),
        }),
      ),
    close: () => Promise.resolve(),
  };
};
