/** Why the server cannot start, in one sentence, and what to do about it in another (BW-postgres.02). */
export class StartupError extends Error {
  readonly wayOut: string;

  constructor(message: string, wayOut: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupError';
    this.wayOut = wayOut;
  }
}
