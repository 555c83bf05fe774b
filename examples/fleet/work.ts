/** What the agents of the example do: count the primes below a limit, quickly, slowly, or wrongly. */

/** By sieving: quick, and right. */
export const countPrimes = (limit: number): number => {
  const isComposite = new Uint8Array(limit);
  let count = 0;
  for (let n = 2; n < limit; n += 1) {
    if (isComposite[n] === 1) continue;
    count += 1;
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1;
  }
  return count;
};

/** By dividing: slow, and right beyond doubt. */
export const countPrimesSlowly = (limit: number): number => {
  let count = 0;
  for (let n = 2; n < limit; n += 1) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) isPrime = false;
    if (isPrime) count += 1;
  }
  return count;
};

/** By trying a few divisors only: quick, and wrong as soon as the limit is large enough. */
export const countPrimesCarelessly = (limit: number): number => {
  let count = 0;
  for (let n = 2; n < limit; n += 1)
    if ([2, 3, 5, 7].every((divisor) => n === divisor || n % divisor !== 0)) count += 1;
  return count;
};
