import {
  decodeAdmission,
  decodeOpening,
  equalBytes,
  fromHex,
  isChainUnderstood,
  isUnderstood,
  limits,
  PeerplaneError,
  verifyAdmissions,
} from '@peerplane/core'
import type {
  Admission,
  Crypto,
  Opening,
  OpeningRecord,
  OpeningEvidence,
  SessionId,
  SpaceRecord,
  Store,
} from '@peerplane/core'

import { admissionKey } from '../storage/keys.ts'
import { decodeList, encodeList } from '../storage/records.ts'

/** An opening whose device is a member. The first batch shows whether the device made it. */
export interface VerifiedOpening extends OpeningRecord {
  /** Whether the opening, and the admissions of its device, have no unknown critical key. */
  readonly isUnderstood: boolean
  /** The chain of admissions that is to be stored with it; nothing if it is stored. */
  readonly chain: readonly Uint8Array[] | undefined
}

/** A chain of admissions as it is stored, under its last admission. */
interface StoredChain {
  readonly admission: Uint8Array
  readonly chain: Uint8Array
  readonly decoded: readonly Admission[]
}

/** Decides who may write: checks openings; a chain of admissions that is stored was found good. */
export class OpeningVerifier {
  readonly #store: Store
  readonly #space: SpaceRecord
  readonly #crypto: Crypto
  /** The stored chain that was looked up last: most sessions that come together are of one device. */
  #latest: StoredChain | undefined

  constructor(store: Store, space: SpaceRecord, crypto: Crypto) {
    this.#store = store
    this.#space = space
    this.#crypto = crypto
  }

  /** The opening of `session`. Throws `malformed`, `too-large`, `wrong-space`, `not-a-member` or `needs-update`. */
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
    this.#assertOurs(made)
    if (evidence.chain.length > limits.admissionChain) {
      throw new PeerplaneError('too-large', `a chain of ${evidence.chain.length} admissions`)
    }
    // The chain is stored and passed on with the session, so it must be one that was checked: the admission alone does not vouch for it.
    const stored = await this.#stored(made.opening.admission)
    const isStored = stored !== undefined && equalBytes(stored.chain, encodeList(evidence.chain))
    const chain = isStored ? stored.decoded : evidence.chain.map(decodeAdmission)
    if (!(await this.#admits(made, chain, isStored))) {
      throw new PeerplaneError('not-a-member', `device ${made.opening.device} was not admitted`)
    }
    return {
      ...made,
      isUnderstood: isSessionUnderstood(made.opening, chain),
      chain: isStored ? undefined : evidence.chain,
    }
  }

  /** Throws `wrong-space` for an opening of another space. */
  assertOurs(opening: Uint8Array): void {
    this.#assertOurs(decodeOpening(opening))
  }

  #assertOurs({ opening }: OpeningRecord): void {
    if (opening.space === this.#space.id) return
    throw new PeerplaneError('wrong-space', 'an opening belongs to another space')
  }

  /** A stored chain of admissions. It never changes. */
  async #stored(admission: Uint8Array): Promise<StoredChain | undefined> {
    if (this.#latest && equalBytes(this.#latest.admission, admission)) return this.#latest
    const chain = await this.#store.get(admissionKey(admission))
    if (!chain) return undefined
    this.#latest = { admission, chain, decoded: decodeList(chain).map(decodeAdmission) }
    return this.#latest
  }

  async #admits(
    { opening }: OpeningRecord,
    chain: readonly Admission[],
    isChecked: boolean,
  ): Promise<boolean> {
    const last = chain.at(-1)
    const expected = last?.id ?? fromHex(this.#space.id)
    if (!equalBytes(expected, opening.admission)) return false
    if (isChecked) return (last?.device ?? this.#space.creator) === opening.device
    return verifyAdmissions(this.#space, opening.device, chain, this.#crypto)
  }
}

/** Whether the commits of a session may have an effect here: nothing that lets its device write has an unknown critical key. */
export const isSessionUnderstood = (
  { extensions }: Pick<Opening, 'extensions'>,
  chain: readonly Admission[],
): boolean => isUnderstood(extensions) && isChainUnderstood(chain)
