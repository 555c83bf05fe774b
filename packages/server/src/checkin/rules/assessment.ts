import type { Health, TaskType, VerdictWord } from '@breakwater/contract';
import { deviations, isBaselined, trend, velocity, type Behaviour, type Eisv } from './behaviour.ts';
import { appended, clamp, mean } from './numbers.ts';

/** The risk's parts, each with its weight already applied (spec checkin 2.8). */
export interface RiskComponents {
  readonly low_E: number;
  readonly low_I: number;
  readonly high_S: number;
  readonly high_V: number;
  readonly adversarial_rho: number;
  readonly high_CE: number;
}
type RiskComponent = keyof RiskComponents;

/** The most that each part can add to the risk. */
export const COMPONENT_WEIGHTS: RiskComponents = {
  low_E: 0.3,
  low_I: 0.3,
  high_S: 0.2,
  high_V: 0.2,
  adversarial_rho: 0.15,
  high_CE: 0.1,
};

interface Assessment {
  /** 0 to 1, before the state's velocity is added. */
  readonly risk: number;
  readonly verdict: VerdictWord;
  readonly health: Health;
  readonly components: RiskComponents;
  /** ρ brought to 0 to 1. */
  readonly updateCoherence: number;
}

const verdictOf = (risk: number): VerdictWord => (risk < 0.35 ? 'safe' : risk < 0.6 ? 'caution' : 'high-risk');

const healthOf = (risk: number): Health =>
  risk < 0.2 ? 'healthy' : risk < 0.35 ? 'moderate' : risk < 0.6 ? 'at_risk' : 'critical';

/** 0 at the edge of the healthy basin, 1 at the edge of danger, linear between. */
const gate = (value: number, healthy: number, danger: number): number => clamp((value - healthy) / (danger - healthy));

type DimensionRisks = Pick<RiskComponents, 'low_E' | 'low_I' | 'high_S' | 'high_V'>;

const againstFixedLimits = ({ E, I, S, V }: Eisv, convergent: boolean): DimensionRisks => {
  const limit = convergent ? 0.6 : 0.5;
  const v = Math.abs(V);
  return {
    low_E: E < 0.4 ? (0.3 * (0.4 - E)) / 0.4 : 0,
    low_I: I < 0.4 ? (0.3 * (0.4 - I)) / 0.4 : 0,
    high_S: S > limit ? 0.2 * Math.min(1, (S - limit) / (1 - limit)) : 0,
    high_V: v > 0.15 ? 0.2 * Math.min(1, (v - 0.15) / 0.85) : 0,
  };
};

const againstOwnBaseline = ({ E, I, S, V }: Eisv, z: Eisv, convergent: boolean): DimensionRisks => {
  const severity = (distance: number, sigma: number) =>
    distance > sigma ? Math.min(1, (distance - sigma) / (3 - sigma)) : 0;
  return {
    low_E: 0.3 * severity(-z.E, 1.5) * gate(E, 0.6, 0.3),
    low_I: 0.3 * severity(-z.I, 1.5) * gate(I, 0.7, 0.3),
    high_S: 0.2 * severity(z.S, convergent ? 2 : 1.5) * gate(S, 0.25, 0.7),
    high_V: 0.2 * severity(Math.abs(z.V), 1.5) * gate(Math.abs(V), 0.15, 0.5),
  };
};

/** Danger that no baseline excuses. */
const absoluteFloors = ({ E, I, S, V }: Eisv): DimensionRisks => {
  const v = Math.abs(V);
  return {
    low_E: E < 0.3 ? (0.3 * (0.3 - E)) / 0.3 : 0,
    low_I: I < 0.3 ? (0.3 * (0.3 - I)) / 0.3 : 0,
    high_S: S > 0.7 ? 0.2 * Math.min(1, (S - 0.7) / 0.3) : 0,
    high_V: v > 0.5 ? 0.2 * Math.min(1, (v - 0.5) / 0.5) : 0,
  };
};

/** Assesses a state: against fixed limits until it has a baseline of its own, against that baseline from then on. */
export const assess = (state: Behaviour, rho: number, continuityEnergy: number, task: TaskType): Assessment => {
  const convergent = task === 'convergent';
  const relative = isBaselined(state.count)
    ? againstOwnBaseline(state, deviations(state), convergent)
    : againstFixedLimits(state, convergent);
  const floor = absoluteFloors(state);
  const components: RiskComponents = {
    low_E: Math.max(relative.low_E, floor.low_E),
    low_I: Math.max(relative.low_I, floor.low_I),
    high_S: Math.max(relative.high_S, floor.high_S),
    high_V: Math.max(relative.high_V, floor.high_V),
    adversarial_rho: rho < -0.2 ? 0.15 * Math.min(1, (-0.2 - rho) / 0.8) : 0,
    high_CE: continuityEnergy > 0.5 ? 0.1 * Math.min(1, (continuityEnergy - 0.5) / 1.5) : 0,
  };
  const improving = state.count >= 5 && trend(state.history.E) > 0.005 && trend(state.history.I) > 0.005;
  const total =
    components.low_E +
    components.low_I +
    components.high_S +
    components.high_V +
    components.adversarial_rho +
    components.high_CE;
  const risk = clamp(total - (improving ? 0.05 : 0));
  return { risk, verdict: verdictOf(risk), health: healthOf(risk), components, updateCoherence: (1 + rho) / 2 };
};

/** Final risk: a state that moves fast is riskier than its place; judged once there are three states. */
export const finalRisk = (risk: number, state: Behaviour): number =>
  state.count < 3 ? risk : clamp(risk + Math.min(0.15, 2 * velocity(state)));

const GATED_WINDOW = 10;

/** The final risks that the gated one is the mean of, with the newest added. */
export const withFinalRisk = (finals: readonly number[], final: number): number[] =>
  appended(finals, final, GATED_WINDOW);

export const gatedRisk = (finals: readonly number[]): number => mean(finals);

/** The part that adds most to the risk, or undefined when none adds anything. */
export const leadingComponent = (components: RiskComponents): RiskComponent | undefined => {
  let leading: RiskComponent | undefined;
  let most = 0;
  for (const name of Object.keys(COMPONENT_WEIGHTS) as RiskComponent[]) {
    if (components[name] > most) {
      most = components[name];
      leading = name;
    }
  }
  return leading;
};
