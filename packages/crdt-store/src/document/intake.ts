import {
  fromHex,
  hash,
  limits,
  PeerplaneError,
  toHex,
  type Body,
  type SessionId,
} from '@peerplane/core'

import type { DocumentBody } from './body.ts'
import { readChange, readChanges, workIn, type Change } from './change-chunk.ts'
import { allOf, changesOf, type DefaultMaker, type Tree } from './defaults.ts'
import { History } from './history.ts'
import type { Kinds } from './kinds.ts'
import type { DocumentReplica } from './library.ts'
import { replayWork } from './replay.ts'
import type { Snapshot } from './snapshot.ts'
import { BodyIntake, type BodyProgress } from './body-intake.ts'
import { wrong } from './wrong.ts'

/** What applying needs of a change. Its operations are not kept: read, they take many times the room of their bytes. */
export interface AppliedChange extends Pick<Change, 'bytes' | 'hash' | 'deps'> {
  /** How much work it is to repeat it; `Infinity` where that is impossible. */
  readonly replayWork: number
}

/** A body of another device that is valid as far as a check without applying it can say. */
export interface Pending {
  readonly body: Body
  /** In their order; they take effect together or not at all. */
  readonly changes: readonly AppliedChange[]
  /** Parts of an initial state that it is the first to build on. */
  readonly defaults: readonly AppliedChange[]
  /** About how many operations Automerge has to apply. */
  readonly work: number
  /** How many operations the largest container has that it changes. */
  readonly largest: number
}

/**
 * Checks bodies of other devices before Automerge sees them.
 *
 * - A void body bans its session: none of its later bodies has an effect on this document.
 * - A body that builds on a missing change waits for it, and later bodies of its session wait behind it. The changes of
 *   honest devices come after what they build on; others may hide from the log what they have seen.
 *
 * So what takes effect follows from the set of bodies that came, not from their order: sessions are taken in their own order, and
 * {@link History} judges a change by what it builds on.
 */
export class Intake {
  readonly banned: Set<SessionId>
  /** What is to be applied, in causal order. */
  pending: Pending[] = []
  #pendingBytes = 0
  #history: History | undefined
  /** Sessions that wait: their bodies in order. */
  readonly #waiting = new Map<SessionId, Body[]>()
  #waitingBytes = 0
  /** Which sessions wait for a change, by its hash. */
  readonly #waitingFor = new Map<string, SessionId[]>()
  /** Bodies to be taken before any other: those that waited when the document was saved, came during a command, or were too many for one part. */
  #held: Body[]
  #heldBytes = 0
  /** Bodies that do not wait any longer, the next one last: they are taken before the others. */
  #released: Body[] = []
  /** The body that is being taken in. */
  #taking: BodyIntake | undefined
  /** Changes that have arrived and that somebody waits for. */
  #woken: string[] = []
  /** Changes of this device that somebody may wait for. */
  #own: string[] = []

  readonly #maker: DefaultMaker
  readonly #kinds: Kinds

  constructor(
    maker: DefaultMaker,
    kinds: Kinds,
    { banned, waiting }: Pick<Snapshot, 'banned' | 'waiting'>,
  ) {
    this.#maker = maker
    this.#kinds = kinds
    this.banned = new Set(banned)
    this.#held = []
    this.hold(waiting)
  }

  /** How many bytes the bodies have that are to be taken or applied. */
  get bytes(): number {
    return this.#heldBytes + this.#pendingBytes
  }

  /** Whether bodies are to be taken. */
  get isBehind(): boolean {
    const isAny = this.#taking !== undefined || this.#woken.length > 0
    return isAny || this.#released.length > 0 || this.#held.length > 0 || this.#own.length > 0
  }

