import {
  counter,
  document,
  entity,
  map,
  PeerplaneError,
  record,
  register,
  set,
  type Entity,
  type Json,
} from '@peerplane/core'
import { deterministicCrypto, seededRandom } from '@peerplane/core/testing'
import { createPlane, openRuntime, type Plane } from '@peerplane/runtime'

import { openInTabs, type TabBackend } from './tabs.ts'
import { SimTab, type World } from './world.fixture.test.ts'

/*
 * Entities of every shape, each with the one command `mark`: its effect names the call. So a state tells which calls it contains.
 */

const Tally = entity('tally', {
  state: counter(),
  commands: { mark: (state, _token: string) => state.increment() },
})
const Tags = entity('tags', {
  state: set<string>(),
  commands: { mark: (state, token: string) => state.add(token) },
})
const Sheet = entity('sheet', {
  state: record({ cells: map(register('')), count: counter(), last: register('') }),
  commands: {
    mark(state, token: string) {
      state.cells.get(token).set(token)
      state.count.increment()
      state.last.set(token)
    },
  },
})
const Note = entity('note', {
  state: document<{ items: string[]; text: string }>({ items: [], text: '' }),
  commands: {
    mark(state, token: string) {
      state.items.push(token)
      state.splice(['text'], state.text.length, 0, `${token};`)
    },
  },
})

/** The shapes by name. */
export const kinds = { tally: Tally, tags: Tags, sheet: Sheet, note: Note } as const
export type Kind = keyof typeof kinds
const entities: readonly Entity[] = Object.values(kinds)

interface Marked {
  mark(token: string): Promise<unknown>
  subscribe(listener: (state: Json) => void): () => void
  state(): Promise<Json>
}

/** The calls that a state contains, in its order where it has one; a tally only knows how many. */
export function callsIn(kind: Kind, state: Json): readonly string[] {
  if (kind === 'tally') return Array.from({ length: state as number }, (_, i) => `${i}`)
  if (kind === 'tags') return state as string[]
  if (kind === 'sheet') return Object.keys((state as { cells: object }).cells)
  const { items, text } = state as { items: string[]; text: string }
  if (text !== items.map((item) => `${item};`).join('')) throw new Error(`half a command: ${text}`)
  return items
}

/** One call of a command in a tab. */
export interface Call {
  readonly kind: Kind
  readonly token: string
  readonly tab: Actor
  readonly calledAt: number
  result: 'open' | 'acknowledged' | PeerplaneError
  settledAt: number
}

/** What the tabs of a run have done, and what they did wrong. */
export interface Story {
  readonly world: World
  readonly seed: number
  readonly calls: Call[]
  readonly faults: string[]
  tabs: number
}

/** A tab in which somebody works. Everything it does is done by its own code, so it does nothing while it hangs. */
export class Actor {
  readonly tab: SimTab
  readonly name: string
  backend: TabBackend | undefined
  plane: Plane | undefined
  closed = false
  readonly #story: Story
  readonly #shown = new Map<string, readonly string[]>()
  readonly #mayGo = new Map<string, ReadonlySet<string>>()
  #calls = 0

  constructor(story: Story) {
    const number = ++story.tabs
    this.#story = story
    this.name = `t${number}`
    this.tab = new SimTab(story.world, story.seed * 1000 + number)
    this.tab.world.after(0, () => void this.#open(), this.tab)
  }

  get role(): string {
    return this.backend?.tabs().role ?? 'opening'
  }

  /** Runs in the tab, as soon as that runs. */
  act(task: (plane: Plane) => void): void {
    this.#story.world.after(
      0,
      () => {
        if (this.plane && !this.closed) task(this.plane)
      },
      this.tab,
      'people',
    )
  }

  mark(kind: Kind): void {
    this.act((plane) => {
      const call = this.#begin(kind)
      this.#settle([call], this.#client(plane, kind).mark(call.token))
    })
  }

