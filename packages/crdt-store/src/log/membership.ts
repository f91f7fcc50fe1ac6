import {
  decodeAdmission,
  decodeOpening,
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
import { decodeList } from '../storage/records.ts'

/** An opening whose device is a member and signed it, and the chain that is to be stored with it. */
export interface VerifiedOpening extends SignedOpening {
  readonly chain: readonly Uint8Array[]
}

/** Decides who may write: checks openings and remembers the admissions that were found good. */
export class Membership {
  readonly #store: Store
  readonly #space: SpaceRecord
  readonly #crypto: Crypto
  readonly #verified = new Map<string, string>()

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
    const known = this.#verified.get(admission) ?? (await this.#stored(admission))
    if (known !== undefined) return known === opening.device
    const valid = await verifyAdmissions(this.#space, opening.device, chain, this.#crypto)
    if (valid) this.#verified.set(admission, opening.device)
    return valid
  }

  /** The device of an admission that was verified before it was stored. */
  async #stored(admission: string): Promise<string | undefined> {
    const chain = await this.#store.get(admissionKey(fromHex(admission)))
    if (!chain) return undefined
    const last = decodeList(chain).at(-1)
    const device = last ? decodeAdmission(last).device : this.#space.creator
    this.#verified.set(admission, device)
    return device
  }
}
