import { registerHooks } from 'node:module'

import type { Change } from './sabotage.ts'
import { sabotages } from './sabotages.ts'

/** A bug that is planted in this thread. */
export interface Planted {
  /** Throws if a source to be changed was never loaded: then no bug was planted. */
  assertUsed(): void
}

/** Begins the message of every failure to plant: such a failure is nothing that the campaign has found. */
export const NOT_PLANTED = 'cannot plant'

/** Plants a known bug. Throws for an unknown name. */
export function plant(name: string): Planted {
  const sabotage = sabotages.find((each) => each.name === name)
  if (sabotage) return plantChanges(name, sabotage.changes)
  const names = sabotages.map((each) => each.name).join(', ')
  throw new Error(`no sabotage "${name}"; there are ${names}`)
}

/**
 * Plants a bug by changing the text of product sources while they are loaded, so that no switch for it stands in the product. To be called
 * before anything of the product is imported. Loading throws if the text to be replaced is not there exactly once. Changes only modules with
 * this query in their address.
 */
export function plantChanges(name: string, given: readonly Change[], query = ''): Planted {
  const left = new Set(given)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const changes = given.filter(({ file }) => url.endsWith(`${file}${query}`))
      if (changes.length === 0) return loaded
      const { source: text } = loaded
      let source = typeof text === 'string' ? text : new TextDecoder().decode(text ?? undefined)
      for (const change of changes) {
        const parts = source.split(change.find)
        if (parts.length !== 2) {
          throw new Error(
            `${NOT_PLANTED} "${name}": ${parts.length - 1} places in ${change.file} read: ${change.find}`,
          )
        }
        source = parts.join(change.replace)
        left.delete(change)
      }
      return { ...loaded, source }
    },
  })
  return {
    assertUsed: () => {
      for (const { file } of left)
        throw new Error(`${NOT_PLANTED} "${name}": ${file} was never loaded`)
    },
  }
}
