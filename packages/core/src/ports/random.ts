/** Randomness fit for keys; seeded in simulations. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array
}
