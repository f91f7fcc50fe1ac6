import type { SimRandom } from '../world/random.ts'
import type { SimWorld } from '../world/world.ts'

/** What one direction of a connection does to frames. */
export interface PipeWeather {
  /** Shortest time in flight, milliseconds. */
  readonly latencyMs: number
  /** Mean of what comes on top, exponentially distributed. */
  readonly jitterMs: number
  /** Bytes per millisecond. */
  readonly rate: number
}

interface Sent {
  readonly frame: Uint8Array
  readonly sentMs: number
}

/** Bytes that may be in flight in one direction before the sender has to wait. */
const WINDOW_BYTES = 256 * 1024

/**
 * One direction of a connection: frames arrive in order, each once, or the connection ends. While the direction is cut they are held, as a
 * transport that repeats itself would.
 */
export class Pipe {
  readonly #world: SimWorld
  readonly #random: SimRandom
  readonly #weather: PipeWeather
  readonly #arrived: (frame: Uint8Array, sentMs: number) => void
  readonly #cut: () => boolean
  #flying: Sent[] = []
  #held: Sent[] = []
  #unread = 0
  #lastArrival = 0
  #waiting: (() => void)[] = []
  #ended = false

  constructor(
    world: SimWorld,
    random: SimRandom,
    weather: PipeWeather,
    cut: () => boolean,
    arrived: (frame: Uint8Array, sentMs: number) => void,
  ) {
    this.#world = world
    this.#random = random
    this.#weather = weather
    this.#cut = cut
    this.#arrived = arrived
  }

  /** Takes a frame, and resolves when it can take another one. */
  send(frame: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#unread += frame.length
    const sent: Sent = { frame, sentMs: this.#world.now }
    if (this.#held.length > 0 || this.#cut()) this.#held.push(sent)
    else this.#launch(sent)
    if (this.#unread < WINDOW_BYTES) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The receiver has dealt with this many bytes. */
  read(bytes: number): void {
    this.#unread -= bytes
    if (this.#unread < WINDOW_BYTES) this.#release()
  }

  /** Lets frames go that were held by a cut. */
  heal(): void {
    for (const sent of this.#held.splice(0)) this.#launch(sent)
  }

  /** Loses what is in flight. */
  drop(): void {
    this.#ended = true
    this.#flying = []
    this.#held = []
    this.#release()
  }

  #launch(sent: Sent): void {
    const { frame } = sent
    const { latencyMs, jitterMs, rate } = this.#weather
    const delay = latencyMs + this.#random.exponential(jitterMs) + frame.length / rate
    const arrival = Math.max(this.#lastArrival + frame.length / rate, this.#world.now + delay)
    this.#lastArrival = arrival
    this.#flying.push(sent)
    this.#world.after(arrival - this.#world.now, () => {
      // The oldest frame arrives, whatever event has come first: events of one moment have no order.
      const oldest = this.#flying.shift()
      if (oldest === undefined) return
      if (this.#held.length > 0 || this.#cut()) this.#held.push(oldest)
      else this.#arrived(oldest.frame, oldest.sentMs)
    })
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
