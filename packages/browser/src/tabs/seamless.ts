import { equalData } from '@peerplane/core'
import type { EntityView, Row } from '@peerplane/runtime'

/*
 * The first view that a new backend gives is a copy of what the one before has shown, if nothing happened in between. A listener shall not
 * be called for it, and shall get the objects it knows where they are equal.
 */

/** Makes a listener for each backend in turn. */
export type Seamless<View> = () => (view: View) => void

/** For one entity. */
export function seamlessEntity(listener: (view: EntityView) => void): Seamless<EntityView> {
  let seen: EntityView | undefined
  let shown: EntityView | undefined
  return () => {
    let first = true
    return (view) => {
      const same =
        seen?.state === view.state || (first && seen && equalData(seen.state, view.state))
      const next = same && shown ? { ...view, state: shown.state } : view
      const repeated = first && shown && equalData(next, shown)
      first = false
      seen = view
      shown = next
      if (!repeated) listener(next)
    }
  }
}

/** For a listing. */
export function seamlessRows(listener: (rows: readonly Row[]) => void): Seamless<readonly Row[]> {
  let shown: readonly Row[] | undefined
  return () => {
    let first = true
    return (rows) => {
      const repeated = first && shown && equalData(rows, shown)
      first = false
      if (repeated) return
      shown = rows
      listener(rows)
    }
  }
}
