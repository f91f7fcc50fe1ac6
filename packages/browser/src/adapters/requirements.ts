import { PeerplaneError } from '@peerplane/core'

/** Throws `unsupported` if this page lacks something that a plane needs, saying what and why. */
export function requireBrowser(): void {
  if (!isSecureContext) {
    throw new PeerplaneError(
      'unsupported',
      `this page came from ${location.origin}, and browsers give keys and locks only to pages that came over https or from localhost`,
    )
  }
  // Typed as always there, but older browsers and some private windows lack them.
  const page: { readonly [name: string]: unknown } = {
    'Web Locks': navigator.locks as unknown,
    WebCrypto: crypto.subtle as unknown,
    IndexedDB: globalThis.indexedDB as unknown,
    BroadcastChannel: globalThis.BroadcastChannel as unknown,
  }
  const missing = Object.keys(page).filter((name) => page[name] === undefined)
  if (missing.length === 0) return
  throw new PeerplaneError('unsupported', `this browser has no ${missing.join(' and no ')}`)
}