  /** One commit on two entities. */
  markBoth(kinds: readonly [Kind, Kind]): void {
    this.act((plane) => {
      const calls = kinds.map((kind) => this.#begin(kind))
      const done = plane.atomic((on) => {
        for (const { kind, token } of calls) {
          const recorder: { mark(token: string): void } = on(this.#client(plane, kind)) as never
          recorder.mark(token)
        }
      })
      this.#settle(calls, done)
    })
  }

  close(): void {
    this.act((plane) => {
      this.closed = true
      void plane.close().then(() => this.tab.die())
    })
  }

  /** As a page that is left: what it does then has little time. */
  leave(): void {
    this.act(() => {
      this.closed = true
      this.tab.page.hidden()
      this.#story.world.after(this.#story.world.chance(40), () => this.tab.die())
    })
  }

  shown(kind: Kind): readonly string[] {
    return this.#shown.get(kind) ?? []
  }

  state(kind: Kind): Promise<Json> {
    return this.#client(this.plane!, kind).state()
  }

  async #open(): Promise<void> {
    const { world, seed } = this.#story
    const number = this.name
    const opening = openInTabs(this.tab.env, 'space', this.#version(), async (_before, taken) => {
      const { store, term } = await world.database.open(this.tab, taken)
      const ports = {
        store,
        key: await deterministicCrypto.keyFromSeed(new Uint8Array(32).fill(7)),
        crypto: deterministicCrypto,
        random: seededRandom(seed * 7919 + term),
        clock: { now: () => Math.floor(1_767_225_600_000 + world.now) },
        scheduler: this.tab.scheduler,
      }
      return { backend: await openRuntime(ports, { entities, online: false }), term }
    })
    const backend = await opening.catch((error: unknown) => {
      // One that has hung for that long itself may give up.
      if (this.tab.hung < 10_000) this.#fault(`${number} could not be opened: ${String(error)}`)
    })
    if (!backend) return
    this.backend = backend
    let led = backend.tabs().role === 'leader'
    backend.watchTabs(({ role }) => {
      if (led && role === 'follower') this.#resign()
      led = role === 'leader'
    })
    this.plane = createPlane(entities, backend)
    for (const kind of Object.keys(kinds) as Kind[]) this.#watch(this.plane, kind)
  }

  /** In every other story the application is deployed again from time to time. */
  #version(): number {
    return this.#story.seed % 2 === 0 ? Math.floor(this.#story.tabs / 2) : 0
  }

  /** A leader shows what is not durable yet; when another tab has taken over, that is shown again after it was done there. */
  #resign(): void {
    const open = this.#story.calls.filter(({ result }) => result === 'open')
    for (const watch of this.#shown.keys()) {
      this.#mayGo.set(watch, new Set(open.map(({ token }) => token)))
    }
  }

  #watch(plane: Plane, kind: Kind): void {
    const show = (watch: string, state: Json): void => {
      const before = this.#shown.get(watch) ?? []
      const now = callsIn(kind, state)
      const mayGo = this.#mayGo.get(watch) ?? new Set()
      this.#mayGo.delete(watch)
      const gone = before.filter((token) => !now.includes(token))
      const isExcused =
        kind === 'tally' ? gone.length <= mayGo.size : gone.every((token) => mayGo.has(token))
      if (!isExcused) this.#fault(`${this.name} ${watch}: ${gone.join()} disappeared`)
      this.#shown.set(watch, now)
    }
    this.#client(plane, kind).subscribe((state) => show(kind, state))
    plane.subscribe(kinds[kind] as Entity, (rows: readonly { state: unknown }[]) => {
      for (const { state } of rows) show(`${kind} rows`, state as Json)
    })
  }

  #begin(kind: Kind): Call {
    const token = `${this.name}.${++this.#calls}`
    const calledAt = this.#story.world.now
    const call: Call = { kind, token, tab: this, calledAt, result: 'open', settledAt: 0 }
    this.#story.calls.push(call)
    return call
  }

  #settle(calls: readonly Call[], done: Promise<unknown>): void {
    const settled = (result: Call['result']): void => {
      for (const call of calls) {
        call.result = result
        call.settledAt = this.#story.world.now
      }
    }
    done.then(
      () => {
        settled('acknowledged')
        for (const call of calls) this.#checkShown(call)
      },
      (error: unknown) => {
        if (!(error instanceof PeerplaneError)) throw error
        settled(error)
      },
    )
  }

  #checkShown({ kind, token }: Call): void {
    if (this.closed) return
    const own = this.#story.calls.filter(
      (call) => call.tab === this && call.kind === kind && call.result === 'acknowledged',
    )
    for (const watch of [kind, `${kind} rows`]) {
      const shown = this.#shown.get(watch) ?? []
      const isShown = kind === 'tally' ? shown.length >= own.length : shown.includes(token)
      if (!isShown) this.#fault(`${token} was acknowledged before ${watch} showed it`)
    }
  }

  #client(plane: Plane, kind: Kind): Marked {
    return plane.get(kinds[kind] as Entity, 'x') as unknown as Marked
  }

  #fault(what: string): void {
    this.#story.faults.push(`${Math.round(this.#story.world.now)} ms: ${what}`)
  }
}
