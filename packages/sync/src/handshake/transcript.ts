import { encodeCanonical, fromHex, hash, mac, type Space } from '@peerplane/core'

/** The side of a handshake that something is said by. */
export type Side = 'initiator' | 'responder'

/** What both sides of a handshake have seen. */
export interface Transcript {
  /** Network ids, as the transport has authenticated them. */
  readonly initiator: string
  readonly responder: string
  /** The hello of the initiator, and that of the responder, which is empty while there is none. */
  readonly hello: Uint8Array
  readonly answer: Uint8Array
}

/** Names what `side` says in one handshake, in this space and in no other. 32 bytes. */
export const contextOf = (space: Space, transcript: Transcript, side: Side): Uint8Array => {
  const { initiator, responder, hello, answer } = transcript
  return hash(
    'handshake-context',
    encodeCanonical([fromHex(space.record.id), initiator, responder, hello, answer, side]),
  )
}

/** The proof that `side` knows the secret of the space. */
export const proofOf = (space: Space, transcript: Transcript, side: Side): Uint8Array =>
  mac(space.secret, 'handshake', contextOf(space, transcript, side))
