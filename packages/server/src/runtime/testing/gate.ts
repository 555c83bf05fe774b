/** A promise that a test opens or breaks by hand. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
  fail(error: Error): void;
}

export const createGate = (): Gate => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { passed: promise, open: () => resolve(), fail: reject };
};
