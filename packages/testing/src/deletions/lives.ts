/** A command on an entity, as it ran. */
export interface Lived {
  readonly mark: string
  readonly command: string
  readonly by: number
  /** All commands that were known where it ran. */
  readonly seen: ReadonlySet<string>
}

/** What an entity holds: the commands of its generation. */
interface Life {
  readonly generation: number
  readonly exists: boolean
  readonly changes: readonly Lived[]
}

/** What the commands on one entity make of it, by the rules of entities. */
export class Lives {
  readonly #all: readonly Lived[]
  readonly #removalWins: boolean
  readonly #generations = new Map<string, number | undefined>()

  constructor(all: readonly Lived[], wins: 'update' | 'removal') {
    this.#all = all
    this.#removalWins = wins === 'removal'
  }

  /** The changes that an entity shows where these commands are known; none if it does not exist. */
  changes(known: ReadonlySet<string>): readonly Lived[] {
    const { exists, changes } = this.#lifeOf(known)
    return exists ? changes : []
  }

  #lifeOf(known: ReadonlySet<string>): Life {
    const acting = this.#all.filter(
      (each) => known.has(each.mark) && this.#generationOf(each) !== undefined,
    )
    const generation = Math.max(-1, ...acting.map((each) => this.#generationOf(each)!))
    const current = acting.filter((each) => this.#generationOf(each) === generation)
    const removals = current.filter(({ command }) => command === 'remove')
    const changes = current.filter(({ command }) => command !== 'remove')
    const isClosed = this.#removalWins && removals.length > 0
    const isLeft = ({ mark }: Lived): boolean => !removals.some(({ seen }) => seen.has(mark))
    return { generation, exists: !isClosed && changes.some(isLeft), changes }
  }

  /** The generation in which a command acts; `undefined` if it deletes what does not exist. */
  #generationOf(each: Lived): number | undefined {
    const { mark, command, seen } = each
    if (this.#generations.has(mark)) return this.#generations.get(mark)
    const { generation, exists } = this.#lifeOf(seen)
    const isSame = exists && command !== 'renew'
    const next = command === 'remove' ? undefined : generation + 1
    const own = isSame ? generation : next
    this.#generations.set(mark, own)
    return own
  }
}
