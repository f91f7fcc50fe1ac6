/** A key that signs messages. The program may be unable to read the secret part of the key. */
export interface SigningKey {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Returns the Ed25519 signature (RFC 8032) of `message`, 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/**
 * Makes and verifies signatures. Outside simulations, WebCrypto is the only implementation, because libraries disagree about which signatures are
 * valid in edge cases of Ed25519.
 */
export interface Crypto {
  /** Returns the signing key that belongs to this 32-byte seed. */
  keyFromSeed(seed: Uint8Array): Promise<SigningKey>
  /**
   * Whether `signature` is the signature of `message` by `publicKey`. For malformed keys and signatures, `verify` resolves with false; it never
   * throws.
   */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}
