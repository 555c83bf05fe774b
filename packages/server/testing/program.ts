import { parseArgs, type ParseArgsConfig } from 'node:util';

const MOST = 999_999_999;

/**
 * Reads the options of a program of ours, such as `npm run fuzz`. `--help` prints the help and ends with 0; what is wrong
 * with an option is said above the help, and ends with 2. `whole` gives the whole number that an option is.
 */
export const programOptions = <const C extends NonNullable<ParseArgsConfig['options']>>(help: string, options: C) => {
  const wrong = (message: string): never => {
    console.error(`${message}\n\n${help}`);
    process.exit(2);
  };
  const read = () => {
    try {
      return parseArgs({ options: { help: { type: 'boolean' }, ...options } }).values;
    } catch (error) {
      return wrong((error as Error).message);
    }
  };
  const values = read();
  if ('help' in values) {
    console.log(help);
    process.exit(0);
  }
  const whole = (name: string, text: string, least = 0, most = MOST): number => {
    const number = Number(text);
    if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number;
    return wrong(`--${name} must be a whole number from ${least}${most === MOST ? '' : ` to ${most}`}, not "${text}"`);
  };
  return { values, wrong, whole };
};
