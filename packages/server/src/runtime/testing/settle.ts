/** Lets every promise that can go on go on: one turn of the event loop, after all microtasks. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
