import type { Appended, DeviceId, Json, SessionId } from '@peerplane/core'

import type { StrongVerdict } from './records.ts'

/** A command that a caller asks a home to decide. */
export interface StrongCommand {
  /** The device that owns the outbox. */
  readonly device: DeviceId
  readonly outbox: SessionId
  /** The number of the command in its outbox. */
  readonly n: number
  /** The number of the caller's previous command on this entity, or 0. */
  readonly previous: number
  /** The caller knows the outcomes of all its commands up to this number. */
  readonly known: number
  readonly type: string
  readonly id: string
  readonly command: string
  readonly input?: Json | undefined
}

/** An answer that depends on the state or the outcomes of a shard. It leaves the home only if the lease held after the question had arrived. */
export type Confirmed =
  | StrongVerdict
  | { readonly outcome: 'state'; readonly number: number; readonly state: Json }
  /** The command was decided; the caller has confirmed that it knows the outcome. */
  | { readonly outcome: 'executed' }
  /** The caller's previous command on the entity is not decided yet. */
  | { readonly outcome: 'early' }
  /** The outbox has given the number to another command before. */
  | { readonly outcome: 'misused' }

/** An answer of a home that decides nothing. The caller asks again, here or elsewhere. */
export type Undecided =
  | { readonly outcome: 'elsewhere'; readonly holder: string | undefined }
  | { readonly outcome: 'unavailable'; readonly reason: string }

export type StrongAnswer = Confirmed | Undecided

/** The answers of one group. Nobody can read them; they are opened by the append of the group, or replaced. */
export class SealedAnswers {
  readonly #sealed: {
    readonly tell: (answer: StrongAnswer) => void
    readonly answer: StrongAnswer
  }[] = []

  /** `tell` is called once. */
  add(tell: (answer: StrongAnswer) => void, answer: StrongAnswer): void {
    this.#sealed.push({ tell, answer })
  }

  /** Tells the answers if the append of the group was written, and returns whether it was. */
  open({ outcome }: Appended): boolean {
    if (outcome !== 'written') return false
    for (const { tell, answer } of this.#sealed.splice(0)) tell(answer)
    return true
  }

  /** Tells all callers that nothing was decided. */
  replace(answer: Undecided): void {
    for (const { tell } of this.#sealed.splice(0)) tell(answer)
  }
}
