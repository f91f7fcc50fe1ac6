import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  extensionsAfter,
  isUnderstood,
  PeerplaneError,
  wholeField,
  withExtensions,
  type Protocol,
} from '@peerplane/core'

/** What this version speaks. */
export const PROTOCOL: Protocol = { lowest: 1, highest: 1 }

/** What a side of a handshake says first. Its form is the same in all versions of the protocol. */
export interface Hello extends Protocol {
  /** 32 random bytes. */
  readonly nonce: Uint8Array
  /** Canonical bytes of all of the above. */
  readonly bytes: Uint8Array
}

/** Bytes of the nonce in a hello. */
export const NONCE_BYTES = 32

export function makeHello({ lowest, highest, capabilities }: Protocol, nonce: Uint8Array): Hello {
  return readHello(encodeCanonical(withExtensions([lowest, highest, nonce], capabilities)))
}

/** The hello of received bytes. Throws `malformed` or `too-large`. */
export function readHello(encoded: Uint8Array): Hello {
  const fields = arrayField(decodeCanonical(encoded), 'hello')
  const { extensions } = extensionsAfter(fields, 3, 'hello')
  const lowest = wholeField(fields[0], 'hello.lowest')
  return {
    lowest,
    highest: wholeField(fields[1], 'hello.highest', lowest),
    nonce: bytesField(fields[2], 'hello.nonce', NONCE_BYTES),
    ...(extensions && { capabilities: extensions }),
    bytes: encoded,
  }
}

/** Throws `needs-update` unless this device can speak with a peer that says `theirs`. */
export function checkCompatible(theirs: Hello, ours: Protocol, peer: string): void {
  const isNewer = theirs.lowest > ours.highest
  if (isNewer || theirs.highest < ours.lowest) {
    const reason = `the peer ${peer} speaks ${versionsOf(theirs)} of the protocol only, and this device ${versionsOf(ours)}`
    throw needsUpdate(reason, isNewer ? 'this device' : 'the peer')
  }
  if (!isUnderstood(theirs.capabilities)) {
    throw needsUpdate(
      `the peer ${peer} needs something that this device does not know`,
      'this device',
    )
  }
}

/** An error that says which side has to be updated. */
export const needsUpdate = (reason: string, side: 'this device' | 'the peer'): PeerplaneError =>
  new PeerplaneError('needs-update', reason, {
    advice: `Update ${side}.`,
  })

const versionsOf = ({ lowest, highest }: Protocol): string =>
  lowest === highest ? `version ${lowest}` : `versions ${lowest} to ${highest}`
