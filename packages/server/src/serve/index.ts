/** Floor 6: the transports. They turn wire into calls and results into wire, and decide nothing else. */
export { assertSafeBinding } from './auth.ts';
export { boundedReading } from './bounded-reading.ts';
export { createHttpServer, ListenError, type HttpServer } from './http.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createPeerAttestor } from './peer.ts';
export { serverTools } from './tools.ts';
export { runStdio, type StdioOptions } from './stdio.ts';
export { startTracing } from './tracing.ts';
export type { McpSessions, ReadLive, ServeOptions, ToolDispatch } from './ports.ts';
