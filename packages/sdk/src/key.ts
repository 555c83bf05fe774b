const BYTES = 16;

/** A key under which the server does a call once. (`crypto.randomUUID` is missing in browsers without TLS.) */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
