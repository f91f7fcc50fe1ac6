import { breathe, settle } from '../adapters/settle.ts'
import { TimeQueue, type Timed } from './queue.ts'
import { SimRandom } from './random.ts'
import { Digest } from './digest.ts'

/** Whom an event happens to. */
export interface Subject {
  readonly alive: boolean
  /** Events before this virtual time wait for it. */
  readonly pausedUntil: number
}

interface Event extends Timed {
  readonly task: () => void
  readonly process: Subject | undefined
  readonly cancel: { asked: boolean }
}

/** Events between two turns of the rest of the host. */
const BREATHE_EVERY = 1024

/** Events that waited for a paused process come in about the order in which they were due. */
const CATCH_UP = 1e-7

/**
 * Virtual time. One event happens at a time; before the next one every promise has settled. All that is random comes from the seed, so a
 * seed is a run: the same events in the same order, on any machine.
 */
export class SimWorld {
  readonly seed: number
  readonly random: SimRandom
  readonly digest: Digest = new Digest()
  readonly #queue = new TimeQueue<Event>()
  readonly #ties: SimRandom
  #now = 0
  #events = 0
  #outside: Promise<unknown> | undefined

  constructor(seed: number) {
    this.seed = seed
    this.random = new SimRandom(`seed ${seed}`)
    this.#ties = this.random.stream('ties')
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Runs `task` after `delayMs`, in `process` if one is named. The returned function cancels it. */
  after(delayMs: number, task: () => void, process?: Subject): () => void {
    const cancel = { asked: false }
    this.#queue.push({ time: this.#now + delayMs, tie: this.#ties.bits(), task, process, cancel })
    return () => {
      cancel.asked = true
    }
  }

  /** Awaits work that is not under virtual time, such as real cryptography, one piece after the other, before the next event. */
  outside<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#outside ?? Promise.resolve()
    const result = before.then(work, work)
    // Ignored: the caller has it.
    const done: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#outside === done) this.#outside = undefined
      })
    this.#outside = done
    return result
  }

  /** Lets events happen until `done` says so, none is left, or `untilMs` is reached; says whether `done`. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    await this.#settle()
    while (!done()) {
      const event = this.#queue.peek()
      if (!event || event.time > untilMs) {
        this.#now = Math.max(this.#now, untilMs)
        return done()
      }
      this.#queue.pop()
      if (this.#skip(event)) continue
      this.#now = Math.max(this.#now, event.time)
      event.task()
      await (++this.#events % BREATHE_EVERY === 0 ? breathe() : settle())
      if (this.#outside) await this.#settle()
    }
    return true
  }

  #skip(event: Event): boolean {
    if (event.cancel.asked || event.process?.alive === false) return true
    const resumed = event.process?.pausedUntil ?? 0
    if (resumed <= event.time) return false
    this.#queue.push({ ...event, time: resumed + event.time * CATCH_UP })
    return true
  }

  async #settle(): Promise<void> {
    await settle()
    while (this.#outside) {
      await this.#outside
      await settle()
    }
  }
}
