import { encodeCanonical, hash, toHex, type StoredShape, type Value } from '@peerplane/core'

/**
 * Returns the value of `DeclaredModel.signature`: a hash, as 16 hex digits, of the stored shape, of the lens through which the app sees it, of the
 * version of the declaration, and of the version of the state model. The hash covers the source text of conversions, but not what they refer to.
 */
export function shapeSignature(
  { shape, lens }: StoredShape,
  version: number,
  modelVersion: number,
): string {
  const parts = lens.kind === 'same' ? [] : [plain(lens), version]
  return toHex(hash('shape', encodeCanonical([modelVersion, plain(shape), ...parts]))).slice(0, 16)
}

const plain = (data: unknown): Value =>
  JSON.parse(
    JSON.stringify(data, (_, part: unknown) => (typeof part === 'function' ? String(part) : part)),
  ) as Value
