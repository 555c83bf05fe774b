/** Fault points that fire inside of a test, instead of killing its process. */
export { armFault, disarmFault } from '../faults.ts';
