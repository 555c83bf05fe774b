/** How many may watch the feed at a time. */
export interface FeedPlacesLimits {
  readonly all: number;
  /** Places that operators alone can take: the console must open in whatever crowd. */
  readonly forOperators: number;
  /** Places of one address without an operator's credential. */
  readonly ofAddress: number;
}

/** Who has a place at the feed, those who are about to become clients among them. */
export class FeedPlaces {
  readonly #limits: FeedPlacesLimits;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;
  #others = 0;

  constructor(limits: FeedPlacesLimits) {
    this.#limits = limits;
  }

  /** Takes a place, and gives the function that gives it back; undefined: there is none for such a caller. */
  take(isOperator: boolean, peer: string): (() => void) | undefined {
    const { all, forOperators, ofAddress } = this.#limits;
    const own = this.#byAddress.get(peer) ?? 0;
    if (this.#taken >= all) return undefined;
    if (!isOperator && (this.#others >= all - forOperators || own >= ofAddress)) return undefined;
    this.#taken += 1;
    if (!isOperator) {
      this.#others += 1;
      this.#byAddress.set(peer, own + 1);
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken -= 1;
      if (isOperator) return;
      this.#others -= 1;
      const left = (this.#byAddress.get(peer) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(peer);
      else this.#byAddress.set(peer, left);
    };
  }
}
