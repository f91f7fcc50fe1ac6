import type { Json } from '@peerplane/core'

/** JSON with sorted keys: equal values give equal text, in whatever order their keys came to be. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const members = Object.entries(value as { readonly [key: string]: Json })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.join()}}`
}

/** Whether two values have equal {@link canonical} forms. */
export function isSame(a: Json, b: Json): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!isSame(a[i] as Json, b[i] as Json)) return false
    return true
  }
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  const [one, other] = [
    a as { readonly [key: string]: Json },
    b as { readonly [key: string]: Json },
  ]
  return names.every((name) => Object.hasOwn(other, name) && isSame(one[name]!, other[name]!))
}