  /** Bodies that wait, in the order of their sessions' ids and in their own. */
  get waiting(): readonly Body[] {
    const sessions = [...this.#waiting].sort(([a], [b]) => (a < b ? -1 : 1))
    return [...this.#untaken, ...sessions.flatMap(([, bodies]) => bodies)]
  }

  /** How many operations the document has, as far as it was looked at to judge changes of other devices. */
  get operations(): number {
    return (this.#history?.operations ?? 0) - (this.#taking?.operations ?? 0)
  }

  /** Forgets everything: nobody looks at the document any longer. */
  giveUp(): void {
    this.pending = []
    this.#pendingBytes = 0
    this.#history = undefined
    this.#waiting.clear()
    this.#waitingFor.clear()
    this.#waitingBytes = 0
    this.#held = []
    this.#heldBytes = 0
    this.#released = []
    this.#taking = undefined
    this.#woken = []
    this.#own = []
  }

  /** Keeps bodies until the next call of `take`. */
  hold(bodies: readonly Body[]): void {
    for (const body of bodies) {
      this.#held.push(body)
      this.#heldBytes += body.bytes.length
    }
  }

  /**
   * Takes bodies in, until so much work is done that the rest is for the next call, and returns those that are void. Throws `unreadable` when
   * too much waits.
   */
  take(replica: DocumentReplica, work: number = Infinity): Body[] {
    if (!this.isBehind) return []
    const refused: Body[] = []
    const history = this.#historyOf(replica)
    this.#woken.push(...this.#own.splice(0))
    let left = work
    let next = 0
    while (left > 0) {
      if (!this.#taking) {
        this.#wake()
        const body = this.#released.pop() ?? this.#held[next++]
        if (!body) break
        left -= weigh(body.bytes.length)
        const behind = this.#waiting.get(body.origin.session)
        if (behind) {
          behind.push(body)
          this.#waitingBytes += body.bytes.length
          this.#heldBytes -= body.bytes.length
          continue
        }
        this.#begin(body, history, refused)
      }
      // At least one change: a body that is too long must not be kept.
      left -= this.#goOn(Math.max(left, 1), refused)
    }
    this.#held = this.#held.slice(next)
    this.#wake()
    if (this.#waitingBytes <= limits.documentWaitingBytes) return refused
    throw new PeerplaneError('unreadable', 'too many changes of a document build on missing ones')
  }

  /** The first `count` pending ones are applied except these: void bodies, and those that build on them. */
  settled(count: number, refused: readonly Pending[], orphaned: readonly Pending[]): Body[] {
    for (const { body } of this.pending.splice(0, count)) this.#pendingBytes -= body.bytes.length
    if (refused.length === 0) return []
    // It is rebuilt of what the replica holds. What is still pending may build on what is refused.
    this.#history = undefined
    const again = [...orphaned, ...this.pending.splice(0)].map(({ body }) => body)
    this.#pendingBytes = 0
    for (const session of new Set(again.map(({ origin }) => origin.session))) {
      again.push(...this.#release(session))
    }
    const untaken = this.#untaken
    this.#taking = undefined
    this.#released = []
    this.#held = []
    this.#heldBytes = 0
    this.hold([...again, ...untaken])
    return refused.flatMap(({ body }) => {
      this.banned.add(body.origin.session)
      return [body, ...this.#release(body.origin.session)]
    })
  }

  /** This device has added a change, and what it builds on, to the replica. Throws `void` if other devices would refuse it. */
  addOwn({ chunks, tree }: DocumentBody): void {
    if (tree) this.#kinds.add(tree)
    // A history is made of the replica when it is first needed.
    if (!this.#history && this.#waiting.size === 0) return
    const changes = [...this.#defaultsOf(tree), ...readChanges(chunks)]
    for (const change of changes) {
      if (this.#history?.has(change.hash)) continue
      this.#history?.add(change)
      if (this.#waiting.size > 0) this.#own.push(change.hash)
    }
  }

  /** The last change of this device was taken back. */
  revertOwn(): void {
    this.#history = undefined
    if (this.#taking) this.#released.push(this.#taking.body)
    this.#taking = undefined
  }

  /** What is to be taken, in its order. */
  get #untaken(): readonly Body[] {
    const begun = this.#taking ? [this.#taking.body] : []
    return [...begun, ...this.#released.toReversed(), ...this.#held]
  }

  /** What has waited for a change that has arrived is taken next. */
  #wake(): void {
    for (const change of this.#woken.splice(0)) {
      const sessions = this.#waitingFor.get(change) ?? []
      this.#waitingFor.delete(change)
      for (const session of sessions) {
        const bodies = this.#release(session)
        for (const body of bodies) this.#heldBytes += body.bytes.length
        this.#released.push(...bodies.toReversed())
      }
    }
  }

  #begin(body: Body, history: History, refused: Body[]): void {
    this.#judge(body, refused, () => {
      if (this.banned.has(body.origin.session)) throw wrong('its session is banned')
      this.#taking = new BodyIntake(body, {
        history,
        actor: actorOf(body.origin.session),
        defaultsOf: (tree) => this.#defaultsOf(tree),
      })
    })
    if (!this.#taking) this.#heldBytes -= body.bytes.length
  }

  /** Goes on with the body that is being taken in. Returns how much work that was. */
  #goOn(most: number, refused: Body[]): number {
    const taking = this.#taking
    if (!taking) return 0
    const before = taking.work
    let taken: BodyProgress | undefined
    this.#judge(taking.body, refused, () => {
      taken = taking.step(most)
      this.#took(taking, taken)
    })
    if (taken?.kind !== 'goes-on') {
      this.#taking = undefined
      this.#heldBytes -= taking.body.bytes.length
    }
    return taking.work - before
  }

  #took(taking: BodyIntake, taken: BodyProgress): void {
    const { body, tree, changes, defaults, texts, largest } = taking
    if (taken.kind === 'other') this.#kinds.addOther()
    if (taken.kind === 'waits') this.#wait(body, taken.missing)
    if (taken.kind !== 'added') return
    if (tree) this.#kinds.add(tree)
    this.pending.push({
      body,
      changes: changes.map((each, at) => toApply(each, texts[at])),
      defaults: defaults.map((each) => toApply(each)),
      // A merge has no operations, and takes about as long as one.
      work: changes.reduce((sum, each) => sum + Math.max(1, workIn(each)), 0),
      largest,
    })
    this.#pendingBytes += body.bytes.length
    for (const each of [...defaults, ...changes]) {
      if (this.#waitingFor.has(each.hash)) this.#woken.push(each.hash)
    }
  }

  #judge(body: Body, refused: Body[], task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!(error instanceof PeerplaneError && error.code === 'void')) throw error
      this.banned.add(body.origin.session)
      refused.push(body)
    }
  }

  #wait(body: Body, missing: string): void {
    const { session } = body.origin
    this.#waiting.set(session, [body])
    this.#waitingBytes += body.bytes.length
    const sessions = this.#waitingFor.get(missing)
    if (sessions) sessions.push(session)
    else this.#waitingFor.set(missing, [session])
  }

