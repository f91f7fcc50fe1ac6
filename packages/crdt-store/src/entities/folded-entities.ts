import {
  entityKey,
  limits,
  PeerplaneError,
  splitEntityKey,
  type Body,
  type Commit,
  type Dot,
  type EntityKey,
  type EntityState,
  type Json,
  type SessionId,
} from '@peerplane/core'

import { bodiesOf, chunks } from './bodies-of.ts'
import { dropAll } from './drop-outdated.ts'
import type {
  DeclaredModel,
  Entities,
  EntitiesOptions,
  ListedState,
  ListQuery,
  Refold,
} from './entities.ts'
import type { FoldedFrontier } from './folded-frontier.ts'
import { Flusher } from './flusher.ts'
import { absentKey } from './keys.ts'
import { listRows, oldRows } from './listing.ts'
import { NewStates } from './new-states.ts'
import type { VersionedBody } from './row.ts'
import type { Lifecycle } from './lifecycle.ts'
import { createLifecycles, type LifecycleName } from './lifecycles.ts'
import { advance, slotOf, type Slot } from './slot.ts'
import { Slots } from './slots.ts'
import type { Tally } from './tally.ts'
import { Turns } from './turns.ts'

/** The entities over one store. Whatever changes several of them at once does so without awaiting in between. */
export class FoldedEntities implements Entities {
  readonly #options: EntitiesOptions
  readonly #slots: Slots
  readonly #frontier: FoldedFrontier
  readonly #tally: Tally
  readonly #lifecycles: ReadonlyMap<LifecycleName, Lifecycle>
  readonly #flusher: Flusher
  readonly #turns: Turns
  /** Own bodies for entities that had left memory when their commit was made, and those made while states are being discarded. */
  #late: { readonly key: EntityKey; readonly body: VersionedBody }[] = []
  /** Own commits made meanwhile. */
  #lateCommits: Dot[] = []
  #isDiscarding = false
  #newStates: NewStates | undefined
  #generation = 0
  #cancelSweep: (() => void) | undefined
  #folding: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: EntitiesOptions, folded: FoldedFrontier, tally: Tally) {
    this.#options = options
    this.#frontier = folded
    this.#tally = tally
    this.#turns = new Turns(options.scheduler)
    this.#slots = new Slots(options.store, tally, (key) => this.#read(key))
    this.#lifecycles = createLifecycles({
      store: options.store,
      tally,
      slots: this.#slots,
      changed: (key) => this.#flusher.add(key),
      events: options,
    })
    this.#flusher = new Flusher(
      options,
      { folded, tally, capture: (key) => this.#lifecycleOf(key).capture(key) },
      { before: () => this.#beforeFlush(), after: () => this.#afterFlush() },
    )
  }

  get absent(): number {
    return this.#tally.absent
  }

  folded(): ReadonlyMap<SessionId, number> {
    return this.#frontier.seqs
  }

  async open(key: EntityKey): Promise<EntityState> {
    return (await this.openAll([key]))[0]!
  }

  async openAll(keys: readonly EntityKey[]): Promise<readonly EntityState[]> {
    this.#assertOpen()
    const slots = await this.#ready(keys)
    for (const { problem } of slots) if (problem) throw problem
    this.#evict()
    return slots.map(({ state }) => state)
  }

  async workOff(keys: readonly EntityKey[], goesOn: () => boolean): Promise<readonly EntityKey[]> {
    const isBehind = (key: EntityKey): boolean => {
      const slot = this.#slots.get(key)
      return slot !== undefined && !this.#isClosed && advance(slot, 0, this.#options)
    }
    for (;;) {
      const behind = keys.filter(isBehind)
      if (behind.length === 0 || !goesOn()) return behind
      await this.#turns.next()
    }
  }

  modelVersion(key: EntityKey): number {
    return this.#slots.get(key)?.model.version ?? 0
  }

  isIncomplete(key: EntityKey): boolean {
    const slot = this.#slots.get(key)
    return slot !== undefined && (slot.isIncomplete || slot.state.skipped !== undefined)
  }

  changedMs(key: EntityKey): number {
    const slot = this.#slots.get(key)
    return slot && !slot.problem ? slot.state.changedMs : 0
  }

  async unchangedSince(
    type: string,
    ms: number,
    page: { readonly after: string | undefined; readonly most: number },
  ): Promise<readonly string[]> {
    this.#assertOpen()
    return oldRows(this.#options.store, type, { ms, ...page })
  }

  pin(key: EntityKey): void {
    this.#slots.pin(key)
  }

  unpin(key: EntityKey): void {
    this.#slots.unpin(key)
  }

  async fold(commits: readonly Commit[]): Promise<readonly EntityKey[]> {
    this.#assertOpen()
    return this.#enqueue(async () => {
      const changed = new Set<EntityKey>()
      for (const some of chunks(commits, limits.openEntities)) {
        for (const key of await this.#foldSome(some)) changed.add(key)
      }
      return [...changed]
    })
  }

  touch(key: EntityKey, body: Body): void {
    const own: VersionedBody = { ...body, modelVersion: OWN_VERSION }
    this.#newStates?.meanwhile(key, [own])
    if (this.#isDiscarding || !this.#lifecycleOf(key).takeOwn(key, own)) {
      this.#late.push({ key, body: own })
    }
    this.#flusher.add(key)
  }

  commitFolded(session: SessionId, seq: number): void {
    if (this.#isDiscarding) this.#lateCommits.push({ session, seq })
    this.#frontier.advance(session, seq)
    this.#flusher.schedule()
  }

  refold(keys: Iterable<EntityKey>): Refold {
    this.#assertOpen()
    this.#newStates?.close()
    const declared = [...keys].filter((key) => this.#declared(key))
    const newStates = new NewStates(this.#options, declared, this.#frontier.seqs)
    this.#newStates = newStates
    return {
      keys: newStates.keys,
      folded: newStates.folded,
      add: (commits) => newStates.add(commits, this.#blankSlot),
      finish: (done) => this.#enqueue(() => this.#replace(newStates, done)),
      close: () => newStates.close(),
    }
  }

  retreat(session: SessionId, seq: number): void {
    this.#frontier.retreat(session, seq)
    this.#flusher.schedule()
  }

  async list(type: string, query: ListQuery = {}): Promise<readonly ListedState[]> {
    this.#assertOpen()
    if (!this.#options.models.has(type)) throw undeclared(type)
    // Entities that nobody has opened have no state yet, and perhaps no row.
    for (const key of this.#unflushed(type)) {
      await (this.#slots.get(key) ? this.#advance(key, 0) : this.#mirrorOf(key))
    }
    const source = {
      store: this.#options.store,
      unflushed: () =>
        new Map(
          this.#unflushed(type).flatMap((key) => {
            const slot = this.#slots.get(key)
            return slot ? [[splitEntityKey(key).id, mirrorOf(slot)] as const] : []
          }),
        ),
      fold: (id: string) => this.#mirrorOf(entityKey(type, id)),
    }
    return listRows(source, type, query)
  }

  flush(): Promise<void> {
    return this.#flusher.flush()
  }

  discard({ rows = false }: { readonly rows?: boolean } = {}): Promise<void> {
    this.#isDiscarding = true
    this.#late = []
    this.#lateCommits = []
    this.#flusher.stop()
    this.#forget()
    return this.#enqueue(async () => {
      // A pending write may still change what is stored.
      await this.#flusher.pause()
      if (rows) {
        await dropAll(this.#options.store, this.#options.models)
        this.#frontier.clear()
        this.#tally.clear()
        this.#slots.rows.clear()
        this.#slots.absent.clear()
      }
      this.#forget()
      for (const { session, seq } of this.#lateCommits) this.#frontier.advance(session, seq)
      this.#isDiscarding = false
      this.#flusher.resume(this.#late.map(({ key }) => key))
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelSweep?.()
    this.#turns.stop()
    await this.#folding
    this.#newStates?.close()
    // Ignored: the flusher reports it; rows can be rebuilt from the log, so closing does not fail with them.
    await this.#flusher.flush().catch(() => undefined)
    this.#flusher.stop()
    this.#slots.clear()
  }

  /** Folds commits that are few enough to be in memory at once. */
  async #foldSome(commits: readonly Commit[]): Promise<readonly EntityKey[]> {
    const generation = this.#generation
    const keys = new Set(commits.flatMap(({ sections }) => sections.map(({ entity }) => entity)))
    const declared = [...keys].filter((key) => this.#declared(key))
    const types = new Set(declared.map((key) => splitEntityKey(key).type))
    await Promise.all([...types].map((type) => this.#slots.rows.load(type)))
    for (const [lifecycle, its] of this.#byLifecycle(declared)) await lifecycle.prepare(its)
    // Discarded meanwhile: the caller folds again from an earlier point.
    if (generation !== this.#generation) return []
    const changed = this.#foldNow(commits)
    // So bodies do not come faster than they are folded.
    for (const key of changed) await this.#advance(key, PUT_OFF_BYTES)
    if (this.#flusher.size > limits.unflushedEntities) {
      // Ignored: the flusher reports it, and tries again.
      await this.flush().catch(() => undefined)
    }
    return changed
  }

  #foldNow(commits: readonly Commit[]): readonly EntityKey[] {
    const fresh = this.#frontier.fresh(commits)
    const changed: EntityKey[] = []
    const isWanted = (key: EntityKey): boolean => this.#declared(key) !== undefined
    for (const [key, bodies] of bodiesOf(fresh, isWanted, this.#options)) {
      if (this.#lifecycleOf(key).take(key, bodies)) changed.push(key)
      this.#newStates?.meanwhile(key, bodies)
      this.#flusher.add(key)
    }
    for (const { session, header } of fresh) this.commitFolded(session, header.seq)
    return changed
  }

  readonly #blankSlot = async (key: EntityKey): Promise<Slot> => {
    const model = await this.#declared(key)!.load()
    return slotOf(key, model, await model.open(undefined, key))
  }

  /** Puts new states in the place of those that are shown. */
  async #replace(newStates: NewStates, done: () => void): Promise<boolean> {
    // Nothing that is captured now may be written later.
    await this.#flusher.pause()
    try {
      if (!newStates.isClosed) await this.#deleteStored(newStates)
      while (!newStates.isClosed && !newStates.isReady) await newStates.prepare(this.#blankSlot)
      if (newStates.isClosed) return false
      for (const [key, { slot, beyond }] of newStates.finish()) {
        if (slot) this.#slots.put(key, slot)
        else this.#slots.remove(key)
        this.#lifecycleOf(key).replaced(key, slot, beyond)
        if (slot) this.#flusher.add(key)
        else this.#flusher.drop(key)
      }
      done()
      return true
    } finally {
      if (!this.#isDiscarding) this.#flusher.resume([])
      this.#flusher.schedule()
    }
  }

  /** Deletes what is stored of entities that have new states: these are stored as if they were new. Until then, nobody knows how far they are folded. */
  async #deleteStored(newStates: NewStates): Promise<void> {
    const { store } = this.#options
    const blank = newStates.blank()
    const keys: Uint8Array[] = []
    const gone: Uint8Array[] = []
    const { rows, absent } = this.#slots
    for (const key of newStates.keys) {
      keys.push(...(await this.#lifecycleOf(key).stored(key, blank.has(key))))
      if ((await absent.read(key)) && blank.has(key)) gone.push(absentKey(key))
    }
    const writes = [...keys, ...gone].map((key) => ({ key, value: undefined }))
    if (writes.length === 0) return
    const less = { more: -keys.length, absent: -gone.length }
    const tally = this.#tally.capture(less, this.#frontier.storedSessions)
    await store.write([...writes, tally.write], 'local')
    tally.stored()
    for (const key of blank) {
      rows.delete(key)
      absent.delete(key)
    }
  }

  /** Takes own bodies for entities that were not in memory when the commit was made. */
  async #takeLate(): Promise<void> {
    while (this.#late.length > 0) {
      const [{ key, body }] = this.#late as [{ key: EntityKey; body: VersionedBody }]
      const lifecycle = this.#lifecycleOf(key)
      await lifecycle.prepare([key])
      if (this.#late[0]?.body !== body) continue
      this.#late.shift()
      lifecycle.take(key, [body])
    }
  }

  async #beforeFlush(): Promise<void> {
    await this.#slots.absent.check()
    await this.#takeLate()
    for (const key of this.#flusher.keys()) await this.#advance(key, 0)
  }

  /** The slots of entities that have put nothing off. */
  async #ready(keys: readonly EntityKey[]): Promise<readonly Slot[]> {
    for (const key of keys) this.#slots.pin(key)
    try {
      for (;;) {
        const slots = await this.#slots.load(keys)
        this.#assertOpen()
        const behind = slots.filter((slot) => advance(slot, 0, this.#options))
        if (behind.length === 0) return slots
        await this.#turns.next()
      }
    } finally {
      for (const key of keys) this.#slots.unpin(key)
    }
  }

  /** Lets an entity in memory do the work that it has put off, a part in each turn, until bodies of at most `most` bytes wait. */
  async #advance(key: EntityKey, most: number): Promise<void> {
    for (;;) {
      const slot = this.#slots.get(key)
      if (!slot || this.#isClosed || !advance(slot, most, this.#options)) return
      await this.#turns.next()
    }
  }

  #forget(): void {
    this.#generation++
    this.#newStates?.close()
    this.#flusher.forget()
    for (const lifecycle of this.#lifecycles.values()) lifecycle.forget()
    this.#frontier.reset()
    this.#slots.clear()
  }

  #afterFlush(): void {
    const mayGo = (slot: Slot): 'now' | 'later' | 'no' => this.#mayGo(slot)
    this.#slots.mayEvict()
    this.#slots.evictLarge(mayGo)
    this.#slots.evictLeaving(mayGo)
    this.#evict(this.#options.perturb?.('evict-all') ? 0 : undefined)
  }

  /** Lets idle entities leave memory, from time to time as long as there are any. */
  #sweep(): void {
    this.#cancelSweep ??= this.#options.scheduler.after(limits.idleEntityMs, () => {
      this.#cancelSweep = undefined
      this.#slots.evictIdle((slot) => this.#mayGo(slot))
      if (this.#slots.size > 0) this.#sweep()
    })
  }

  #evict(keep?: number): void {
    this.#slots.evict((slot) => this.#mayGo(slot), keep)
  }

  #mayGo(slot: Slot): 'now' | 'later' | 'no' {
    const leaves = this.#lifecycleOf(slot.key).mayLeave(slot)
    if (leaves === 'later') return 'later'
    return this.#flusher.has(slot.key) ? 'no' : 'now'
  }

  /** The state of an entity, opened for a list; `undefined` if it cannot be read, or does not exist. */
  async #mirrorOf(key: EntityKey): Promise<Json | undefined> {
    const [slot] = await this.#ready([key])
    this.#evict()
    return mirrorOf(slot!)
  }

  #unflushed(type: string): EntityKey[] {
    return [...this.#flusher.keys()].filter((key) => splitEntityKey(key).type === type)
  }

  async #read(key: EntityKey): Promise<Slot> {
    const declared = this.#declared(key)
    if (!declared) throw undeclared(splitEntityKey(key).type)
    if (!this.#isClosed) this.#sweep()
    return this.#lifecycleOf(key).load(key, await declared.load())
  }

  #lifecycleOf(key: EntityKey): Lifecycle {
    return this.#lifecycles.get(this.#declared(key)!.lifecycle)!
  }

  #byLifecycle(keys: readonly EntityKey[]): ReadonlyMap<Lifecycle, readonly EntityKey[]> {
    return Map.groupBy(keys, (key) => this.#lifecycleOf(key))
  }

  #declared(key: EntityKey): DeclaredModel | undefined {
    return this.#options.models.get(splitEntityKey(key).type)
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const running = this.#folding.then(task)
    // Ignored: the caller has it; the next task runs anyway.
    this.#folding = running.catch(() => undefined)
    return running
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new PeerplaneError('closed', 'the entities are closed')
  }
}

/** An open entity that nobody looks at may put off the folding of bodies of this size. */
const PUT_OFF_BYTES = 4 * 1024 * 1024

/** Own bodies are never newer than the model that made them. */
const OWN_VERSION = 0

function mirrorOf(slot: Slot): Json | undefined {
  try {
    return !slot.problem && slot.state.exists ? slot.state.mirror : undefined
  } catch {
    // Ignored: a state that has failed; opening the entity says why.
    return undefined
  }
}

const undeclared = (type: string): PeerplaneError =>
  new PeerplaneError('unknown-entity', `"${type}" is not declared`)
