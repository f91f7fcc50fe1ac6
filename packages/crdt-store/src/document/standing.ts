/** The last value that an actor has put at a place. */
interface LastValue {
  readonly actor: number
  counter: number
  /** Operations that have replaced it: actor and counter in turn. */
  replacedBy: number[]
  /** That of another actor at the same place. */
  readonly next: LastValue | undefined
}

/** One number for a container and a key. */
export const placeOf = (container: number, key: number): number => container * 2 ** 26 + key

/** Whether an operation may know of another one, by actor and counter. */
export type Knows = (actor: number, counter: number) => boolean

/**
 * The last value of each actor at each key of a map and over each changed item of a list.
 *
 * Who puts a value takes the place of the own value there, unless it knows that this was replaced already. So an actor leaves one
 * value at a place, however often it writes. Otherwise the next author would have to name any number of values.
 */
export class Standing {
  readonly #places = new Map<number, LastValue>()

  /** The counter of the value that a new value of an actor must replace. */
  mustReplace(place: number, actor: number, counter: number, knows: Knows): number | undefined {
    const last = this.#find(place, actor)
    // An equal one was taken back, and is put again.
    if (!last || last.counter >= counter) return undefined
    const { replacedBy } = last
    for (let at = 0; at < replacedBy.length; at += 2) {
      if (knows(replacedBy[at]!, replacedBy[at + 1]!)) return undefined
    }
    return last.counter
  }

  put(place: number, actor: number, counter: number): void {
    const last = this.#find(place, actor)
    if (last && last.counter > counter) return
    if (last) Object.assign(last, { counter, replacedBy: [] })
    else this.#places.set(place, { actor, counter, replacedBy: [], next: this.#places.get(place) })
  }

  /** An operation has replaced a value. */
  replace(
    place: number,
    [actor, counter]: readonly [actor: number, counter: number],
    by: readonly [actor: number, counter: number],
  ): void {
    const last = this.#find(place, actor)
    if (last?.counter === counter) last.replacedBy.push(...by)
  }

  #find(place: number, actor: number): LastValue | undefined {
    let each = this.#places.get(place)
    while (each && each.actor !== actor) each = each.next
    return each
  }
}
