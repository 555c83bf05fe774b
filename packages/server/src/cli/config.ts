import { ConfigError } from './fail.ts';
import { readConfig, type Config, type SettingName } from './settings.ts';

/** The configuration of a command, from its flags and the environment; throws a {@link ConfigError} with all problems. */
export const configOf = (
  flags: Partial<Record<SettingName, string>>,
  reader: 'server' | 'command' = 'server',
): Config => {
  const config = readConfig(process.env, flags, reader);
  if (!config.ok) throw new ConfigError(config.refusal.message);
  return config.value;
};
