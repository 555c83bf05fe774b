import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import { ALIASES, FAILURE_EVENTS } from '@breakwater/contract';
import { pino, type Logger } from 'pino';
import { Agents, expiredPauses, pruneWorkingData } from '../agents/index.ts';
import { createBaselines } from '../baselines/index.ts';
import { createChannel } from '../channel/index.ts';
import { CheckIns, checkInTools, DEFAULT_LOOP_LIMITS, memoryCodec, type Memory } from '../checkin/index.ts';
import { Dispatcher } from '../dispatch/index.ts';
import { createFlags } from '../flags/index.ts';
import { Identity, identityTools } from '../identity/index.ts';
import { Outcomes, outcomeTools, viewEvidence } from '../outcomes/index.ts';
import {
  createNotifier,
  createTryLock,
  migrate,
  openDatabase,
  partitionJob,
  ensurePartitions,
  startEmbedded,
  type Database,
} from '../postgres/index.ts';
import { LoopMonitor, Readiness, Supervisor, systemClock, systemIds, Ticker, type Clock, type Ids } from '../runtime/index.ts';
import { createHttpServer, createMetrics, serverTools } from '../serve/index.ts';
import type { Config } from './settings.ts';
import { VERSION } from './version.ts';

/** A running node. */
export interface Node {
  readonly url: string;
  readonly embedded: boolean;
  /** How the database is called in messages: a path or a host, never a password. */
  readonly database: string;
  /** Milliseconds from the call of {@link startNode} until dispatch opened. */
  readonly readyMs: number;
  /** Drains and stops everything that was started; idempotent. */
  stop(): Promise<void>;
}

const RECONCILE_MS = 300_000;
const LOOP_DELAY_LIMIT_MS = 250;
`` 