  /** The bodies of a session that waits; it waits no more. */
  #release(session: SessionId): readonly Body[] {
    const bodies = this.#waiting.get(session) ?? []
    this.#waiting.delete(session)
    for (const body of bodies) this.#waitingBytes -= body.bytes.length
    return bodies
  }

  /** The changes of an initial state. Throws `void` for one that nobody may declare. */
  #defaultsOf(tree: Tree | undefined): readonly Change[] {
    if (!tree) return []
    try {
      return allOf(this.#maker.of(tree)).flatMap(changesOf)
    } catch (error) {
      if (error instanceof PeerplaneError && error.code === 'too-large') throw wrong(error.message)
      throw error
    }
  }

  #historyOf(replica: DocumentReplica): History {
    if (this.#history) return this.#history
    try {
      const history = History.of(replica)
      for (const { defaults, changes } of this.pending) {
        for (const { hash, bytes } of [...defaults, ...changes]) {
          if (!history.has(hash)) history.add(readChange(bytes))
        }
      }
      this.#history = history
      return history
    } catch (cause) {
      throw new PeerplaneError('unreadable', 'the changes of a document cannot be read', { cause })
    }
  }
}

/** Reading a body takes about as long as judging so many operations. */
const weigh = (bytes: number): number => 64 + bytes / 16

const toApply = (change: Change, isText = false): AppliedChange => {
  const { bytes, hash, deps } = change
  return { bytes, hash, deps, replayWork: isText ? replayWork(change) : Infinity }
}

/** The actor of a session in every document, hexadecimal: 16 bytes that no other session has, and a session is never resumed. */
export const actorOf = (session: SessionId): string =>
  toHex(hash('document-actor', fromHex(session)).slice(0, 16))
