import { encodeCanonical, hash, toHex, type Shape, type Value } from '@peerplane/core'

/** Returns the signature of a shape and the version of its model for `DeclaredModel.signature`, as 16 hex digits. */
export function shapeSignature(shape: Shape, modelVersion: number): string {
  const plain = JSON.parse(JSON.stringify(shape)) as Value
  return toHex(hash('shape', encodeCanonical([modelVersion, plain]))).slice(0, 16)
}
