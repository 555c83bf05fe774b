import { ConfigError, UsageError } from './fail.ts';
import { readConfig, type Config, type SettingName } from './settings.ts';

/**
 * The configuration of a command, from its flags and the environment; throws a {@link ConfigError} with all problems, a
 * {@link UsageError} when all of them are in the flags.
 */
export const configOf = (
  flags: Partial<Record<SettingName, string>>,
  reader: 'server' | 'command' = 'server',
): Config => {
  const config = readConfig(process.env, flags, reader);
  if (config.ok) return config.value;
  const { message } = config.refusal;
  const isUsage = message.split('\n').every((line) => line.startsWith('--'));
  throw isUsage ? new UsageError(message) : new ConfigError(message);
};
