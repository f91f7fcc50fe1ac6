import {
  encodeCanonical,
  fromHex,
  limits,
  PREFIX_BYTES,
  SESSION_BYTES,
  toHex,
  type Body,
  type DeviceId,
  type EntitySize,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import { commitsToValue, readCommits } from '../kernels/commits.ts'
import { items, Void, whole } from '../kernels/void.ts'
import { isLarge, requireRoom, sizeOf } from '../kernels/weight.ts'
import type { WholeDraft, WholeState } from '../whole/whole-content.ts'
import { readBody, type OtherBody, type WriterBody } from './body.ts'
import {
  branchesOf,
  strandOf,
  nextNumber,
  noStrands,
  withStrand,
  type Strand,
  type Strands,
} from './strands.ts'
import type { SettledValues } from './settled-values.ts'
import { WriterDraft } from './writer-draft.ts'
import type { WriterKind } from './writing.ts'

/*
 *   snapshot   [[device, session, seq, prefix, rank, number, value, incomplete, names], …]   the strands, in the order of their sessions
 */

/** The state of one entity with a single writer. */
export class WriterState implements WholeState {
  readonly version = ''
  readonly #kind: WriterKind
  /** The only device that may write, if the id of the entity names one. */
  readonly #owner: DeviceId | undefined
  #strands: Strands
  /** Found when they are needed. */
  #branches: readonly Strand[] | undefined
  #mirror: Json | undefined
  #problem: string | undefined
  #skipped: string | undefined

  constructor(kind: WriterKind, owner: DeviceId | undefined, strands: Strands = noStrands) {
    this.#kind = kind
    this.#owner = owner
    this.#strands = strands
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get skipped(): string | undefined {
    return this.#skipped
  }

  get mirror(): Json {
    if (this.#mirror !== undefined) return this.#mirror
    const [shown] = this.#shown
    return (this.#mirror = shown ? shown.value : this.#kind.initial)
  }

  get hasConflict(): boolean {
    return this.#shown.length > 1
  }

  get size(): EntitySize {
    return sizeOf(weightOf(this.#strands), this.#shown[0]?.number ?? 0)
  }

  get isLarge(): boolean {
    return isLarge(weightOf(this.#strands))
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    const wrong = bodies.filter((body) => !this.#problem && !this.#foldOne(body))
    if (weightOf(this.#strands) > limits.entityBytes) this.#giveUp()
    return wrong
  }

  begin(origin: Origin): WholeDraft {
    const before = this.#strands
    const most = Math.max(limits.entityCommandBytes, weightOf(before))
    return new WriterDraft(this.#kind, {
      origin,
      owner: this.#owner,
      strands: before,
      written: (strand) => {
        const strands = withStrand(before, strand)
        requireRoom(weightOf(strands), most)
        this.#show(strands)
      },
      reverted: () => this.#show(before),
    })
  }

  identify({ origin: { session, seq }, prefix }: Body): void {
    const made = this.#strands.get(session)
    if (made?.seq !== seq || made.prefix !== '') return
    this.#strands = new Map(this.#strands).set(session, { ...made, prefix })
    this.#branches = undefined
  }

  snapshot(): Uint8Array {
    const sessions = [...this.#strands.keys()].sort()
    return encodeCanonical(sessions.map((session) => saveStrand(this.#strands.get(session)!)))
  }

  close(): void {}

  /** Whether the body keeps the rules. */
  #foldOne({ origin, prefix, bytes }: Body): boolean {
    const strand = this.#strands.get(origin.session)
    if (strand && origin.seq <= strand.seq) return true
    try {
      const body = readBody(bytes, origin.session)
      this.#add(strand, body, origin, prefix)
      return true
    } catch (error) {
      if (error instanceof Void) return false
      throw error
    }
  }

  #add(
    strand: Strand | undefined,
    body: WriterBody | OtherBody,
    { device, session, seq }: Origin,
    prefix: string,
  ): void {
    if (body.form === 'other') {
      this.#skipped ??= 'it was written as another kind of state'
      return
    }
    const begun = body.form === 'beginning' ? { ...body, isIncomplete: false } : strand
    // Without what the session began with, for example because its device has begun many since.
    if (!begun) return
    const added = this.#kind.add(begun.value, body)
    if (!added) {
      this.#skipped ??= `it was written as ${body.form} and is declared as another kind of state`
      return
    }
    this.#skipped ??= added.skipped
    const { names } = begun
    // The rank of a session only grows; see `withStrand`.
    const rank = Math.max(begun.rank, strand?.rank ?? 0)
    const number = nextNumber(begun.number, added.count)
    const isIncomplete = begun.isIncomplete || added.skipped !== undefined
    const { value } = added
    this.#show(
      withStrand(
        this.#strands,
        strandOf(
          { device, session, seq, prefix, rank, number, value, isIncomplete, names },
          this.#kind.values,
        ),
      ),
    )
  }

  get #shown(): readonly Strand[] {
    return (this.#branches ??= branchesOf(this.#strands))
  }

  #show(strands: Strands): void {
    this.#strands = strands
    this.#branches = undefined
    this.#mirror = undefined
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `it holds more than ${limits.entityBytes} bytes`
    this.#show(noStrands)
  }
}

/** The strands of a snapshot. Throws for anything but a snapshot. */
export function loadStrands(snapshot: Value, values: SettledValues): Strands {
  return new Map(
    items(snapshot).map((saved) => {
      const strand = loadStrand(saved, values)
      return [strand.session, strand]
    }),
  )
}

function saveStrand(strand: Strand): Value {
  const { device, session, seq, prefix, rank, number, value, isIncomplete, names } = strand
  const ids = [fromHex(device), fromHex(session), seq, fromHex(prefix)]
  return [...ids, rank, number, value, isIncomplete, commitsToValue(names)]
}

function loadStrand(saved: Value, values: SettledValues): Strand {
  const [device, session, seq, prefix, rank, number, value, isIncomplete, names] = items(saved, 9)
  return strandOf(
    {
      device: hex(device, DEVICE_BYTES) as DeviceId,
      session: hex(session, SESSION_BYTES) as SessionId,
      seq: whole(seq, 1),
      prefix: hex(prefix, PREFIX_BYTES),
      rank: whole(rank),
      number: whole(number),
      value: value as Json,
      isIncomplete: isIncomplete === true,
      names: readCommits(names),
    },
    values,
  )
}

const DEVICE_BYTES = 32

function hex(value: Value | undefined, length: number): string {
  if (!(value instanceof Uint8Array) || value.length !== length) throw new Void('not an id')
  return toHex(value)
}

function weightOf(strands: Strands): number {
  let sum = 0
  for (const { weight } of strands.values()) sum += weight
  return sum
}
