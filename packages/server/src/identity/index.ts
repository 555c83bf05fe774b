/** Identity: finds out which agent is calling, and hands out identities. */
export {
  createOperator,
  dissolveOperator,
  listOperators,
  operatorSecret,
  operatorState,
  revokeOperator,
  type OperatorCredential,
  type OperatorScope,
} from './operators.ts';
export { credentialHash } from './binding.ts';
export { Bindings } from './bindings.ts';
export { LineageSweep } from './lineage-sweep.ts';
export type { Mode } from './rules/pin.ts';
export { serverSecret } from './server-secret.ts';
export { Identity } from './service.ts';
