/**
 * How many times more random inputs than in a usual run: `MUTATION_SCALE=20 npm run test:mutations`. A usual run of the
 * suite tries some 25,000 mutated blocks, frames and requests.
 */
export const MUTATION_SCALE: number = Math.max(1, Number(process.env.MUTATION_SCALE ?? 1))
