import type { Execution } from './knowledge.ts'

/** The command that ran, given its mark; also one that no longer counts, because others have seen it before a fork was proved. */
export type EffectOf = (mark: string) => Execution | undefined

interface Look {
  readonly generation: number
  readonly isPresent: boolean
  /** The changes of this generation. */
  readonly changes: readonly Execution[]
}

/** What the commands on one key of a map make of it, by the rules of entries. */
export class EntryHistory {
  readonly #key: string
  readonly #change: string
  readonly #removal: string
  readonly #effectOf: EffectOf
  readonly #generations = new Map<string, number | undefined>()

  constructor(key: string, change: string, removal: string, effectOf: EffectOf) {
    this.#key = key
    this.#change = change
    this.#removal = removal
    this.#effectOf = effectOf
  }

  /** The changes that make the value, given all effects; none if the key is absent. */
  changes(effects: readonly Execution[]): readonly Execution[] {
    const { isPresent, changes } = this.#look(effects)
    return isPresent ? changes : []
  }

  #look(among: readonly Execution[]): Look {
    const own = among.filter(({ input }) => input.key === this.#key)
    const of = (command: string): readonly Execution[] =>
      own.filter((each) => each.command === command && this.#generationOf(each) !== undefined)
    const all = [...of(this.#change), ...of(this.#removal)]
    const generation = Math.max(-1, ...all.map((each) => this.#generationOf(each)!))
    const current = (command: string): readonly Execution[] =>
      of(command).filter((each) => this.#generationOf(each) === generation)
    const changes = current(this.#change)
    const removals = current(this.#removal)
    const isPresent = changes.some(({ mark }) => !removals.some(({ seen }) => seen.has(mark)))
    return { generation, isPresent, changes }
  }

  /** The generation in which a command acts; `undefined` if it removes what its author does not see. */
  #generationOf(effect: Execution): number | undefined {
    const { mark, seen, command } = effect
    if (this.#generations.has(mark)) return this.#generations.get(mark)
    const saw = [...seen].map(this.#effectOf).filter((each) => each !== undefined)
    const { generation, isPresent } = this.#look(saw)
    // No generation begins where the author may miss what others see.
    const next = effect.isIncomplete ? Math.max(generation, 0) : generation + 1
    const renewed = command === this.#change ? next : undefined
    const own = isPresent ? generation : renewed
    this.#generations.set(mark, own)
    return own
  }
}
