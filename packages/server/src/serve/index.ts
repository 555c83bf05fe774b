/** Floor 6: the transports. They turn wire into calls and results into wire, and decide nothing else. */
export { assertSafeBinding } from './auth.ts';
export { createHttpServer, ListenError, type HttpServer } from './http.ts';
export { createMetrics, type Gauges, type Metrics, type Operation } from './metrics.ts';
export { serverTools } from './tools.ts';
export { runStdio, type StdioOptions } from './stdio.ts';
export type { McpSessions, ReadLive, ServeOptions, ToolDispatch, ToolListing } from './ports.ts';
