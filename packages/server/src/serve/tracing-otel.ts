import { hash } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Crossing, TracedWork } from '../runtime/index.ts';
import { oneHeader } from './evidence.ts';
import { readTraceContext, type RemoteSpan } from './trace-context.ts';
import type { OperationSpan, TracedOperation, Tracing, TracingOptions } from './tracing.ts';

const QUEUE = 2048;
const BATCH = 512;
const EVERY_MS = 2_000;
const EXPORT_MS = 5_000;
const FAREWELL_MS = 1_000;
const MAX_ID = 128;
const OK = 0;
const REVISION = /^\d{4}-\d{2}-\d{2}$/;
const KINDS = { client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** The name of a session for those who may not use it: the id itself is a secret. */
const sessionDigest = (session: string): string => hash('sha256', session).slice(0, 32);

const rpcIdOf = (id: unknown): string | undefined =>
  typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, MAX_ID) : undefined;

const attributesOf = (operation: TracedOperation): Attributes => {
  const { method, transport, headers, httpVersion, local, session, requestId } = operation;
  const rpcId = rpcIdOf(operation.rpcId);
  const revision = oneHeader(headers, 'mcp-protocol-version');
  return {
    'mcp.method.name': method,
    ...(method === 'tools/call' && { 'gen_ai.operation.name': 'execute_tool' }),
    ...(rpcId !== undefined && { 'jsonrpc.request.id': rpcId }),
    ...(session !== undefined && { 'mcp.session.id': sessionDigest(session) }),
    ...(revision !== undefined && REVISION.test(revision) && { 'mcp.protocol.version': revision }),
    'network.transport': local ? 'unix' : 'tcp',
    'network.protocol.name': 'http',
    'network.protocol.version': httpVersion,
    'breakwater.transport': transport,
    'breakwater.request.id': requestId,
  };
};

const contextOf = ({ traceId, spanId, sampled }: RemoteSpan): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
});

/** What the message itself carries is the parent; what its transport carries beside it is a link (conventions for MCP). */
const originOf = ({
  meta,
  headers,
}: TracedOperation): { parent: RemoteSpan | undefined; link: RemoteSpan | undefined } => {
  const carried = typeof meta === 'object' && meta !== null ? (meta as Readonly<Record<string, unknown>>) : {};
  const message = readTraceContext(carried['traceparent']);
  const transport = readTraceContext(oneHeader(headers, 'traceparent'));
  return message === undefined ? { parent: transport, link: undefined } : { parent: message, link: transport };
};

const fail = (span: Span, failure: string): void => {
  span.setAttribute('error.type', failure);
  span.setStatus({ code: SpanStatusCode.ERROR });
};

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** One request's span, and those of its crossings below it. */
class OtelOperation implements OperationSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #method: string;

  constructor(tracer: Tracer, span: Span, method: string) {
    this.#tracer = tracer;
    this.#span = span;
    this.#method = method;
  }

  cross({ name, kind, attributes }: TracedWork): Crossing | undefined {
    // Nor is it after its end: what a request left behind goes on in timers and queues that serve others.
    if (!this.#span.isRecording()) return undefined;
    const below = trace.setSpan(ROOT_CONTEXT, this.#span);
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes }, below);
    return {
      traceparent: traceparentOf(span.spanContext()),
      end(failure) {
        if (failure !== undefined) fail(span, failure);
        span.end();
      },
    };
  }

  end({ tool, errorType, errorCode }: Parameters<OperationSpan['end']>[0]): void {
    if (tool !== undefined) {
      this.#span.updateName(`${this.#method} ${tool}`);
      this.#span.setAttribute('gen_ai.tool.name', tool);
    }
    if (errorCode !== undefined) this.#span.setAttribute('breakwater.error.code', errorCode);
    if (errorType !== undefined) fail(this.#span, errorType);
    this.#span.end();
  }
}

/**
 * Hands spans on to be exported in batches, up to a bound: beyond it they are dropped, and counted. The SDK's own bound
 * counts for nobody.
 */
const bounded = (exporter: SpanExporter, queue: number, onError: (error: Error) => void) => {
  const counts = { exported: 0, dropped: 0, failed: 0 };
  let waiting = 0;
  let away = false;
  const counting: SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        waiting -= spans.length;
        const code: number = result.code;
        const taken = code === OK;
        if (taken) counts.exported += spans.length;
        else {
          counts.failed += spans.length;
          if (!away) onError(result.error ?? new Error('The collector did not take the spans.'));
        }
        away = !taken;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: queue,
    maxExportBatchSize: Math.min(BATCH, queue),
    scheduledDelayMillis: EVERY_MS,
    exportTimeoutMillis: 2 * EXPORT_MS,
  });
  const processor: SpanProcessor = {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span: ReadableSpan) {
      if (waiting >= queue) {
        counts.dropped += 1;
        return;
      }
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
  return { processor, counts };
};

/**
 * Traces by the semantic conventions for MCP: one SERVER span for an operation, named by its method and tool, and below it
 * one for each boundary that the call crosses (W3-6.10). A refused tool is an error there (BW-serve.07). `exporter` and
 * `queue` are for tests.
 */
export const createTracing = (
  options: TracingOptions & { readonly exporter?: SpanExporter; readonly queue?: number },
): Tracing => {
  const { endpoint, ratio, version, instanceId, clock, onError } = options;
  const exporter =
    options.exporter ??
    new OTLPTraceExporter({
      url: `${endpoint.origin}${endpoint.pathname.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_MS,
    });
  const { processor, counts } = bounded(exporter, options.queue ?? QUEUE, onError);
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    resource: resourceFromAttributes({
      'service.name': 'breakwater',
      'service.version': version,
      'service.instance.id': instanceId,
    }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('breakwater', version);
  return {
    begin(operation) {
      const { parent, link } = originOf(operation);
      const span = tracer.startSpan(
        operation.method,
        {
          kind: SpanKind.SERVER,
          attributes: attributesOf(operation),
          ...(link !== undefined && { links: [{ context: contextOf(link) }] }),
        },
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)),
      );
      return new OtelOperation(tracer, span, operation.method);
    },
    counts,
    async stop() {
      const late = Promise.withResolvers<undefined>();
      const timer = clock.after(FAREWELL_MS, () => late.resolve(undefined));
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      timer.cancel();
    },
  };
};
