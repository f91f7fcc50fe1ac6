/** A random source that is good enough to make cryptographic keys. In simulations, the random source makes reproducible bytes from a seed. */
export interface Random {
  /** Returns `length` new random bytes. */
  bytes(length: number): Uint8Array
}
