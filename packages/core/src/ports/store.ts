/** How far a write must have got before its promise resolves: `local` survives the process, `synced` survives power loss. */
export type StoreDurability = 'local' | 'synced'

/** A change of one key; `undefined` deletes it. */
export interface Write {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** A stored pair. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Keys with `from <= key < to`, in byte order. */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** At most this many; default all. */
  readonly limit?: number
  /** From the largest key downwards. */
  readonly reverse?: boolean
}

/** One value beside the pairs of a store, for a process that may end with the current task. */
export interface Aside {
  get(): Uint8Array | undefined
  /** The value survives the process once this returns, as a `local` write does; `undefined` deletes it. Throws if there is no room. */
  set(value: Uint8Array | undefined): void
}

/**
 * Bytes outside of the pairs of a store, which show whether the store has lost its latest writes: SQLite drops the damaged end of its log
 * silently. If a part of it is lost or damaged, it only shows less.
 */
export interface Witness {
  /** All bytes; empty if nothing was stored. */
  read(): Promise<Uint8Array>
  /** Appends bytes. They survive the process; nothing is flushed to the disk for them. */
  add(bytes: Uint8Array): Promise<void>
  /** Replaces all bytes. */
  replace(bytes: Uint8Array): Promise<void>
}

/**
 * An ordered map from bytes to bytes on one device, with one writer.
 *
 * Writes are atomic, take effect in the order of their calls, and are seen by every read that is called after the write resolved.
 * After a crash the store holds the effect of a prefix of all writes, which includes every write that was acknowledged at its durability.
 * Failures reject with `store-failed`, `store-full`, `store-corrupt` or `closed`; a rejected write may or may not have been applied after a
 * later re-opening, but is never visible before.
 */
export interface Store {
  /** The value of `key`. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** The pairs of `range`, in order. */
  scan(range: KeyRange): Promise<readonly Entry[]>
  /** How many pairs lie in a range; none of them is read. */
  count(range: Pick<KeyRange, 'from' | 'to'>): Promise<number>
  /** Applies all writes or none; of two writes to one key the later wins. */
  write(writes: readonly Write[], durability: StoreDurability): Promise<void>
  /** Only for platforms on which a process may end with any task, as a page may. */
  readonly aside?: Aside | undefined
  /** Only for stores that may open without their latest writes. */
  readonly witness?: Witness
  /** Waits for pending writes and releases the store; later calls reject with `closed`. */
  close(): Promise<void>
}
