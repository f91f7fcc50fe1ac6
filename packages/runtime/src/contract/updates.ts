import type { Json } from '@peerplane/core'

import type { Loaded, ListedEntity } from './states.ts'
import { list, maybe, object, text, type Form } from './form.ts'

/** The updates of one entity; the state is left out if it has not changed. */
export function entityUpdates(loaded: Form<Loaded>): Form<Loaded> {
  let sent: Loaded | undefined
  let seen: Loaded | undefined
  const isSame = (next: Loaded): boolean =>
    sent?.phase === 'ready' && next.phase === 'ready' && sent.state === next.state
  return {
    write: (next) => {
      const written = loaded.write(next) as { readonly [name: string]: Json }
      const { state: _, ...rest } = written
      const update = isSame(next) ? rest : written
      sent = next
      return update
    },
    read: (data, name) => {
      const state = seen?.phase === 'ready' ? seen.state : undefined
      const leavesOut = isObject(data) && data['phase'] === 'ready' && !('state' in data)
      seen = loaded.read(leavesOut ? { ...data, state } : data, name)
      return seen
    },
  }
}

const isObject = (data: unknown): data is { readonly [name: string]: unknown } =>
  typeof data === 'object' && data !== null

/** What makes one listing of the one before, so that a change of one row does not send all. */
interface ListDelta {
  /** All ids in their order; `undefined` if they are those of the listing before. */
  readonly ids: readonly string[] | undefined
  /** Rows that are new or have another state. */
  readonly rows: readonly ListedEntity[]
}

/** The listings of one watch. Rows that have not changed are neither sent nor rebuilt. */
export function listUpdates(row: Form<ListedEntity>): Form<readonly ListedEntity[]> {
  const delta = object<ListDelta>({ ids: maybe(list(text())), rows: list(row) })
  let sent: readonly ListedEntity[] = []
  let seen: readonly ListedEntity[] = []
  return {
    write: (rows) => {
      const written = delta.write(listDelta(sent, rows))
      sent = rows
      return written
    },
    read: (data, name) => {
      seen = applyListDelta(seen, delta.read(data, name))
      return seen
    },
  }
}

/** The difference of two listings. States are compared by identity: the runtime makes a new one exactly when it has changed. */
function listDelta(before: readonly ListedEntity[], after: readonly ListedEntity[]): ListDelta {
  const states = new Map(before.map(({ id, state }) => [id, state]))
  const rows = after.filter(({ id, state }) => !states.has(id) || states.get(id) !== state)
  const sameIds =
    before.length === after.length && after.every(({ id }, index) => before[index]?.id === id)
  return { ids: sameIds ? undefined : after.map(({ id }) => id), rows }
}

/** The next listing; rows that did not change are the same objects as before. Ids without a state are left out. */
function applyListDelta(
  before: readonly ListedEntity[],
  { ids, rows }: ListDelta,
): readonly ListedEntity[] {
  const byId = new Map([...before, ...rows].map((each) => [each.id, each]))
  return (ids ?? before.map(({ id }) => id)).flatMap((id) => byId.get(id) ?? [])
}
