import { PeerplaneError, toHex, type Entry, type Scheduler, type Store } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'

import type { PageEvents, TabEnvironment, WhileHeld } from './environment.ts'

/*
 * One browser profile in virtual time: its locks, its channels and its database live in the browser, its tabs come and go. One event happens
 * at a time, and before the next one every promise has settled.
 */

interface Event {
  time: number
  readonly order: number
  readonly task: () => void
  readonly tab: SimTab | undefined
  /** Events of one source keep their order when a tab wakes up; those of several come mixed. */
  readonly source: string
  cancelled: boolean
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Virtual time, and a profile without tabs. */
export class World {
  now = 0
  readonly locks: LockManager = new LockManager(this)
  readonly database: Database = new Database(this)
  readonly ends = new Map<string, Set<ChannelEnd>>()
  readonly #events: Event[] = []
  readonly #bytes: (length: number) => Uint8Array
  #order = 0

  constructor(seed: number) {
    const { bytes } = seededRandom(seed)
    this.#bytes = bytes
  }

  /** From 0 to `max`. */
  chance(max: number): number {
    const [high, low] = this.#bytes(2)
    return (max * (high! * 256 + low!)) / 65_536
  }

  after(ms: number, task: () => void, tab?: SimTab, source = 'browser'): () => void {
    const order = this.#order++
    const event = { time: this.now + ms, order, task, tab, source, cancelled: false }
    this.#insert(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Lets events happen until `done` says so or `ms` have passed. */
  async run(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const until = this.now + ms
    await settle()
    while (!done()) {
      const event = this.#events[0]
      if (!event || event.time > until) {
        this.now = until
        return done()
      }
      this.#events.shift()
      if (event.cancelled || event.tab?.alive === false) continue
      const wakes = event.tab?.wakesAt(event.source) ?? 0
      if (wakes > event.time) {
        event.time = wakes
        this.#insert(event)
        continue
      }
      this.now = event.time
      event.task()
      await settle()
    }
    return true
  }

  /** What a tab has set, opened, holds or waits for. */
  leftOf(tab: SimTab): readonly string[] {
    const timers = this.#events.filter(
      (event) => event.tab === tab && event.source === 'timers' && !event.cancelled,
    )
    const channels = [...this.ends].filter(([, ends]) => [...ends].some((end) => end.tab === tab))
    return [
      ...timers.map(({ time }) => `a timer at ${Math.round(time)}`),
      ...channels.map(([name]) => `the channel ${name}`),
      ...this.locks.of(tab).map((name) => `the lock ${name}`),
      ...(tab.watchesPage ? ['the events of its page'] : []),
    ]
  }

  #insert(event: Event): void {
    const later = ({ time, order }: Event): boolean =>
      time > event.time || (time === event.time && order > event.order)
    const index = this.#events.findIndex(later)
    this.#events.splice(index < 0 ? this.#events.length : index, 0, event)
  }
}

/** A tab, which can hang and die as tabs do: without running another line. */
export class SimTab {
  readonly env: TabEnvironment
  readonly scheduler: Scheduler
  page: PageEvents = { leaving: () => {}, hidden: () => {}, shown: () => {} }
  watchesPage = false
  alive = true
  /** Virtual milliseconds in which it did not run. */
  hung = 0
  readonly world: World
  #hungUntil = 0
  #wakes = new Map<string, number>()

  constructor(world: World, seed: number) {
    this.world = world
    this.scheduler = {
      after: (ms, task) => world.after(Math.max(0, ms), task, this, 'timers'),
    }
    this.env = {
      random: seededRandom(seed),
      scheduler: this.scheduler,
      locks: {
        hold: (name, signal, whileHeld) =>
          world.locks.request(this, name, { signal, steals: false }, whileHeld),
        steal: (name, whileHeld) =>
          world.locks.request(this, name, { signal: undefined, steals: true }, whileHeld),
      },
      channel: (name, receive) => {
        const end = new ChannelEnd(this, name, receive)
        return { post: (message) => end.post(message), close: () => end.close() }
      },
      watchPage: (events) => {
        this.page = events
        this.watchesPage = true
        return () => {
          this.watchesPage = false
        }
      },
    }
  }

  /** When events of a source happen again. */
  wakesAt(source: string): number {
    if (this.#hungUntil <= this.world.now) return 0
    const known = this.#wakes.get(source)
    if (known !== undefined) return known
    const wakes = this.#hungUntil + this.world.chance(5)
    this.#wakes.set(source, wakes)
    return wakes
  }

  hang(ms: number): void {
    this.#hungUntil = Math.max(this.#hungUntil, this.world.now + ms)
    this.hung += ms
    this.#wakes = new Map()
  }

  die(): void {
    this.alive = false
    this.world.locks.forget(this)
    for (const ends of this.world.ends.values()) {
      for (const end of ends) if (end.tab === this) ends.delete(end)
    }
  }
}

class ChannelEnd {
  readonly tab: SimTab
  readonly #name: string
  readonly #receive: (message: unknown) => void
  readonly #last = new Map<ChannelEnd, number>()

  constructor(tab: SimTab, name: string, receive: (message: unknown) => void) {
    this.tab = tab
    this.#name = name
    this.#receive = receive
    const ends = tab.world.ends.get(name) ?? new Set()
    tab.world.ends.set(name, ends.add(this))
  }

