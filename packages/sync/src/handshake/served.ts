import { encodeCanonical, fromHex, mac, toHex, type Space } from '@peerplane/core'

/** Bytes of a selector. */
export const SELECTOR_BYTES = 16

/**
 * Returns the selector of a space. In a handshake, the initiator sends the selector to name the space; only this responder can recognize the space by
 * the selector. A peer that does not know the secret of the space learns nothing from a selector, and cannot recognize the same space in other
 * handshakes.
 */
export const selectorOf = ({ record, secret }: Space, responder: string): Uint8Array =>
  mac(secret, 'select', encodeCanonical([fromHex(record.id), responder])).slice(0, SELECTOR_BYTES)

/** The spaces that are served under one network id. Finding a space costs the same with one space as with a thousand. */
export class Served<Each extends { readonly space: Space }> {
  readonly #localPeer: string
  readonly #bySelector = new Map<string, Each>()

  constructor(localPeer: string, ...all: readonly Each[]) {
    this.#localPeer = localPeer
    for (const each of all) this.add(each)
  }

  add(each: Each): void {
    this.#bySelector.set(toHex(selectorOf(each.space, this.#localPeer)), each)
  }

  /** Returns the space for which a peer asks, or `undefined` if this space is not served. */
  find(selector: Uint8Array): Each | undefined {
    return this.#bySelector.get(toHex(selector))
  }
}
