/**
 * The durability of a write when its promise resolves. A `local` write survives the death of the process; a `synced` write also survives a power
 * failure.
 */
export type StoreDurability = 'local' | 'synced'

/** A change of the value of one key in a store. The value `undefined` deletes the key. */
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
  /** The maximum number of pairs to return. Default: all pairs in the range. */
  readonly limit?: number
  /** Whether to return the pairs in descending order of their keys. */
  readonly reverse?: boolean
}

/**
 * One value that a store keeps beside its key-value pairs, and writes synchronously. A web page that is being closed may end before it can sign its
 * latest commits, so the page keeps these unsigned commits in the `Aside` of its store.
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
 * A witness: bytes beside the key-value pairs of a store, which show whether the store has lost its latest writes. SQLite, for example, silently
 * drops the end of its write-ahead log if this end is damaged. A damaged witness may fail to show that writes are lost, but does no other harm.
 */
export interface Witness {
  /** Reads all bytes. The result is empty if the witness was never written. */
  read(): Promise<Uint8Array>
  /** Appends bytes without flushing them to the disk. The appended bytes survive the death of the process. */
  add(bytes: Uint8Array): Promise<void>
  /** Replaces all bytes. */
  replace(bytes: Uint8Array): Promise<void>
}

/**
 * A store: an ordered map from bytes to bytes on one device, with one writer.
 *
 * Writes are atomic and take effect in the order of their calls. A read that is called after a write has resolved sees this write. After a crash, the
 * store holds all writes up to some point, including every write that was acknowledged with a durability that survives this crash. Failed calls
 * reject with `store-failed`, `store-full`, `store-corrupt` or `closed`. The effect of a rejected write may appear when the store is opened again,
 * but never before.
 */
export interface Store {
  /** Reads the value of `key`. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Reads the pairs in `range`, in the order of their keys. */
  scan(range: KeyRange): Promise<readonly Entry[]>
  /** Counts the pairs in a range without reading them. */
  count(range: Pick<KeyRange, 'from' | 'to'>): Promise<number>
  /** Applies either all of `writes` or none. If two of the writes change the same key, the later one wins. */
  write(writes: readonly Write[], durability: StoreDurability): Promise<void>
  /** Present only on platforms where a process may end after any task, as a page in a browser may. */
  readonly aside?: Aside | undefined
  /** Present only on stores that can silently lose their latest writes. */
  readonly witness?: Witness
  /** Waits for pending writes and releases the store. Calls after `close` reject with `closed`. */
  close(): Promise<void>
}
