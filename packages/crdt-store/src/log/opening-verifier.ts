import {
  decodeAdmission,
  decodeOpening,
  equalBytes,
  fromHex,
  limits,
  PeerplaneError,
  toHex,
  verifyAdmissions,
  verifyOpening,
} from '@peerplane/core'
import type {
  Admission,
  Crypto,
  OpeningEvidence,
  SessionId,
  SignedOpening,
  SpaceRecord,
  Store,
} from '@peerplane/core'

import { admissionKey } from '../storage/keys.ts'
import { encodeList } from '../storage/records.ts'

/** An opening whose device is a member and signed it, and the chain that is to be stored with it. */
export interface VerifiedOpening extends SignedOpening {
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

  /** The opening of `session`. Throws `malformed`, `too-large`, `wrong-space`, `not-a-member` or `bad-signature`. */
  async verify(
    session: SessionId,
    evidence: OpeningEvidence | undefined,
  ): Promise<VerifiedOpening> {
    if (!evidence) {
      throw new PeerplaneError('malformed', 'the first run of a session has no opening')
    }
    const signed = decodeOpening(evidence.bytes, evidence.signature)
    if (signed.session !== session) {
      throw new PeerplaneError('malformed', 'an opening came with a run of another session')
    }
    if (signed.opening.space !== this.#space.id) {
      throw new PeerplaneError('wrong-space', 'an opening belongs to another space')
    }
    if (evidence.chain.length > limits.admissionChain) {
      throw new PeerplaneError('too-large', `a chain of ${evidence.chain.length} admissions`)
    }
    const chain = evidence.chain.map(decodeAdmission)
    if (!(await this.#admits(signed, chain))) {
      throw new PeerplaneError('not-a-member', `device ${signed.opening.device} was not admitted`)
    }
    if (!(await verifyOpening(signed, this.#crypto))) {
      throw new PeerplaneError('bad-signature', 'an opening is not signed by its device')
    }
    return { ...signed, chain: evidence.chain }
  }

  async #admits({ opening }: SignedOpening, chain: readonly Admission[]): Promise<boolean> {
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
