import type { Knowledge } from './knowledge.ts'

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
    const marks = marksIn(frame)
    if (marks.length === 0) return
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

const TILDE = 0x7e
const LETTER_W = 0x77

/** Finds the names of commands, `~w` digits `~`, in a passing frame. */
function marksIn(frame: Uint8Array): string[] {
  const marks: string[] = []
  for (let at = frame.indexOf(TILDE); at >= 0; at = frame.indexOf(TILDE, at + 1)) {
    if (frame[at + 1] !== LETTER_W) continue
    let number = 0
    let end = at + 2
    for (; isDigit(frame[end]); end++) number = 10 * number + frame[end]! - 0x30
    if (end > at + 2 && frame[end] === TILDE) marks.push(`~w${number}~`)
  }
  return marks
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39
