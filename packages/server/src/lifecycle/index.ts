/** Lifecycle: who may change an agent's standing, and the tools by which agents and operators do. */
export { liveSignals, type LiveSignal } from './rules/signs-of-life.ts';
export { ownHold, holdText, refuseHeld, refusedAct } from './rules/acts.ts';
export { nextStep } from './rules/next-step.ts';
export { reactivate } from './rules/standing.ts';
export { Lifecycle } from './service.ts';
export { viewerOf, visibleId, visibleName, visibleText, type Viewer } from './rules/redaction.ts';
export { stuckAfter } from './rules/sweep.ts';
