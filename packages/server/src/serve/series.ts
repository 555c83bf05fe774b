import { Counter, Gauge, type Registry } from 'prom-client';

type SetValue<L extends string> = (labels: Record<L, string>, value: number) => void;

interface Series<L extends string> {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
}

/** A gauge that is read when somebody asks. */
export const gauge = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
  read: (set: SetValue<L>) => void,
): void => {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      read((labels, value) => this.set(labels, value));
    },
  });
};

/**
 * A gauge whose values have to be asked for: `ask` gives undefined when they cannot be had in time, and then the series is
 * absent. Unknown is not zero.
 */
export const askedGauge = <L extends string>(
  { registry, name, help, labels }: Series<L>,
  ask: () => Promise<((set: SetValue<L>) => void) | undefined>,
): void => {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    async collect() {
      const read = await ask();
      this.reset();
      read?.((values, value) => this.set(values, value));
    },
  });
};

/** A counter that is counted elsewhere, and read when somebody asks. */
export const counter = <L extends string>(
  { registry, name, help, labels }: Series<L>,
  read: (set: SetValue<L>) => void,
): void => {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      read((values, value) => this.inc(values, value));
    },
  });
};
