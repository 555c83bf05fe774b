/**
 * Ids of findings: the instant of birth, ISO 8601 in UTC to the microsecond, each later than the one before. Two servers can
 * still give the same one; whoever stores it second takes another.
 */
export class FindingIds {
  #last = 0;

  /** `now` in ms since the epoch. */
  next(now: number): string {
    this.#last = Math.max(Math.floor(now) * 1000, this.#last + 1);
    const micros = String(this.#last % 1000).padStart(3, '0');
    return new Date(Math.floor(this.#last / 1000)).toISOString().replace('Z', `${micros}Z`);
  }
}
