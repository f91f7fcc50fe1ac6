import { compareTexts, setProperty, type Json, type Lens, type LensField } from '@peerplane/core'

import { attempt, valueOf } from './converted.ts'
import { Names } from './names.ts'

/** A mirror as the app sees it, and why it perhaps lacks a value. */
interface Shown {
  readonly mirror: Json
  readonly problem: string | undefined
}

interface Stored {
  readonly [name: string]: Json
}

/** The mirrors of an app for stored mirrors: the same object for the same object, so an unchanged part costs nothing. */
export class Mirrors {
  readonly #show: (stored: Json) => Shown
  readonly #shown = new WeakMap<object, Shown>()

  constructor(show: (stored: Json) => Shown) {
    this.#show = show
  }

  static through(lens: Lens): Mirrors {
    return new Mirrors(showing(lens))
  }

  of(stored: Json): Shown {
    if (typeof stored !== 'object' || stored === null) return this.#show(stored)
    let shown = this.#shown.get(stored)
    if (!shown) this.#shown.set(stored, (shown = this.#show(stored)))
    return shown
  }
}

function showing(lens: Lens): (stored: Json) => Shown {
  switch (lens.kind) {
    case 'same':
      return (mirror) => ({ mirror, problem: undefined })
    case 'parts': {
      const parts = Mirrors.through(lens.part)
      const items: Mirrors = new Mirrors((item) => showItem(item as unknown as Item, parts, items))
      return (stored) =>
        Array.isArray(stored)
          ? listed(stored, items)
          : combined(Object.entries(stored as Stored), (part) => parts.of(part))
    }
    case 'state':
      return (stored) => {
        const { value, problem } = attempt(lens.up, stored)
        if (problem === undefined) return { mirror: value, problem }
        return { mirror: lens.initial, problem: `the state cannot be converted: ${problem}` }
      }
    case 'record': {
      const fields = lens.fields.map((field) => [field.name, showingField(field)] as const)
      return (stored) => combined(fields, (show) => show(stored as Stored))
    }
    default: {
      const names = new Names(lens.names)
      return (stored) => {
        const shown = Object.entries(stored as Stored).flatMap(([key, value]) => {
          const name = names.shownAs(key)
          return name === undefined ? [] : [[name, value] as const]
        })
        shown.sort(([a], [b]) => compareTexts(a, b))
        return combined(shown, (mirror) => ({ mirror, problem: undefined }))
      }
    }
  }
}

function showingField(field: LensField): (stored: Stored) => Shown {
  const inner = Mirrors.through(field.lens)
  if (!field.converted) return (stored) => inner.of(stored[field.stored]!)
  return (stored) => {
    const { value, problem } = valueOf(field, (name) => stored[name]!)
    return { mirror: value, problem }
  }
}

/** What stands in a list or tree. */
interface Item {
  readonly key: string
  readonly value: Json
  readonly children?: readonly Json[]
}

function showItem({ value, children, ...rest }: Item, parts: Mirrors, items: Mirrors): Shown {
  const part = parts.of(value)
  const below = children && listed(children, items)
  const mirror = { ...rest, value: part.mirror, ...(below && { children: below.mirror }) }
  return { mirror: Object.freeze(mirror), problem: part.problem ?? below?.problem }
}

function listed(stored: readonly Json[], items: Mirrors): Shown {
  const all = stored.map((item) => items.of(item))
  const problem = all.find((each) => each.problem !== undefined)?.problem
  return { mirror: Object.freeze(all.map(({ mirror }) => mirror)), problem }
}

/** An object of named parts, with the first of their problems. */
function combined<T>(
  parts: readonly (readonly [name: string, part: T])[],
  show: (part: T) => Shown,
): Shown {
  const mirror: { [name: string]: Json } = {}
  let first: string | undefined
  for (const [name, part] of parts) {
    const shown = show(part)
    setProperty(mirror, name, shown.mirror)
    first ??= shown.problem
  }
  return { mirror: Object.freeze(mirror), problem: first }
}
