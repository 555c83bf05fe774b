import { Argument, type Command } from 'commander';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { placesOf } from './completion/words.ts';
import { zshScript } from './completion/zsh.ts';
import { write } from './output.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** `breakwater completion`: a script that lets a shell complete commands and options, made from the commands themselves. */
export const completionCommand = (program: Command): void => {
  program
    .command('completion')
    .description('Print a script that lets your shell complete commands and options')
    .addArgument(new Argument('<shell>', 'The shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
Examples:
  source <(breakwater completion bash)      # in ~/.bashrc
  source <(breakwater completion zsh)       # in ~/.zshrc, after compinit
  breakwater completion fish | source       # in ~/.config/fish/config.fish`,
    )
    .action((shell: keyof typeof SCRIPTS) => {
      write(SCRIPTS[shell](placesOf(program)));
    });
};
