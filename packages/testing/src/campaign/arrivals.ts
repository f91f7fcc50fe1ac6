import type { Knowledge } from './knowledge.ts'

/** Finds the names of commands in passing frames. */
const MARKS = /~w\d+~/g
const latin1 = new TextDecoder('latin1')

/**
 * Counts the commands that reached a device before one of their causes did, by reading along on the simulated network: a campaign in which
 * nothing ever overtakes anything has not tested causal delivery.
 */
export class Arrivals {
  overtook = 0
  readonly #knowledge: Knowledge
  readonly #arrived = new Map<string, Set<string>>()

  constructor(knowledge: Knowledge) {
    this.#knowledge = knowledge
  }

  /** A frame comes to a process that shows `visible` at this moment. */
  frame(process: string, visible: ReadonlySet<string>, frame: Uint8Array): void {
    const marks = latin1.decode(frame).match(MARKS)
    if (!marks) return
    let arrived = this.#arrived.get(process)
    if (!arrived) this.#arrived.set(process, (arrived = new Set()))
    const fresh = new Set(marks.filter((mark) => !arrived.has(mark) && !visible.has(mark)))
    for (const mark of fresh) arrived.add(mark)
    for (const mark of fresh) {
      for (const cause of this.#knowledge.step(mark)?.context ?? []) {
        if (visible.has(cause) || arrived.has(cause)) continue
        this.overtook++
        break
      }
    }
  }
}
