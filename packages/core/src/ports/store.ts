/**
 * The durability of a write when its promise resolves. A `local` write survives the death of the process; a `synced` write also survives a power
 * failure.
 */
export type StoreDurability = 'local' | 'synced'

/** A change of one key. The value `undefined` deletes the key. */
export interface Write {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** A stored pair of key and value. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** All keys with `from <= key < to`, in byte order. */
export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** The most pairs to return. Default: all pairs in the range. */
  readonly limit?: number
  /** Returns the pairs in descending order of their keys. */
  readonly reverse?: boolean
}

/**
 * One value outside the pairs of a store, which is written synchronously. A page, which may end after its current task, keeps its unsigned commits
 * here.
 */
export interface Aside {
  get(): Uint8Array | undefined
  /**
   * Sets the value; `undefined` deletes it. When `set` returns, the value is as durable as a `local` write. Throws if there is no space for the
   * value.
   */
  set(value: Uint8Array | undefined): void
}

/**
 * Bytes outside the pairs of a store, which show whether the store has lost its latest writes. SQLite, for example, silently drops the damaged end of
 * its log. A damaged witness detects fewer losses, but has no other effect.
 */
export interface Witness {
  /** Reads all bytes. The result is empty if nothing was stored. */
  read(): Promise<Uint8Array>
  /** Appends bytes without flushing them to the disk. The bytes survive the death of the process. */
  add(bytes: Uint8Array): Promise<void>
  /** Replaces all bytes. */
  replace(bytes: Uint8Array): Promise<void>
}

/**
 * An ordered map from bytes to bytes on one device, with one writer.
 *
 * Writes are atomic and take effect in the order of their calls. A read that is called after a write has resolved sees this write. After a crash, the
 * store holds a prefix of all writes, which includes every write that was acknowledged at its durability. Failures reject with `store-failed`,
 * `store-full`, `store-corrupt` or `closed`. A rejected write may appear when the store is opened again, but is never visible before.
 */
export interface Store {
  /** Reads the value of `key`. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Reads the pairs in `range`, in the order of their keys. */
  scan(range: KeyRange): Promise<readonly Entry[]>
  /** Counts the pairs in a range without reading them. */
  count(range: Pick<KeyRange, 'from' | 'to'>): Promise<number>
  /** Applies either all of `writes` or none. If two writes change the same key, the later one wins. */
  write(writes: readonly Write[], durability: StoreDurability): Promise<void>
  /** Present only on platforms where a process may end after any task, as a page may. */
  readonly aside?: Aside | undefined
  /** Present only on stores that can silently lose their latest writes. */
  readonly witness?: Witness
  /** Waits for pending writes and releases the store. Later calls reject with `closed`. */
  close(): Promise<void>
}
