/** Calibration: whether claimed confidence and results agree, for the fleet and for one agent. Advice; it decides nothing. */
export { calibrationDiagram } from './diagram.ts';
export { calibrationReply } from './rules/reply.ts';
export { reportText } from './rules/report.ts';
export { Calibration } from './service.ts';
export { calibrationTools } from './tools.ts';
