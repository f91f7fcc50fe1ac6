import { asPeerplaneError, codeOf, type EntityKey } from '@peerplane/core'

import { capture, type CaptureSource } from './capture.ts'
import type { EntitiesOptions } from './entities.ts'

/** Rows save folding at the next opening, nothing else: what is folded in this time is soon folded again. */
const FLUSH_AFTER_MS = 2_000
/** Longer after a flush of many rows, which are likely to change again: a device that catches up spends most of its time on that. */
const FLUSH_AFTER_MS_PER_ROW = 0.25
/** The same after a flush of large rows, which take long to make. */
const FLUSH_AFTER_MS_PER_KIB = 1
/** At the latest. */
const FLUSH_AFTER_MS_AT_MOST = 60_000

/**
 * Writes changed rows, some time after they changed.
 *
 *     capture states and frontier ──> wait until the commits in them are durable ──> write
 *
 * In this order the rows hold nothing that the log could still lose, without holding up anybody who writes meanwhile.
 */
export class Flusher {
  readonly #options: EntitiesOptions
  readonly #source: CaptureSource
  /** Is called before each capture, and after each write. */
  readonly #steps: { before(): Promise<void>; after(): void }
  /** Entities whose rows are older than their states. */
  #dirty = new Set<EntityKey>()
  /** Those that are being written. */
  #writing: ReadonlySet<EntityKey> = new Set()
  #generation = 0
  #running: Promise<unknown> = Promise.resolve()
  #cancelTimer: (() => void) | undefined
  /** How many rows the flush before wrote, and their size. */
  #rowsBefore = 0
  #bytesBefore = 0
  #isStopped = false

  constructor(
    options: EntitiesOptions,
    source: CaptureSource,
    steps: { before(): Promise<void>; after(): void },
  ) {
    this.#options = options
    this.#source = source
    this.#steps = steps
  }

  /** How many entities wait for a flush. */
  get size(): number {
    return this.#dirty.size
  }

  /** Whether the row of an entity is older than its state. */
  has(key: EntityKey): boolean {
    return this.#dirty.has(key) || this.#writing.has(key)
  }

  /** The entities whose rows are older than their states. */
  *keys(): IterableIterator<EntityKey> {
    yield* this.#writing
    yield* this.#dirty
  }

  /** The row of an entity is older than its state now. */
  add(key: EntityKey): void {
    this.#dirty.add(key)
    this.schedule()
  }

  /** The entity has no state any longer, so it needs no row. */
  drop(key: EntityKey): void {
    this.#dirty.delete(key)
  }

  /** Flushes after a while. */
  schedule(): void {
    if (this.#isStopped) return
    this.#cancelTimer ??= this.#options.scheduler.after(this.#delayMs(), () => {
      this.#cancelTimer = undefined
      // Ignored: it is reported. What may be written later is tried again; anything else goes with the next change.
      this.flush().catch((error: unknown) => {
        if (asPeerplaneError(error, 'store-failed').retry) this.schedule()
      })
    })
  }

  /** Writes everything that changed before the call. */
  flush(): Promise<void> {
    const flushing = this.#running.then(() => this.#flush())
    // Ignored: the caller has it; the next flush runs anyway.
    this.#running = flushing.catch(() => undefined)
    return flushing
  }

  /** Forgets what changed, and what was captured and is not being written yet. */
  forget(): void {
    this.#generation++
    this.#dirty.clear()
  }

  /** Starts no more writes. Resolves when no write is pending. */
  async pause(): Promise<void> {
    this.stop()
    await this.#running
  }

  /** Goes on after a pause; the rows of `keys` are older than their states. */
  resume(keys: readonly EntityKey[]): void {
    this.#isStopped = false
    for (const key of keys) this.add(key)
  }

  /** Begins no more writes. */
  stop(): void {
    this.#isStopped = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #delayMs(): number {
    if (this.#options.perturb?.('rows-at-once')) return 0
    const rowsMs = this.#rowsBefore * FLUSH_AFTER_MS_PER_ROW
    const bytesMs = (this.#bytesBefore / 1024) * FLUSH_AFTER_MS_PER_KIB
    return Math.min(FLUSH_AFTER_MS + rowsMs + bytesMs, FLUSH_AFTER_MS_AT_MOST)
  }

  async #flush(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    await this.#steps.before()
    if (this.#isStopped) return
    if (this.#dirty.size === 0 && !this.#source.folded.isChanged) return
    const { store, trace } = this.#options
    const generation = this.#generation
    const captured = capture(this.#source, this.#dirty)
    this.#rowsBefore = this.#dirty.size
    this.#bytesBefore = captured.writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    this.#writing = this.#dirty
    this.#dirty = new Set()
    try {
      await this.#options.settled()
      if (generation !== this.#generation) return
      await store.write(captured.writes, 'local')
      captured.stored()
      trace?.('rows.flushed', { rows: this.#rowsBefore })
    } catch (error) {
      if (generation === this.#generation) {
        captured.failed()
        for (const key of this.#writing) this.#dirty.add(key)
        trace?.('rows.failed', { rows: this.#rowsBefore, code: codeOf(error) })
      }
      throw error
    } finally {
      this.#writing = new Set()
    }
    this.#steps.after()
  }
}
