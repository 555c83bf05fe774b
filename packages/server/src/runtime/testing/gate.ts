/** A promise that a test opens or breaks by hand. */
export interface Gate {
  readonly passed: Promise<undefined>;
  open(): void;
  fail(error: Error): void;
}

export const createGate = (): Gate => {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  return { passed: promise, open: () => resolve(undefined), fail: (error) => reject(error) };
};
