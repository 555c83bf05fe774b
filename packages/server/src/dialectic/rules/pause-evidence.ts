import type { Pause } from '../../agents/agent.ts';

/** Tells what a review is given of the pause that it is about; without a pause it says that there is nothing. */
export const pauseEvidence = (pause: Pause | null): Readonly<Record<string, unknown>> =>
  pause === null
    ? { schema: 'dialectic.pause_evidence.v1', evidence_status: 'unavailable' }
    : {
        schema: 'dialectic.pause_evidence.v1',
        evidence_status: 'available',
        observed_at: pause.paused_at,
        enforcement: { actuation_id: pause.actuation_id, sub_action: pause.sub_action },
        policy_evaluation: { reason: pause.reason },
        measurement: pause.evidence,
      };
