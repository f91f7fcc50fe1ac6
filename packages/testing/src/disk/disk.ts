import { PeerplaneError, type Store, type Trace, type Write } from '@peerplane/core'

import { copyOf } from '../world/copies.ts'
import type { SimProcess } from '../world/process.ts'
import type { SimRandom } from '../world/random.ts'
import type { SimWorld } from '../world/world.ts'
import { DiskImage } from './image.ts'

/** What a disk does to its users at the moment. */
export interface DiskWeather {
  /** Mean duration of a flush, milliseconds. */
  flushMs: number
  /** Mean duration of a read, milliseconds. */
  readMs: number
  /** Probability that a write fails with an input/output error; half of these take effect anyway, after the next opening. */
  errors: number
  /** Nothing more fits. */
  full: boolean
}

/** A disk that works. */
export const fairDisk: DiskWeather = { flushMs: 2, readMs: 0.1, errors: 0, full: false }

interface Pending {
  readonly writes: readonly Write[]
  readonly durability: 'local' | 'synced'
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** In the cache of the operating system: survives the process. */
  cached: boolean
}

/**
 * The disk of one device, with the cache that stands before it.
 *
 *     write ──> queue ──(processed: 'local')──> cache ──(flushed: 'synced')──> platter
 *
 * A crash of the process loses a random tail of the queue; a power cut loses a random tail of queue and cache. What is lost is always a
 * tail, and a write is lost as a whole or not at all. That, and nothing better, is what the port promises.
 */
export class SimDisk {
  weather: DiskWeather = { ...fairDisk }
  readonly counts = { writes: 0, errors: 0, lostWrites: 0 }
  readonly #world: SimWorld
  readonly #random: SimRandom
  #platter: DiskImage
  #queue: Pending[] = []
  #opened: SimStore | undefined

  constructor(world: SimWorld, name: string, image: DiskImage = new DiskImage()) {
    this.#world = world
    this.#random = world.random.stream(`disk ${name}`)
    this.#platter = image
  }

  /** Opens the store for `process`. Its predecessor must be closed or crashed. */
  open(process: SimProcess, trace?: Trace): Store {
    const view = new DiskImage(this.#platter)
    for (const { writes } of this.#queue) view.apply(writes)
    this.#opened = new SimStore(this, process, view, trace)
    return this.#opened
  }

  /** Closes the store under the process that has it open. */
  crash(power: boolean): void {
    const safe = power ? 0 : this.#queue.findLastIndex(({ cached }) => cached) + 1
    const kept = safe + this.#random.below(this.#queue.length - safe + 1)
    this.counts.lostWrites += this.#queue.length - kept
    this.#queue.length = kept
    for (const pending of this.#queue) pending.cached = true
    if (power) this.#flush(kept)
    this.#opened?.cut()
    this.#opened = undefined
  }

  /** What a copy of the disk would hold that is made now, with the cache. */
  copy(): DiskImage {
    const image = new DiskImage(this.#platter)
    for (const { writes, cached } of this.#queue) if (cached) image.apply(writes)
    return image
  }

  /** Puts an older copy in place of what is there; nobody may have the store open. */
  restore(image: DiskImage): void {
    this.#queue = []
    this.#platter = new DiskImage(image)
  }

  /** For {@link SimStore}: takes one write. */
  enqueue(store: SimStore, pending: Pending): void {
    this.counts.writes++
    this.#queue.push(pending)
    store.process.after(this.#random.exponential(0.2), () => this.#process(store))
  }

  /** For {@link SimStore}: how long a read takes. */
  readMs(): number {
    return this.#random.exponential(this.weather.readMs)
  }

  /** Moves the oldest write that is still queued into the cache, or fails it. */
  #process(store: SimStore): void {
    const index = this.#queue.findIndex(({ cached }) => !cached)
    const pending = this.#queue[index]
    if (!pending) return
    if (this.weather.full) {
      this.#queue.splice(index, 1)
      this.counts.errors++
      pending.reject(new PeerplaneError('store-full', 'simulated: no space left on the disk'))
      return
    }
    pending.cached = true
    if (this.#random.chance(this.weather.errors)) {
      // It may be there after the next opening: it stays on its way to the platter, but this opening never sees it.
      if (this.#random.chance(0.5)) this.#queue.splice(index, 1)
      this.counts.errors++
      pending.reject(new PeerplaneError('store-failed', 'simulated: input/output error'))
      return
    }
    store.view.apply(pending.writes)
    const { writes, durability } = pending
    store.trace?.('store.wrote', { writes: writes.length, durability, list: writes })
    this.#world.digest.add(`disk ${store.process.name}`, this.#world.now)
    for (const { key, value } of writes) {
      this.#world.digest.add('w', 0, key)
      if (value) this.#world.digest.add('v', 0, value)
    }
    if (pending.durability === 'local') pending.resolve()
    else this.#flushSoon(store, pending)
  }

  #flushSoon(store: SimStore, pending: Pending): void {
    store.process.after(this.#random.exponential(this.weather.flushMs), () => {
      this.#flush(this.#queue.indexOf(pending) + 1)
      pending.resolve()
    })
  }

  #flush(count: number): void {
    for (const { writes } of this.#queue.splice(0, count)) this.#platter.apply(writes)
  }
}

/** One opening of a simulated disk. */
class SimStore implements Store {
  readonly process: SimProcess
  readonly view: DiskImage
  readonly trace: Trace | undefined
  readonly #disk: SimDisk
  #closed = false
  readonly #under = new Set<Promise<unknown>>()

  constructor(disk: SimDisk, process: SimProcess, view: DiskImage, trace: Trace | undefined) {
    this.#disk = disk
    this.process = process
    this.view = view
    this.trace = trace
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read(() => this.view.get(key))
  }

  scan(range: Parameters<Store['scan']>[0]): ReturnType<Store['scan']> {
    return this.#read(() => this.view.scan(range))
  }

  count({ from, to }: Parameters<Store['count']>[0]): Promise<number> {
    return this.#read(() => this.view.scan({ from, to }).length)
  }

  write(writes: readonly Write[], durability: 'local' | 'synced'): Promise<void> {
    const copy = writes.map(({ key, value }) => ({
      key: copyOf(key),
      value: value && copyOf(value),
    }))
    const written = this.process.promise<void>((resolve, reject) => {
      if (this.#closed) reject(closedError())
      else {
        const pending = {
          writes: copy,
          durability,
          resolve: () => resolve(),
          reject,
          cached: false,
        }
        this.#disk.enqueue(this, pending)
      }
    })
    // Ignored: the caller has it.
    const settled: Promise<void> = written
      .catch(() => undefined)
      .then(() => {
        this.#under.delete(settled)
      })
    this.#under.add(settled)
    return written
  }

  async close(): Promise<void> {
    this.#closed = true
    while (this.#under.size > 0) await Promise.all(this.#under)
  }

  /** After a crash nothing is heard of this opening. */
  cut(): void {
    this.#closed = true
  }

  #read<T>(read: () => T): Promise<T> {
    return this.process.promise((resolve, reject) => {
      if (this.#closed) reject(closedError())
      else this.process.after(this.#disk.readMs(), () => resolve(read()))
    })
  }
}

const closedError = (): PeerplaneError => new PeerplaneError('closed', 'the store is closed')
