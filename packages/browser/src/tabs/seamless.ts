import { equalData } from '@peerplane/core'

/**
 * Makes a listener for each backend in turn.
 *
 * The first update of a new backend is a copy of what the one before has shown, if nothing happened in between. `listener` is not called for it,
 * and gets the objects that it knows where they are equal.
 */
export function seamless<Update>(
  listener: (update: Update) => void,
): () => (update: Update) => void {
  let shown: { readonly update: Update } | undefined
  return () => {
    let isFirst = true
    let known: ReadonlyMap<unknown, unknown> = new Map()
    return (update) => {
      if (isFirst && shown) known = equalParts(update, shown.update)
      const next = known.size > 0 ? withParts(update, known) : update
      const isRepeated = isFirst && shown !== undefined && equalData(next, shown.update)
      isFirst = false
      if (isRepeated) return
      shown = { update: next }
      listener(next)
    }
  }
}

/** Of the parts of `next` that are objects, those equal to a part of `before` at the same place, with that one. */
function equalParts(next: unknown, before: unknown): ReadonlyMap<unknown, unknown> {
  const known = new Map<unknown, unknown>()
  if (!isObject(next) || !isObject(before)) return known
  for (const [key, part] of Object.entries(next)) {
    const earlier = (before as { readonly [key: string]: unknown })[key]
    if (isObject(part) && isObject(earlier) && equalData(part, earlier)) known.set(part, earlier)
  }
  return known
}

function withParts<Update>(update: Update, known: ReadonlyMap<unknown, unknown>): Update {
  if (Array.isArray(update)) return update.map((part) => known.get(part) ?? part) as Update
  if (!isObject(update)) return update
  const parts = Object.entries(update).map(([key, part]) => [key, known.get(part) ?? part])
  return Object.fromEntries(parts) as Update
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
