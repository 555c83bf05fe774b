/** The claims detector, for tests that hold its guarantee against simulated claims. */
export { claimsValue, freshClaims, observeClaim } from '../rules/claims.ts';
