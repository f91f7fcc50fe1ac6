/** One row of the workload. */
export interface Row {
  readonly title: string
  readonly done: boolean
  readonly rank: number
}

/** One transaction of the workload: makes a row, or sets its rank. */
export type Change =
  | { readonly id: string; readonly row: Row }
  | { readonly id: string; readonly rank: number }

/** How a peer opens. */
export interface PeerOptions {
  /** An existing directory of its own. */
  readonly data: string
  /** Whether it will be asked for its address. */
  readonly serve?: boolean
  /** The address of another peer to catch up with. */
  readonly join?: string
}

/** A product under measurement, on one device. */
export interface Peer {
  /** Makes the changes of one turn, each a transaction of its own. Resolves when it takes more. */
  write(turn: readonly Change[]): Promise<void> | void
  /** Resolves when everything written or received here is durable. */
  settled(): Promise<void> | void
  rank(id: string): Promise<number | undefined> | number | undefined
  /** All ranks by id. */
  ranks(): Promise<ReadonlyMap<string, number>> | ReadonlyMap<string, number>
  /** Calls back with the rank of each of `ids` after each change of it that came from another device. */
  watch(ids: readonly string[], seen: (id: string, rank: number) => void): void
  /** What another peer joins. */
  address(): Promise<string> | string
  close(): Promise<void> | void
}
