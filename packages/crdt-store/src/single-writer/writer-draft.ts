import {
  limits,
  PeerplaneError,
  Rejected,
  type DeviceId,
  type Json,
  type Origin,
} from '@peerplane/core'

import { encodeBody, type Beginning, type WriterBody } from './body.ts'
import { branchesOf, strandOf, lastOf, nextNumber, type Strand, type Strands } from './strands.ts'
import type { NamedCommit } from '../kernels/commits.ts'
import type { WholeDraft } from '../whole/whole-content.ts'
import type { Based, Pen, WriterKind, Written } from './writing.ts'

/** What a draft needs of the state that it changes. */
export interface WriterPlace {
  readonly origin: Origin
  /** The only device that may write. */
  readonly owner: DeviceId | undefined
  readonly strands: Strands
  /** Puts the strand of the session with what was written in its place. Throws `too-large`. */
  readonly written: (strand: Strand) => void
  /** Takes back what was written. */
  readonly reverted: () => void
}

/** A branch, as a handler sees it. */
interface BranchView {
  readonly key: string
  readonly writer: DeviceId
  readonly number: number
  readonly value: Json
  readonly incomplete: boolean
}

/** A command in progress on a state with a single writer. The state changes when the draft is finished. */
export class WriterDraft implements WholeDraft {
  readonly handle: object
  readonly #kind: WriterKind
  readonly #place: WriterPlace
  /** Those of the state, the shown one first. */
  readonly #branches: readonly Strand[]
  readonly #pen: Pen
  #chosen: Strand | undefined
  #isOpen = true
  #isPaused = false

  constructor(kind: WriterKind, place: WriterPlace) {
    this.#kind = kind
    this.#place = place
    this.#branches = branchesOf(place.strands)
    this.#pen = kind.write(() => this.#base.value)
    this.handle = this.#makeHandle()
  }

  get isUsed(): boolean {
    return this.#chosen !== undefined || this.#pen.count > 0
  }

  checkDelete(): void {
    this.#requireOpen()
    this.#requireOwner()
    this.#requireShownWriter()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  finish(): Uint8Array | undefined {
    this.#isOpen = false
    const written = this.#pen.written()
    if (!this.isUsed) return undefined
    const { strand, body } = this.#continues ? this.#continued(written!) : this.#begun(written)
    const bytes = encodeBody(body)
    if (bytes.length > limits.commitBytes) {
      const reason = `the changes of one command have ${bytes.length} bytes`
      throw new PeerplaneError('too-large', reason)
    }
    this.#place.written(strand)
    return bytes
  }

  revert(): void {
    this.#isOpen = false
    this.#place.reverted()
  }

  #makeHandle(): object {
    const open = (): void => this.#requireOpen()
    const pen = this.#pen
    const branches = (): readonly BranchView[] => this.#shownBranches()
    const base = {
      get value(): Json {
        open()
        return pen.value
      },
      get branches(): readonly BranchView[] {
        open()
        return branches()
      },
      choose: (key: unknown) => this.#choose(key),
    }
    const members = pen.members(() => this.#requireWriter())
    return Object.freeze(Object.defineProperties(base, Object.getOwnPropertyDescriptors(members)))
  }

  /** What is written stands on this. */
  get #base(): Based {
    return this.#chosen ?? this.#branches[0] ?? { value: this.#kind.initial, number: 0 }
  }

  /** Whether the session goes on with what it has written before. */
  get #continues(): boolean {
    return !this.#chosen && this.#branches[0]?.session === this.#place.origin.session
  }

  #shownBranches(): readonly BranchView[] {
    const [shown, ...others] = this.#branches
    if (!this.isUsed) return Object.freeze(this.#branches.map(viewOf))
    const { session, device } = this.#place.origin
    const number = this.#base.number + this.#pen.count
    const isIncomplete = this.#continues && shown!.isIncomplete
    const own = { session, device, number, value: this.#pen.value, isIncomplete }
    return Object.freeze([own, ...(this.#chosen ? [] : others)].map(viewOf))
  }

  #choose(key: unknown): void {
    this.#requireOpen()
    this.#requireOwner()
    const branch = this.#branches.find(({ session }) => session === key)
    if (!branch) throw new Rejected('absent', 'the entity has no such branch')
    if (this.isUsed) {
      throw new PeerplaneError('invalid-input', 'a command chooses a branch before it writes')
    }
    // Its own next session continues it anyway.
    if (this.#branches.length === 1 && branch.device === this.#place.origin.device) return
    this.#chosen = branch
  }

  #requireWriter(): void {
    this.#requireOpen()
    this.#requireOwner()
    this.#requireShownWriter()
    const [, ...others] = this.#branches
    const { session } = this.#place.origin
    if (!this.#chosen && others.some((each) => each.session === session)) {
      throw new Rejected('conflict', 'this entity has several branches; choose one of them')
    }
  }

  #requireShownWriter(): void {
    const [shown] = this.#branches
    if (!shown || this.#chosen || shown.device === this.#place.origin.device) return
    const reason = `device ${shown.device.slice(0, 8)} writes this entity; choose its branch to write it from here`
    throw new Rejected('not-writer', reason)
  }

  #requireOwner(): void {
    const { origin, owner } = this.#place
    if (owner === undefined || owner === origin.device) return
    throw new Rejected('not-writer', `only device ${owner.slice(0, 8)} may write this entity`)
  }

  #continued(written: Written): { readonly strand: Strand; readonly body: WriterBody } {
    const before = this.#branches[0]!
    const number = nextNumber(before.number, this.#pen.count)
    const strand = this.#strandOf({ ...before, number, value: written.value })
    return { strand, body: this.#kind.continued(written) }
  }

  #begun(written: Written | undefined): { readonly strand: Strand; readonly body: WriterBody } {
    const begun = this.#kind.begun(this.#base, written)
    const [names, rank] = [this.#names(), this.#rank()]
    const number = nextNumber(begun.number, begun.events.length)
    const value = written ? written.value : begun.value
    return {
      strand: this.#strandOf({ names, rank, number, value }),
      body: { form: 'beginning', names, rank, ...begun },
    }
  }

  #strandOf(made: Beginning): Strand {
    const { device, session, seq } = this.#place.origin
    return strandOf(
      { isIncomplete: false, ...made, device, session, seq, prefix: '' },
      this.#kind.values,
    )
  }

  /** All that a body of this session must name: other sessions may forget that they have named it. */
  #names(): readonly NamedCommit[] {
    const { origin, strands } = this.#place
    const first = this.#chosen ? this.#branches : this.#branches.slice(0, 1)
    const rest = [...strands.values()].filter((each) => !this.#branches.includes(each))
    return [...first, ...rest.sort((a, b) => b.rank - a.rank)]
      .filter((each) => each.session !== origin.session)
      .slice(0, limits.branchNames)
      .map(lastOf)
  }

  #rank(): number {
    const { strands, origin } = this.#place
    let rank = origin.time.ms
    for (const each of strands.values()) {
      if (each.device === origin.device) rank = Math.max(rank, each.rank + 1)
    }
    return Math.min(rank, Number.MAX_SAFE_INTEGER)
  }

  #requireOpen(): void {
    if (this.#isOpen && !this.#isPaused) return
    throw new PeerplaneError('handler-failed', 'a handler used its state after it had returned')
  }
}

const viewOf = ({
  session,
  device,
  number,
  value,
  isIncomplete,
}: Pick<Strand, 'session' | 'device' | 'number' | 'value' | 'isIncomplete'>): BranchView =>
  Object.freeze({ key: session, writer: device, number, value, incomplete: isIncomplete })