  post(message: unknown): void {
    const { world, alive } = this.tab
    if (!alive) return
    for (const end of world.ends.get(this.#name) ?? []) {
      if (end === this) continue
      const copy = structuredClone(message)
      const time = Math.max(this.#last.get(end) ?? 0, world.now + world.chance(3))
      this.#last.set(end, time)
      world.after(time - world.now, () => end.#take(copy), end.tab, this.#name)
    }
  }

  close(): void {
    this.tab.world.ends.get(this.#name)?.delete(this)
  }

  #take(message: unknown): void {
    if (this.tab.world.ends.get(this.#name)?.has(this)) this.#receive(message)
  }
}

interface LockRequest {
  readonly tab: SimTab
  readonly lost: AbortController
  readonly granted: () => void
}

/** Locks as the specification has them: a hung tab keeps its lock, is granted others, and learns later of what it lost. */
class LockManager {
  readonly #world: World
  readonly #held = new Map<string, LockRequest>()
  readonly #queues = new Map<string, LockRequest[]>()

  constructor(world: World) {
    this.#world = world
  }

  request(
    tab: SimTab,
    name: string,
    { signal, steals }: { readonly signal: AbortSignal | undefined; readonly steals: boolean },
    whileHeld: WhileHeld,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return resolve()
      const lost = new AbortController()
      const granted = (): void => {
        const work = whileHeld(lost.signal)
        void work.then(resolve, reject)
        const release = (): void => this.#soon(() => this.#release(name, request))
        work.then(release, release)
      }
      const request: LockRequest = { tab, lost, granted }
      this.#soon(() => (steals ? this.#steal(name, request) : this.#enqueue(name, request)))
      signal?.addEventListener('abort', () => {
        this.#soon(() => {
          const queue = this.#queues.get(name) ?? []
          if (!queue.includes(request)) return
          queue.splice(queue.indexOf(request), 1)
          this.#world.after(1, resolve, tab, 'locks')
        })
      })
    })
  }

  /** The locks that a tab holds or waits for. */
  of(tab: SimTab): readonly string[] {
    const held = [...this.#held].filter(([, request]) => request.tab === tab)
    const queued = [...this.#queues].filter(([, queue]) => queue.some((each) => each.tab === tab))
    return [...held, ...queued].map(([name]) => name)
  }

  /** The tab is dead. */
  forget(tab: SimTab): void {
    for (const [name, queue] of this.#queues) {
      this.#queues.set(
        name,
        queue.filter((request) => request.tab !== tab),
      )
    }
    for (const [name, request] of this.#held) if (request.tab === tab) this.#release(name, request)
  }

  #soon(task: () => void): void {
    this.#world.after(1, task)
  }

  #enqueue(name: string, request: LockRequest): void {
    if (!request.tab.alive) return
    if (!this.#held.has(name)) return this.#grant(name, request)
    this.#queues.set(name, [...(this.#queues.get(name) ?? []), request])
  }

  #steal(name: string, request: LockRequest): void {
    if (!request.tab.alive) return
    const before = this.#held.get(name)
    if (before) this.#world.after(1, () => before.lost.abort(), before.tab, 'locks')
    this.#grant(name, request)
  }

  #grant(name: string, request: LockRequest): void {
    this.#held.set(name, request)
    this.#world.after(1, request.granted, request.tab, 'locks')
  }

  #release(name: string, request: LockRequest): void {
    if (this.#held.get(name) !== request) return
    this.#held.delete(name)
    const next = this.#queues.get(name)?.shift()
    if (next) this.#grant(name, next)
  }
}

/** What IndexedDB keeps: a transaction that was sent happens, whatever becomes of its tab. */
class Database {
  readonly #world: World
  readonly #pairs = new Map<string, Entry>()
  #term = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Opens the database as the store of the browser does: earlier openings write nothing from then on. */
  async open(
    tab: SimTab,
    taken: () => void,
  ): Promise<{ readonly store: Store; readonly term: number }> {
    const term = await this.#transact(tab, () => ++this.#term)
    let last: Promise<unknown> = Promise.resolve()
    let closed = false
    const use = <T>(action: () => T): Promise<T> => {
      if (closed) return Promise.reject(new PeerplaneError('closed', 'the store is closed'))
      return this.#transact(tab, action)
    }
    const store: Store = {
      get: (key) => use(() => this.#pairs.get(toHex(key))?.value),
      scan: ({ from, to, limit, reverse }) =>
        use(() => {
          const keys = [...this.#pairs.keys()].filter(
            (key) => key >= toHex(from) && key < toHex(to),
          )
          keys.sort()
          if (reverse) keys.reverse()
          return keys.slice(0, limit).map((key) => this.#pairs.get(key)!)
        }),
      count: async ({ from, to }) => (await store.scan({ from, to })).length,
      // One after the other: what waits is in the memory of the tab.
      write: (writes) => {
        if (closed) return Promise.reject(new PeerplaneError('closed', 'the store is closed'))
        const copies = writes.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }))
        const written = last.then(async () => {
          const done = await this.#transact(tab, () => {
            if (this.#term !== term) return false
            for (const { key, value } of copies) {
              if (value) this.#pairs.set(toHex(key), { key, value })
              else this.#pairs.delete(toHex(key))
            }
            return true
          })
          if (done) return
          taken()
          throw new PeerplaneError('store-locked', 'another tab has taken over the store')
        })
        last = written.catch(() => undefined)
        return written
      },
      close: async () => {
        closed = true
        await last
      },
    }
    return { store, term }
  }

  #transact<T>(tab: SimTab, action: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#world.after(this.#world.chance(4), () => {
        // Of a dead tab, some transactions happen and some do not.
        if (!tab.alive && this.#world.chance(1) < 0.5) return
        const result = action()
        this.#world.after(this.#world.chance(4), () => resolve(result), tab, 'database')
      })
    })
  }
}
