/** Floor 5: dispatch. One registry, one chain, one envelope for every transport. */
export { Dispatcher, type DispatchReply, type DispatchRequest } from './dispatcher.ts';
export type { ListingMode, ToolListing } from './registry.ts';
