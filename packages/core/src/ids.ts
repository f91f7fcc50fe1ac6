declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

/** Hash of a space record, 64 hex digits. */
export type SpaceId = Brand<'SpaceId'>
/** Ed25519 public key of a device, 64 hex digits. */
export type DeviceId = Brand<'DeviceId'>
/** First 16 bytes of the hash of an opening record, 32 hex digits: one opening of a device's store. */
export type SessionId = Brand<'SessionId'>
/** Hash of a commit's session and header, 64 hex digits. */
export type CommitId = Brand<'CommitId'>
/** Hash of what the signature of a batch covers, 64 hex digits. */
export type BatchId = Brand<'BatchId'>
/** `type/id` of an entity. The type has no slash; the id may have. */
export type EntityKey = Brand<'EntityKey'>

/** The key of entity `id` of `type`. */
export const entityKey = (type: string, id: string): EntityKey => `${type}/${id}` as EntityKey

/** Type and id of an entity key. */
export function splitEntityKey(key: EntityKey): { type: string; id: string } {
  const slash = key.indexOf('/')
  return { type: key.slice(0, slash), id: key.slice(slash + 1) }
}
