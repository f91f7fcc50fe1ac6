/** A key that signs; the program may have no access to the secret part. */
export interface SigningKey {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Ed25519 signature (RFC 8032) of `message`, 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** Signatures. There is one real implementation (WebCrypto), because libraries disagree on edge cases of Ed25519. */
export interface Crypto {
  /** The key of a 32-byte seed. */
  keyFromSeed(seed: Uint8Array): Promise<SigningKey>
  /** Whether `signature` is the signature of `message` by `publicKey`; false for malformed keys and signatures, never a throw. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}
