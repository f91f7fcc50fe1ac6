import {
  compareTimestamps,
  type Perturb,
  type Replica,
  type Run,
  type SessionId,
  type Timestamp,
} from '@peerplane/core'

import { outlineOf } from '../wire/batch-outline.ts'
import type { CommitRange } from '../wire/messages.ts'

/** Sends ranges over one link. */
export interface Serving {
  /** Adds a range; it replaces a pending one of the same session. */
  add(range: CommitRange): void
  /** Sends nothing more. */
  stop(): void
}

/** What serving calls. */
export interface ServingPorts {
  readonly replica: Pick<Replica, 'range'>
  readonly perturb?: Perturb | undefined
  /** Resolves when the link takes more. */
  readonly send: (run: Run) => Promise<void>
  /** A range has been sent up to commit `to`; incomplete when no more of it can be read. */
  readonly done: (range: {
    readonly session: SessionId
    readonly to: number
    readonly complete: boolean
  }) => void
  /** The log could not be read; the range is given up. */
  readonly failed: (error: unknown) => void
}

/**
 * Bytes of all the pieces of one round: two seconds at 1 Mbit/s, so that a slow link shows progress in time. Many sessions share it, because
 * what depends on a later piece of another session waits at the receiver.
 */
const ROUND_BYTES = 256 * 1024
const PIECE_BYTES = 16 * 1024
/** Before every commit: a range of which nothing can be read is looked at, and given up, first. */
const START: Timestamp = { ms: 0, counter: 0 }

/**
 * Sends the pieces of all ranges of one link in the order of their hybrid clocks, in which a commit comes after those that it depends on: so a
 * receiver rarely holds a commit whose dependencies are still to come. One piece is in memory at a time.
 */
export function createServing({ replica, perturb, send, done, failed }: ServingPorts): Serving {
  const waiting = new Map<SessionId, Waiting>()
  let running = false
  let stopped = false

  async function run(): Promise<void> {
    while (waiting.size > 0) {
      const next = await earliest()
      const piece = next && (await read(next, pieceBytes()))
      if (piece && !stopped) {
        await send(piece)
        // Nothing comes after the proof of a fork, whatever was asked for.
        next.sent = piece.fork ? next.to : end(piece)
        next.time = undefined
      }
      const complete = next !== undefined && next.sent >= next.to
      // It may have been replaced while it was read or sent.
      if (!next || (piece && !complete) || waiting.get(next.session) !== next) continue
      waiting.delete(next.session)
      done({ session: next.session, to: next.sent, complete })
    }
  }

  const pieceBytes = (): number =>
    perturb?.('small-piece') ? 1 : Math.max(PIECE_BYTES, ROUND_BYTES / waiting.size)

  /** The range whose next commit is the oldest. */
  async function earliest(): Promise<Waiting | undefined> {
    let first: Waiting | undefined
    for (const range of waiting.values()) {
      if (waiting.size > 1) range.time ??= await timeOf(range)
      if (!first || compareTimestamps(range.time ?? START, first.time ?? START) < 0) first = range
    }
    return first
  }

  async function timeOf(range: Waiting): Promise<Timestamp | undefined> {
    const batch = (await read(range, 1))?.batches[0]
    return batch && outlineOf(batch).time
  }

  async function read(range: Waiting, maxBytes: number): Promise<Run | undefined> {
    try {
      return await replica.range(range.session, range.sent + 1, Math.floor(maxBytes))
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  function start(): void {
    if (running) return
    running = true
    // Not before everything that is being asked for at once has been added: the oldest goes first.
    void Promise.resolve()
      .then(run)
      .catch((error: unknown) => {
        waiting.clear()
        failed(error)
      })
      .then(() => {
        running = false
        // Something may have been added since the last look.
        if (waiting.size > 0) start()
      })
  }

  return {
    add({ session, from, to }) {
      if (stopped) return
      waiting.set(session, { session, sent: from - 1, to, time: undefined })
      start()
    },
    stop() {
      stopped = true
      waiting.clear()
    },
  }
}

interface Waiting {
  readonly session: SessionId
  readonly to: number
  /** The last commit that has been sent. */
  sent: number
  /** Time of the commit after it, once it is known. */
  time: Timestamp | undefined
}

const end = (run: Run): number =>
  run.batches.reduce((seq, batch) => seq + outlineOf(batch).commits, run.from - 1)
