/**
 * Named places where a crash is interesting: one on each side of every commit boundary. They cost one comparison while
 * nothing is armed, and are armed only by the environment of a process that is meant to die (`npm run crash`).
 */
export const FAULT_POINTS = [
  'checkin.received',
  'checkin.decided',
  'commit.before',
  'commit.sent',
  'commit.durable',
  'checkin.committed',
  'checkin.published',
  'onboard.before',
  'onboard.durable',
] as const;

/** On each side of every step of a resolution's saga. */
export const SAGA_FAULT_POINTS = [
  'saga.reserved',
  'saga.paused_agent_applied',
  'saga.both_agents_applied',
  'saga.before_commit',
  'saga.committed',
  'saga.reverting',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number] | (typeof SAGA_FAULT_POINTS)[number];

interface ArmedFault {
  readonly point: FaultPoint;
  /** Passes left before the fault fires. */
  left: number;
  readonly fire: () => void;
}

let armed: ArmedFault | undefined;

/** Arms one fault: it fires at the `nth` pass of `point`, once. */
export const armFault = (point: FaultPoint, nth: number, fire: () => void): void => {
  armed = { point, left: nth, fire };
};

export const disarmFault = (): void => {
  armed = undefined;
};

/** Marks a pass of a fault point. */
export const faultPoint = (point: FaultPoint): void => {
  if (armed === undefined || armed.point !== point) return;
  armed.left -= 1;
  if (armed.left > 0) return;
  const { fire } = armed;
  armed = undefined;
  fire();
};

/**
 * Arms the fault that the environment names, `BREAKWATER_FAULT=<point>:<nth>`: SIGKILL to itself. Throws on an unknown
 * point, so that a misspelt fault does not pass for a survived one.
 */
export const armFaultFromEnvironment = (env: NodeJS.ProcessEnv): void => {
  const text = env['BREAKWATER_FAULT'];
  if (text === undefined || text === '') return;
  const [name, nth] = text.split(':');
  const known: readonly FaultPoint[] = [...FAULT_POINTS, ...SAGA_FAULT_POINTS];
  const point = known.find((one) => one === name);
  const count = Number(nth ?? '1');
  if (point === undefined || !Number.isInteger(count) || count < 1) {
    throw new Error(`BREAKWATER_FAULT="${text}": expected <point>:<nth>, points: ${known.join(', ')}`);
  }
  armFault(point, count, () => process.kill(process.pid, 'SIGKILL'));
};
