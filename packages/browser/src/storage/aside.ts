import type { Aside } from '@peerplane/core'

import { localValues } from '../adapters/local-values.ts'

/*
 * The local storage of the origin is written within the task. A transaction of IndexedDB is lost, committed or not, when its page ends before the
 * browser has run it, as it does while a flush of the same origin is in progress. Only what belongs to the last term of a database counts: what a
 * tab that was asleep still writes belongs to one that is over.
 *
 *   peerplane aside TERM NAME   the value aside, one character a byte
 */

const PREFIX = 'peerplane aside '

const keyOf = (name: string, term: number): string => `${PREFIX}${term} ${name}`

/** The value aside of one term of a database, where this page has a local storage. It holds about 5 MB for all databases of an origin. */
export function asideOf(name: string, term: number): Aside | undefined {
  const storage = localValues()
  if (!storage) return undefined
  const key = keyOf(name, term)
  return {
    get: () => {
      const value = storage.getItem(key)
      return value === null ? undefined : Uint8Array.from(value, (each) => each.charCodeAt(0))
    },
    set: (value) => {
      if (value) storage.setItem(key, charactersOf(value))
      else storage.removeItem(key)
    },
  }
}

/** Gives the value of term `from`, if there is one, to `to` as well. */
export function copyAside(name: string, from: number, to: number): void {
  const storage = localValues()
  const value = storage?.getItem(keyOf(name, from)) ?? null
  if (value !== null) storage?.setItem(keyOf(name, to), value)
}

/** Deletes the values of all terms of a database but `kept`. */
export function clearAsides(name: string, kept?: number): void {
  const storage = localValues()
  if (!storage) return
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '')
  for (const key of keys) {
    if (!key.startsWith(PREFIX)) continue
    const term = key.slice(PREFIX.length).split(' ', 1)[0]!
    if (key === keyOf(name, Number(term)) && Number(term) !== kept) storage.removeItem(key)
  }
}

const CHUNK = 8192

function charactersOf(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK))
  }
  return text
}
