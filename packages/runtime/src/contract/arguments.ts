import { describe, isA, PeerplaneError } from '@peerplane/core'

/* What applications pass. All of these throw `invalid-input`. */

/** A function that is called back. */
export function checkListener<F>(listener: F): F {
  if (typeof listener === 'function') return listener
  throw invalid(`a listener is a function, not ${describe(listener)}`)
}

/** The members of an options object, each read once. */
export function takeObject(value: unknown, what: string): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${what} are an object, not ${describe(value)}`)
  }
  try {
    return Array.isArray(value) ? notAnObject(what) : { ...value }
  } catch (cause) {
    throw isA(PeerplaneError, cause) ? cause : invalid(`${what} cannot be read`)
  }
}

function notAnObject(what: string): never {
  throw invalid(`${what} are an object, not a list`)
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
