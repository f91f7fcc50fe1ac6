import { equalData } from '@peerplane/core'

/**
 * Makes a listener for each backend in turn.
 *
 * The first view of a new backend is a copy of what the one before has shown, if nothing happened in between. `listener` is not called for it,
 * and gets the objects that it knows where they are equal.
 */
export function seamless<View>(listener: (view: View) => void): () => (view: View) => void {
  let shown: { readonly view: View } | undefined
  return () => {
    let isFirst = true
    let known: ReadonlyMap<unknown, unknown> = new Map()
    return (view) => {
      if (isFirst && shown) known = equalParts(view, shown.view)
      const next = known.size > 0 ? withParts(view, known) : view
      const isRepeated = isFirst && shown !== undefined && equalData(next, shown.view)
      isFirst = false
      if (isRepeated) return
      shown = { view: next }
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

function withParts<View>(view: View, known: ReadonlyMap<unknown, unknown>): View {
  if (Array.isArray(view)) return view.map((part) => known.get(part) ?? part) as View
  if (!isObject(view)) return view
  const parts = Object.entries(view).map(([key, part]) => [key, known.get(part) ?? part])
  return Object.fromEntries(parts) as View
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
