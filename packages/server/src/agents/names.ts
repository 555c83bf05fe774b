const NOBODY: readonly string[] = [];

/** Which agents bear which name. Most names have one bearer, who is kept without a set of its own. */
export class Names {
  readonly #bearers = new Map<string, string | Set<string>>();

  /** Ids of the agents that bear exactly this name. */
  of(name: string): readonly string[] {
    const bearers = this.#bearers.get(name);
    if (bearers === undefined) return NOBODY;
    return typeof bearers === 'string' ? [bearers] : [...bearers];
  }

  /** An agent has another name than before; null is none. */
  changed(agentId: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (before !== null) this.#lose(agentId, before);
    if (after === null) return;
    const bearers = this.#bearers.get(after);
    if (bearers === undefined) this.#bearers.set(after, agentId);
    else if (typeof bearers !== 'string') bearers.add(agentId);
    else if (bearers !== agentId) this.#bearers.set(after, new Set([bearers, agentId]));
  }

  #lose(agentId: string, name: string): void {
    const bearers = this.#bearers.get(name);
    if (bearers === agentId) this.#bearers.delete(name);
    else if (bearers instanceof Set) {
      bearers.delete(agentId);
      if (bearers.size === 0) this.#bearers.delete(name);
    }
  }
}
