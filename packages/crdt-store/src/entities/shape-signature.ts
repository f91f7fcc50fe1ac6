import { encodeCanonical, hash, toHex, type Shape, type Value } from '@peerplane/core'

/** Returns the value of `DeclaredModel.signature`: a hash of a shape and of the version of its state model, as 16 hex digits. */
export function shapeSignature(shape: Shape, modelVersion: number): string {
  const plain = JSON.parse(JSON.stringify(shape)) as Value
  return toHex(hash('shape', encodeCanonical([modelVersion, plain]))).slice(0, 16)
}
