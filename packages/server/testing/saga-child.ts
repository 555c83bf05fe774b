import {
  Computation,
  Dialectic,
  ReviewDuties,
  Saga,
  type ClaimsReview,
  type SagaPayload,
} from '../src/dialectic/index.ts';
import type { Decision } from '../src/dialectic/rules/confirmation.ts';
import type { SynthesisSubmission } from '../src/dialectic/rules/synthesis.ts';
import type { Session } from '../src/dialectic/session.ts';
import { lockSession } from '../src/dialectic/sql.ts';
import { createNotifier, openDatabase, type ConnectionTarget } from '../src/postgres/index.ts';
import { systemClock, systemIds, type FaultPoint } from '../src/runtime/index.ts';
import { armFault } from '../src/runtime/testing/faults.ts';
import { testNode } from './node.ts';

/** What the process is to do; a process of its own, so that it can be killed or held at a fault point. */
export interface Task {
  readonly target: ConnectionTarget;
  readonly act:
    | { readonly kind: 'carry'; readonly session: Session; readonly payload: SagaPayload }
    | { readonly kind: 'agree'; readonly sessionId: string; readonly said: SynthesisSubmission }
    | { readonly kind: 'confirm'; readonly sessionId: string; readonly said: Decision }
    | { readonly kind: 'recover' };
  readonly at?: { readonly point: FaultPoint; readonly signal: 'SIGKILL' | 'SIGSTOP' };
}

/** Does the task in a node without memory, and prints what came of it as one line of JSON. */
const main = async ({ target, act, at }: Task): Promise<void> => {
  const database = openDatabase({ target, onError: () => undefined });
  const node = await testNode(database);
  const notifier = createNotifier({ database, nodeId: systemIds.uuid(), clock: systemClock, onError: () => undefined });
  const saga = new Saga({
    database,
    agents: node.agents,
    clock: systemClock,
    ids: systemIds,
    notifier,
    onDeadLetter: () => undefined,
  });
  const dialectic = new Dialectic({
    database,
    claimsReview: () => node.flags.get('claims_review').value as ClaimsReview,
    duties: new ReviewDuties({ database, notifier }),
    agents: node.agents,
    saga,
    clock: systemClock,
    random: () => 0,
    computation: new Computation({ clock: systemClock, random: () => 0, onFailure: () => undefined }),
    secret: () => Buffer.alloc(32, 1),
    onCrash: () => undefined,
  });
  if (at !== undefined) armFault(at.point, 1, () => process.kill(process.pid, at.signal));
  const deadline = systemClock.now() + 60_000;
  const done = async () => {
    if (act.kind === 'agree') return dialectic.submitSynthesis(act.sessionId, act.said, deadline);
    if (act.kind === 'confirm') return dialectic.confirm(act.sessionId, act.said, deadline);
    if (act.kind === 'recover') {
      const ends = await saga.recover(true);
      await dialectic.driveAgreed(deadline);
      return { ends, delivered: await saga.deliver() };
    }
    const row = await database.transaction(async (tx) => {
      await tx.query(lockSession(act.session.sessionId));
      return saga.reserve(tx, act.session, act.payload);
    });
    return row === undefined ? null : saga.drive(row);
  };
  process.stdout.write(JSON.stringify(await done()));
  await dialectic.stop();
  await node.stop();
  await notifier.stop();
  await database.close();
};

await main(JSON.parse(process.argv[2] ?? '') as Task);
