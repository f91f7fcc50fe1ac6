import {
  compareTimestamps,
  limits,
  type Perturb,
  type Replica,
  type Run,
  type SessionId,
  type Timestamp,
} from '@peerplane/core'

import { outlineOf } from '../wire/batch-outline.ts'
import { sizeOfRun, type CommitRange } from '../wire/messages.ts'

/** A range that has been sent up to commit `to`; incomplete when no more of it can be read. */
interface ServedRange {
  readonly session: SessionId
  readonly to: number
  readonly complete: boolean
}

/** What serving calls. */
export interface ServingPorts {
  readonly replica: Pick<Replica, 'range'>
  readonly perturb?: Perturb | undefined
  /** Resolves when the link takes more. */
  readonly send: (runs: readonly Run[]) => Promise<void>
  readonly done: (range: ServedRange) => void
  /** The log could not be read; the range is given up. */
  readonly failed: (error: unknown) => void
}

/**
 * Bytes of all the pieces of one round: two seconds at 1 Mbit/s, so that a slow link shows progress in time. Many sessions share it, because
 * what depends on a later piece of another session waits at the receiver.
 */
const ROUND_BYTES = 256 * 1024
const PIECE_BYTES = 16 * 1024
/** A range of at most so many bytes is read once; a longer one again, when it is sent. */
const SHORT_BYTES = 1024
/** Before every commit: a range of which nothing can be read is looked at, and given up, first. */
const START: Timestamp = { ms: 0, counter: 0 }

/**
 * Sends the pieces of all ranges of one link in the order of their hybrid clocks, in which a commit comes after those that it depends on: so a
 * receiver rarely holds a commit whose dependencies are still to come. Only one message is in memory at a time.
 */
export class Serving {
  readonly #ports: ServingPorts
  readonly #waiting = new Map<SessionId, Waiting>()
  #running = false
  #stopped = false

  constructor(ports: ServingPorts) {
    this.#ports = ports
  }

  /** Adds a range; it replaces a pending one of the same session. */
  add({ session, from, to }: CommitRange): void {
    if (this.#stopped) return
    this.#waiting.set(session, { session, sent: from - 1, to, time: undefined })
    this.#start()
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stopped = true
    this.#waiting.clear()
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    // Not before everything that is being asked for at once has been added: the oldest goes first.
    void Promise.resolve()
      .then(() => this.#run())
      .catch((error: unknown) => {
        this.#waiting.clear()
        this.#ports.failed(error)
      })
      .then(() => {
        this.#running = false
        // Something may have been added since the last look.
        if (this.#waiting.size > 0) this.#start()
      })
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const { runs, ended } = await this.#collect()
      if (this.#stopped) return
      if (runs.length > 0) await this.#ports.send(runs)
      // One that has been replaced meanwhile goes on.
      for (const range of ended) if (!this.#waiting.has(range.session)) this.#ports.done(range)
    }
  }

  /** The pieces of the next message: short ones of several ranges, or one. */
  async #collect(): Promise<{ readonly runs: Run[]; readonly ended: ServedRange[] }> {
    const runs: Run[] = []
    const ended: ServedRange[] = []
    let size = 0
    while (runs.length < limits.runsPerMessage) {
      const next = await this.#earliest()
      if (!next || runs.some(({ session }) => session === next.session)) break
      const piece = next.whole ?? (await this.#read(next, this.#pieceBytes()))
      // It may have been replaced while it was read.
      if (this.#waiting.get(next.session) !== next) continue
      if (piece) {
        size += sizeOfRun(piece)
        if (runs.length > 0 && size > limits.runsBytes) break
        runs.push(piece)
        // Nothing comes after the proof of a fork, whatever was asked for.
        next.sent = piece.fork ? next.to : end(piece)
        next.time = undefined
      }
      const { session, sent: to } = next
      const complete = to >= next.to
      if (piece && !complete) continue
      this.#waiting.delete(session)
      ended.push({ session, to, complete })
    }
    return { runs, ended }
  }

  #pieceBytes(): number {
    if (this.#ports.perturb?.('small-piece')) return 1
    return Math.max(PIECE_BYTES, ROUND_BYTES / this.#waiting.size)
  }

  /** The range whose next commit is the oldest. */
  async #earliest(): Promise<Waiting | undefined> {
    let first: Waiting | undefined
    for (const range of this.#waiting.values()) {
      if (this.#waiting.size > 1) range.time ??= await this.#timeOf(range)
      if (!first || compareTimestamps(range.time ?? START, first.time ?? START) < 0) first = range
    }
    return first
  }

  async #timeOf(range: Waiting): Promise<Timestamp | undefined> {
    const piece = await this.#read(range, 1)
    const batch = piece?.batches[0]
    if (batch && batch.length <= SHORT_BYTES && end(piece) >= range.to) range.whole = piece
    return batch && outlineOf(batch).time
  }

  async #read(range: Waiting, maxBytes: number): Promise<Run | undefined> {
    const { replica, failed } = this.#ports
    try {
      return await replica.range(range.session, range.sent + 1, Math.floor(maxBytes))
    } catch (error) {
      failed(error)
      return undefined
    }
  }
}

interface Waiting {
  readonly session: SessionId
  readonly to: number
  /** The last commit that has been sent. */
  sent: number
  /** Time of the commit after it, once it is known. */
  time: Timestamp | undefined
  /** All of it, if it is short and was read to learn its time. */
  whole?: Run
}

const end = (run: Run): number =>
  run.batches.reduce((seq, batch) => seq + outlineOf(batch).commits, run.from - 1)
