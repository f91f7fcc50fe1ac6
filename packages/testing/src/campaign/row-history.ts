import type { Item, Json } from '@peerplane/core'

import type { Execution } from './knowledge.ts'
import { labelOf } from './rows.ts'

/** Checks which rows are in the list, each once, and how often each was moved. */
export function expectRows(
  value: Json | undefined,
  effects: readonly Execution[],
): string | undefined {
  const shown = (value as unknown as readonly Item<Row>[])
    .map(({ value: { label, moved } }) => `${label}: ${moved}`)
    .sort()
  const history = new RowHistory(effects)
  const present = effects
    .filter((put) => put.command === 'put' && history.isThere(put))
    .map((put) => `${labelOf(put.input.key, put.mark)}: ${history.moves(put).length}`)
    .sort()
  if (present.join() === shown.join()) return undefined
  return `rows are ${JSON.stringify(shown)} and should be ${JSON.stringify(present)}`
}

interface Row {
  readonly label: string
  readonly moved: number
}

/** Which commands found which rows. */
class RowHistory {
  readonly #effects: readonly Execution[]
  readonly #found = new Map<string, boolean>()

  constructor(effects: readonly Execution[]) {
    this.#effects = effects
  }

  /** Whether the row of `put` is there, in what one command saw or else in the end: something has touched it that no removal saw. */
  isThere(put: Execution, by?: Execution): boolean {
    const drops = this.#seenBy(by).filter(
      ({ command, input }) => command === 'drop' && input.key === put.input.key,
    )
    return [put, ...this.moves(put, by)].some(
      ({ mark }) => !drops.some(({ seen }) => seen.has(mark)),
    )
  }

  /** The commands that have moved the row of `put`. */
  moves(put: Execution, by?: Execution): readonly Execution[] {
    return this.#seenBy(by).filter(
      (shift) =>
        shift.command === 'shift' &&
        shift.input.key === put.input.key &&
        shift.seen.has(put.mark) &&
        this.#wasFound(put, shift),
    )
  }

  #wasFound(put: Execution, shift: Execution): boolean {
    const name = `${put.mark} ${shift.mark}`
    const found = this.#found.get(name) ?? this.isThere(put, shift)
    this.#found.set(name, found)
    return found
  }

  #seenBy(by: Execution | undefined): readonly Execution[] {
    return by ? this.#effects.filter(({ mark }) => by.seen.has(mark)) : this.#effects
  }
}
