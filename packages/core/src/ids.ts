declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

/** The id of a space: the hash of its space record, as 64 hex digits. */
export type SpaceId = Brand<'SpaceId'>
/** The id of a device: its Ed25519 public key, as 64 hex digits. */
export type DeviceId = Brand<'DeviceId'>
/** The id of a session: the first 16 bytes of the hash of its opening, as 32 hex digits. */
export type SessionId = Brand<'SessionId'>
/** The id of a commit: the hash of its session id and its header, as 64 hex digits. */
export type CommitId = Brand<'CommitId'>
/** The id of a batch: the hash of the bytes that its signature covers, as 64 hex digits. */
export type BatchId = Brand<'BatchId'>
/** The key of an entity: `type/id`. The type of an entity has no slash, but its id may contain slashes. */
export type EntityKey = Brand<'EntityKey'>

/** Returns the key of the entity `id` of type `type`. */
export const entityKey = (type: string, id: string): EntityKey => `${type}/${id}` as EntityKey

/** Splits an entity key into its type and its id. */
export function splitEntityKey(key: EntityKey): { type: string; id: string } {
  const slash = key.indexOf('/')
  return { type: key.slice(0, slash), id: key.slice(slash + 1) }
}
