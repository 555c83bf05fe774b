/**
 * A fact that lets a call act, as memory had it when the call was looked at. Memory may be a moment behind another node, so
 * PostgreSQL is asked again where the call's write commits (BW-nodes.01).
 */
export interface Ground {
  /**
   * `credential`: the one with this hash is not revoked, and belongs to the agent `is` (null: to an operator).
   * `hold`: the agent `key`, from whom another one descends, is under the pause `is` (null: under none).
   */
  readonly kind: 'credential' | 'hold';
  readonly key: string;
  readonly is: string | null;
}

export const NO_GROUNDS: readonly Ground[] = Object.freeze([]);
