/** A random source that is good enough for keys. In simulations, the random source is seeded. */
export interface Random {
  /** Returns `length` new random bytes. */
  bytes(length: number): Uint8Array
}
