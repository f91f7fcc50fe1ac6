import { describe, PeerplaneError, reading, reasonOf, type Where } from '@peerplane/core'

/** The keys that a place names. Throws `invalid-input`. */
export function besidesOf(where: Where): { readonly before?: string; readonly after?: string } {
  if (where === 'first' || where === 'last') return {}
  const refuse = (given: string): PeerplaneError => {
    const reason = `a place is 'first', 'last', { before: key } or { after: key }, not ${given}`
    return new PeerplaneError('invalid-input', reason)
  }
  const given: unknown = where
  if (typeof given !== 'object' || given === null) throw refuse(describe(given))
  const { before, after } = reading(
    (): { before?: unknown; after?: unknown } => ({ ...given }),
    (cause) => refuse(reasonOf(cause)),
  )
  if (typeof before === 'string' && after === undefined) return { before }
  if (typeof after === 'string' && before === undefined) return { after }
  throw refuse(describe(given))
}
