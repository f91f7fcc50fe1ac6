import {
  fromHex,
  hash,
  limits,
  PeerplaneError,
  toHex,
  type Body,
  type SessionId,
} from '@peerplane/core'

import { readBody, type DocumentBody } from './body.ts'
import { isActorOf, readChange, readChanges, workIn, type Change } from './change-chunk.ts'
import { allOf, changesOf, type DefaultMaker, type Tree } from './defaults.ts'
import { History } from './history.ts'
import type { Kinds } from './kinds.ts'
import type { DocumentReplica } from './library.ts'
import { replayWork } from './replay.ts'
import type { Snapshot } from './snapshot.ts'
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
    return this.#held.length > 0 || this.#own.length > 0
  }

  /** Bodies that wait, in the order of their sessions' ids and in their own. */
  get waiting(): readonly Body[] {
    const sessions = [...this.#waiting].sort(([a], [b]) => (a < b ? -1 : 1))
    return [...this.#held, ...sessions.flatMap(([, bodies]) => bodies)]
  }

  /** How many operations the document has, as far as it was looked at to judge changes of other devices. */
  get operations(): number {
    return this.#history?.operations ?? 0
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
    for (const own of this.#own.splice(0)) this.#wake(own, history, refused)
    const [held, operations] = [this.#held, history.operations]
    let taken = 0
    let bytes = 0
    while (taken < held.length && history.operations - operations + weigh(taken, bytes) < work) {
      const body = held[taken]!
      taken++
      bytes += body.bytes.length
      const { session } = body.origin
      const behind = this.#waiting.get(session)
      if (behind) {
        behind.push(body)
        this.#waitingBytes += body.bytes.length
      } else {
        const arrived = this.#takeInOrder(session, [body], history, refused)
        for (const hash of arrived) this.#wake(hash, history, refused)
      }
    }
    this.#held = held.slice(taken)
    this.#heldBytes -= bytes
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
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    this.hold([...again, ...held])
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
  }

  /** Takes in what has waited for a change, and for what has waited for that. */
  #wake(first: string, history: History, refused: Body[]): void {
    const arrived = [first]
    for (let change = arrived.pop(); change !== undefined; change = arrived.pop()) {
      const sessions = this.#waitingFor.get(change) ?? []
      this.#waitingFor.delete(change)
      for (const session of sessions) {
        arrived.push(...this.#takeInOrder(session, this.#release(session), history, refused))
      }
    }
  }

  /** Takes bodies of a session that does not wait, until one must. Returns the changes that have arrived. */
  #takeInOrder(
    session: SessionId,
    bodies: readonly Body[],
    history: History,
    refused: Body[],
  ): string[] {
    const arrived: string[] = []
    for (const [at, body] of bodies.entries()) {
      try {
        if (this.banned.has(session)) throw wrong('its session is banned')
        const content = readBody(body.bytes)
        if (!content) {
          this.#kinds.addOther()
          continue
        }
        const all = readChanges(content.chunks, content.allowed)
        if (all.some(({ actors }) => !isActorOf(actors[0], actorOf(session)))) {
          throw wrong('another session made it')
        }
        const isNew = ({ hash: each }: Change): boolean => !history.has(each)
        const changes = all.filter(isNew)
        if (changes.length === 0) continue
        const defaults = this.#defaultsOf(content.tree).filter(isNew)
        const { missing, largest, texts } = addAll(history, {
          defaults,
          changes,
          allowed: content.allowed,
        })
        if (missing !== undefined) {
          this.#wait(session, bodies.slice(at), missing)
          break
        }
        if (content.tree) this.#kinds.add(content.tree)
        // A merge has no operations, and takes about as long as one.
        const work = changes.reduce((sum, each) => sum + Math.max(1, workIn(each)), 0)
        this.pending.push({
          body,
          changes: changes.map((each, at) => toApply(each, texts[at])),
          defaults: defaults.map((each) => toApply(each)),
          work,
          largest,
        })
        this.#pendingBytes += body.bytes.length
        for (const each of [...defaults, ...changes]) arrived.push(each.hash)
      } catch (error) {
        if (!(error instanceof PeerplaneError && error.code === 'void')) throw error
        this.banned.add(session)
        refused.push(body)
      }
    }
    return arrived
  }

  #wait(session: SessionId, bodies: readonly Body[], missing: string): void {
    this.#waiting.set(session, [...bodies])
    for (const body of bodies) this.#waitingBytes += body.bytes.length
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

/** Reading bodies takes about as long as judging so many operations. */
const weigh = (bodies: number, bytes: number): number => 64 * bodies + bytes / 16

const toApply = (change: Change, isText = false): AppliedChange => {
  const { bytes, hash, deps } = change
  return { bytes, hash, deps, replayWork: isText ? replayWork(change) : Infinity }
}

/**
 * Adds the changes of a body and what comes with them, if everything else that they build on is here; otherwise adds nothing and names what is
 * missing. Says how many operations the largest container has that they change, and which of them edit nothing but texts. Throws `void`, and adds nothing then either.
 */
function addAll(
  history: History,
  {
    defaults,
    changes,
    allowed,
  }: { defaults: readonly Change[]; changes: readonly Change[]; allowed: number },
): { readonly missing?: string; readonly largest: number; readonly texts: readonly boolean[] } {
  let largest = 0
  const texts: boolean[] = []
  let left = changes.reduce((rest, each) => rest - workIn(each), allowed)
  const added: Change[] = []
  const takeBack = (): void => {
    for (const each of added.reverse()) history.remove(each)
  }
  try {
    for (const each of defaults) {
      history.add(each)
      added.push(each)
    }
    for (const each of changes) {
      const missing = each.deps.find((dep) => !history.has(dep))
      if (missing !== undefined) {
        takeBack()
        return { missing, largest, texts }
      }
      left -= history.leftOutBy(each)
      if (left < 0) throw wrong('it leaves out more numbers than its bytes pay for')
      const touched = history.add(each)
      largest = Math.max(largest, touched.largest)
      texts.push(touched.isText)
      added.push(each)
    }
  } catch (error) {
    takeBack()
    throw error
  }
  return { largest, texts }
}

/** The actor of a session in every document, hexadecimal: 16 bytes that no other session has, and a session is never resumed. */
export const actorOf = (session: SessionId): string =>
  toHex(hash('document-actor', fromHex(session)).slice(0, 16))
