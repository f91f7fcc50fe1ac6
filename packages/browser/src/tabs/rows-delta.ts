import type { Json } from '@peerplane/core'
import type { Row } from '@peerplane/runtime'

/** What makes one listing of the next, so that a change of one row does not send all. */
export interface RowsDelta {
  /** All ids of the next listing in its order; absent if they are those of the listing before. */
  readonly ids?: readonly string[]
  /** Rows that are new or have another state. */
  readonly rows: readonly Row[]
}

/** The difference of two listings. States are compared by identity: the runtime makes a new one exactly when it has changed. */
export function rowsDelta(before: readonly Row[], after: readonly Row[]): RowsDelta {
  const states = statesOf(before)
  const rows = after.filter(({ id, state }) => !states.has(id) || states.get(id) !== state)
  const sameIds =
    before.length === after.length && after.every(({ id }, index) => before[index]?.id === id)
  return sameIds ? { rows } : { ids: after.map(({ id }) => id), rows }
}

/** The next listing; rows that did not change are the same objects as before. Ids without a state are left out. */
export function applyRowsDelta(before: readonly Row[], { ids, rows }: RowsDelta): readonly Row[] {
  const byId = new Map([...before, ...rows].map((row) => [row.id, row]))
  return (ids ?? before.map(({ id }) => id)).flatMap((id) => byId.get(id) ?? [])
}

const statesOf = (rows: readonly Row[]): ReadonlyMap<string, Json> =>
  new Map(rows.map(({ id, state }) => [id, state]))
