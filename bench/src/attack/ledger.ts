import { timesOf, type Times } from './measured.ts'

interface Beat {
  readonly due: number
  acknowledged: number | undefined
  shown: number | undefined
}

/** Something that happened to a beat, by the clock that all processes share. */
export interface Mark {
  readonly number: number
  readonly at: number
}

/** Every honest write: when it was due, when it was acknowledged, when it was shown to another member. */
export class Ledger {
  readonly #beats = new Map<number, Beat>()
  #shown = 0
  /** When beats were shown of which the writer has not been heard yet: each process reports separately. */
  readonly #early = new Map<number, number>()
  #refusals: string[] = []

  /** The last beat. */
  get last(): number {
    return this.#beats.size
  }

  /** The last beat that was shown. */
  get lastShown(): number {
    return this.#shown
  }

  /** Errors of honest commands. */
  get refusals(): readonly string[] {
    return this.#refusals
  }

  due({ number, at }: Mark): void {
    const shown = this.#early.get(number)
    this.#early.delete(number)
    this.#beats.set(number, { due: at, acknowledged: undefined, shown })
  }

  acknowledged({ number, at }: Mark): void {
    this.#beats.get(number)!.acknowledged = at
  }

  refused(error: string): void {
    this.#refusals.push(error)
  }

  /** A member shows a beat, and with it the effect of all before. */
  shown({ number, at }: Mark): void {
    while (this.#shown < number) {
      const beat = this.#beats.get(++this.#shown)
      if (beat) beat.shown = at
      else this.#early.set(this.#shown, at)
    }
  }

  /** Times of the beats that were due from one moment to another; what has not happened yet took as long as until now. */
  between(from: number, to: number, now: number): { acknowledged: Times; shown: Times } {
    const beats = [...this.#beats.values()].filter(({ due }) => due >= from && due < to)
    const since = (key: 'acknowledged' | 'shown'): Times =>
      timesOf(beats.map((beat) => (beat[key] ?? now) - beat.due))
    return { acknowledged: since('acknowledged'), shown: since('shown') }
  }
}
