import { NONE } from './run-length.ts'

/** What kind of container an operation made. */
export type ContainerType = 'map' | 'list' | 'text'

/** Where an operation stands. Two operations have one place when they set the same key, or the same item. */
export interface ContainerKey {
  /** Number of the container here. */
  readonly container: number
  /** Number of the key here; `INSERTED` for an operation that inserted an item, whose key it is from then on. */
  readonly key: number
}

/** The outermost map. */
export const ROOT = 0
/** Key of an operation that inserted its own item. */
export const INSERTED = -2

/** What one actor has done. */
interface Actor {
  /** Of each change, in the order of their numbers: first and last counter, and where its rows start. */
  readonly starts: number[]
  readonly lasts: number[]
  readonly bases: number[]
  /** Two numbers per operation, as in {@link ContainerKey}; the container of one that left nothing behind is `NONE`. */
  rows: Int32Array
  used: number
}

/**
 * Where each operation of a document stands, by actor and counter: 8 bytes per operation.
 *
 * Actors, containers and keys have numbers here, in the order in which they were first seen.
 */
export class OperationIndex {
  readonly #actors: Actor[] = []
  readonly #actorNumbers = new Map<string, number>()
  readonly #types: ContainerType[] = ['map']
  /** How deep each container lies; the outermost map at 0. */
  readonly #depths: number[] = [0]
  /** How many operations were made in each container. */
  readonly #sizes: number[] = [0]
  /** Containers by the operation that made them. */
  readonly #containers = new Map<number, number>()
  readonly #keys = new Map<string, number>()

  actorNumber(actor: string): number | undefined {
    return this.#actorNumbers.get(actor)
  }

  /** The number of an actor, which is new if need be. */
  addActor(actor: string): number {
    const known = this.#actorNumbers.get(actor)
    if (known !== undefined) return known
    const number = this.#actors.length
    this.#actors.push({
      starts: [],
      lasts: [],
      bases: [],
      rows: new Int32Array(32),
      used: 0,
    })
    this.#actorNumbers.set(actor, number)
    return number
  }

  get actorCount(): number {
    return this.#actors.length
  }

  /** How many changes of an actor are known. */
  changeCount(actor: number): number {
    return this.#actors[actor]?.lasts.length ?? 0
  }

  /** Counter of the last operation of the first `changes` changes of an actor; 0 without any. */
  lastOp(actor: number, changes: number): number {
    return this.#actors[actor]?.lasts[changes - 1] ?? 0
  }

  /** The next change of an actor, whose operations are put by `put`; until then they have left nothing behind. */
  addChange(actor: number, startOp: number, lastOp: number): void {
    const known = this.#actors[actor]!
    known.starts.push(startOp)
    known.lasts.push(lastOp)
    known.bases.push(known.used)
    const used = known.used + 2 * (lastOp - startOp + 1)
    if (used > known.rows.length) {
      const rows = new Int32Array(Math.max(used, 2 * known.rows.length))
      rows.set(known.rows)
      known.rows = rows
    }
    known.rows.fill(NONE, known.used, used)
    known.used = used
  }

  /** Takes the last change of an actor back, and the containers it made. */
  removeChange(actor: number): void {
    const known = this.#actors[actor]!
    const start = known.starts.pop()!
    const last = known.lasts.pop()!
    known.used = known.bases.pop()!
    for (let counter = start; counter <= last; counter++) {
      // Their numbers stay unused.
      this.#containers.delete(idOf(actor, counter))
    }
  }

  put(actor: number, counter: number, container: number, key: number): void {
    const at = this.#rowOf(actor, counter)
    if (at === undefined) return
    const { rows } = this.#actors[actor]!
    rows[at] = container
    this.#sizes[container]!++
    rows[at + 1] = key
  }

  /** Where an operation stands; `undefined` for one that is unknown or left nothing behind. */
  find(actor: number, counter: number): ContainerKey | undefined {
    const at = this.#rowOf(actor, counter)
    if (at === undefined) return undefined
    const { rows } = this.#actors[actor]!
    return rows[at] === NONE ? undefined : { container: rows[at]!, key: rows[at + 1]! }
  }

  /** `depth` is at hand where the container that it lies in is. */
  addContainer(actor: number, counter: number, type: ContainerType, depth: number): number {
    this.#types.push(type)
    this.#depths.push(depth)
    this.#sizes.push(0)
    this.#containers.set(idOf(actor, counter), this.#types.length - 1)
    return this.#types.length - 1
  }

  /** The container that an operation made. */
  containerOf(actor: number, counter: number): number | undefined {
    return this.#containers.get(idOf(actor, counter))
  }

  typeOf(container: number): ContainerType {
    return this.#types[container]!
  }

  sizeOf(container: number): number {
    return this.#sizes[container]!
  }

  depthOf(container: number): number {
    return this.#depths[container]!
  }

  /** The number of a key of maps. */
  keyOfText(text: string): number {
    return this.#key(`.${text}`)
  }

  /** The number of the key that an item has which this operation inserted. */
  keyOfItem(actor: number, counter: number): number {
    return this.#key(`${counter}@${actor}`)
  }

  /** The same where something has been set over the item. */
  knownKeyOfItem(actor: number, counter: number): number | undefined {
    return this.#keys.get(`${counter}@${actor}`)
  }

  #key(name: string): number {
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    this.#keys.set(name, this.#keys.size)
    return this.#keys.size - 1
  }

  #rowOf(actor: number, counter: number): number | undefined {
    const known = this.#actors[actor]
    if (!known) return undefined
    let low = 0
    let high = known.starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (known.starts[middle]! <= counter) low = middle + 1
      else high = middle
    }
    const change = low - 1
    if (change < 0 || counter > known.lasts[change]!) return undefined
    return known.bases[change]! + 2 * (counter - known.starts[change]!)
  }
}

const idOf = (actor: number, counter: number): number => actor * 2 ** 31 + counter
