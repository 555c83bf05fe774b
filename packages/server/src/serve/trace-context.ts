/** Where a trace comes from: the span of a caller, as W3C Trace Context carries it. */
export interface RemoteSpan {
  /** 32 and 16 lower-case hex digits, neither of them all zero. */
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the caller keeps this trace. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_PARENT = 256;
const SAMPLED = 1;

/**
 * Reads a `traceparent`; undefined for anything that is none, which then begins a trace of its own. A
 * later version may say more than this one knows; what it shares with this one is read.
 */
export const readTraceContext = (parent: unknown): RemoteSpan | undefined => {
  if (typeof parent !== 'string' || parent.length > MAX_PARENT) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(parent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
};
