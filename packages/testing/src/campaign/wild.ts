import { splitEntityKey } from '@peerplane/core'
import type { Loaded } from '@peerplane/runtime'

import { canonical } from '../check/canonical.ts'
import type { Incarnation } from '../fleet/device.ts'
import { wildKeys } from '../hostile/bodies.ts'

/**
 * What devices show of the entities that hostile members change. Nobody knows what these should contain; in the end all honest devices must
 * show the same.
 */
export class Wild {
  readonly #shown = new Map<string, Map<string, string>>()

  /** Watches the entities on a device that was opened. */
  watch({ backend, process }: Incarnation, changed: () => void): void {
    const shown = new Map<string, string>()
    this.#shown.set(process.name, shown)
    for (const key of wildKeys) {
      const { type, id } = splitEntityKey(key)
      backend.watchEntity(type, id, (view) => {
        shown.set(key, textOf(view))
        changed()
      })
    }
  }

  /** What a process shows; `undefined` before it shows everything. */
  of(process: string): string | undefined {
    const shown = this.#shown.get(process)
    if (!shown || shown.size < wildKeys.length) return undefined
    return wildKeys.map((key) => `${key} ${shown.get(key)}`).join('; ')
  }
}

const textOf = (view: Loaded): string =>
  view.phase === 'ready'
    ? `${canonical(view.state)}${view.incomplete ? ' (incomplete)' : ''}`
    : `unreadable: ${view.problem.code}`
