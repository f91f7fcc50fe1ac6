import {
  decodeAdmission,
  decodeOpening,
  equalBytes,
  fromHex,
  limits,
  PeerplaneError,
  toHex,
  verifyAdmissions,
} from '@peerplane/core'
import type {
  Admission,
  Crypto,
  MadeOpening,
  OpeningEvidence,
  SessionId,
  SpaceRecord,
  Store,
} from '@peerplane/core'

import { admissionKey } from '../storage/keys.ts'
import { encodeList } from '../storage/records.ts'

/** An opening whose device is a member, and the chain that is to be stored with it. Whether the device made it, the first batch shows. */
export interface VerifiedOpening extends MadeOpening {
  readonly chain: readonly Uint8Array[]
}

/** Decides who may write: checks openings; a chain of admissions that is stored was found good. */
export class OpeningVerifier {
  readonly #store: Store
  readonly #space: SpaceRecord
  readonly #crypto: Crypto

  constructor(store: Store, space: SpaceRecord, crypto: Crypto) {
    this.#store = store
    this.#space = space
    this.#crypto = crypto
  }

  /** The opening of `session`. Throws `malformed`, `too-large`, `wrong-space` or `not-a-member`. */
  async verify(
    session: SessionId,
    evidence: OpeningEvidence | undefined,
  ): Promise<VerifiedOpening> {
    if (!evidence) {
      throw new PeerplaneError('malformed', 'the first run of a session has no opening')
    }
    const made = decodeOpening(evidence.bytes)
    if (made.session !== session) {
      throw new PeerplaneError('malformed', 'an opening came with a run of another session')
    }
    if (made.opening.space !== this.#space.id) {
      throw new PeerplaneError('wrong-space', 'an opening belongs to another space')
    }
    if (evidence.chain.length > limits.admissionChain) {
      throw new PeerplaneError('too-large', `a chain of ${evidence.chain.length} admissions`)
    }
    const chain = evidence.chain.map(decodeAdmission)
    if (!(await this.#admits(made, chain))) {
      throw new PeerplaneError('not-a-member', `device ${made.opening.device} was not admitted`)
    }
    return { ...made, chain: evidence.chain }
  }

  async #admits({ opening }: MadeOpening, chain: readonly Admission[]): Promise<boolean> {
    const admission = toHex(opening.admission)
    const expected = chain.at(-1)?.id ?? fromHex(this.#space.id)
    if (toHex(expected) !== admission) return false
    // The chain is stored and passed on with the session, so it must be one that was checked: the admission alone does not vouch for it.
    const held = await this.#store.get(admissionKey(opening.admission))
    const encoded = encodeList(chain.map(({ bytes }) => bytes))
    if (held && equalBytes(held, encoded)) {
      return (chain.at(-1)?.device ?? this.#space.creator) === opening.device
    }
    return verifyAdmissions(this.#space, opening.device, chain, this.#crypto)
  }
}
