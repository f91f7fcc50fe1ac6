import type { Body } from '@peerplane/core'

import { readBody } from './body.ts'
import { changesIn, isActorOf, workIn, type Change } from './change-chunk.ts'
import type { Tree } from './defaults.ts'
import type { History } from './history.ts'
import { wrong } from './wrong.ts'

/** What taking a body in works with. */
export interface BodyIntakeSource {
  readonly history: History
  /** The actor of the session that made the body. */
  readonly actor: string
  /** The changes of an initial state. Throws `void`. */
  readonly defaultsOf: (tree: Tree | undefined) => readonly Change[]
}

/**
 * Where a body has come to: it goes on; it is of another kind of state; all its changes are known; it builds on a change that is not here; or
 * its changes are added.
 */
export type BodyProgress =
  | { readonly kind: 'goes-on' | 'other' | 'known' | 'added' }
  | { readonly kind: 'waits'; readonly missing: string }

/**
 * Takes one body in, some changes at a time: reads all of them, and then adds those that are new to the history, and what comes with them, all or
 * none. Nothing else may be added to the history meanwhile.
 */
export class BodyIntake {
  readonly body: Body
  readonly tree: Tree | undefined
  readonly #source: BodyIntakeSource
  readonly #unread: Iterator<Change> | undefined
  /** How much work the changes may still make. */
  #allowed: number
  /** What is to be added: first what comes with the changes, then these. */
  #new: Change[] = []
  #defaults = 0
  #isRead = false
  #added = 0
  #largest = 0
  #operations = 0
  #work = 0
  readonly #texts: boolean[] = []

  /** Throws `void`. */
  constructor(body: Body, source: BodyIntakeSource) {
    this.body = body
    this.#source = source
    const content = readBody(body.bytes)
    this.tree = content?.tree
    this.#allowed = content?.allowed ?? 0
    if (content) this.#unread = changesIn(content.chunks, content.allowed)
  }

  /** New changes of the body, in their order. */
  get changes(): readonly Change[] {
    return this.#new.slice(this.#defaults)
  }

  /** Which of them edit nothing but texts. */
  get texts(): readonly boolean[] {
    return this.#texts.slice(this.#defaults)
  }

  /** What comes with them. */
  get defaults(): readonly Change[] {
    return this.#new.slice(0, this.#defaults)
  }

  /** How many operations the largest container has that the changes touch. */
  get largest(): number {
    return this.#largest
  }

  /** How many operations it has added to the history so far. */
  get operations(): number {
    return this.#operations
  }

  /** How much work it has done so far. */
  get work(): number {
    return this.#work
  }

  /** Goes on until about so much work is done. Throws `void`; then nothing is added. */
  step(most: number): BodyProgress {
    if (!this.#unread) return { kind: 'other' }
    const end = this.#work + most
    try {
      while (this.#work < end) {
        if (!this.#isRead) this.#work += this.#readNext(this.#unread)
        else if (this.#new.length === this.#defaults) return { kind: 'known' }
        else if (this.#added === this.#new.length) return { kind: 'added' }
        else {
          const change = this.#new[this.#added]!
          const missing = change.deps.find((dep) => !this.#source.history.has(dep))
          if (missing !== undefined) {
            this.#takeBack()
            return { kind: 'waits', missing }
          }
          this.#work += this.#add(change)
        }
      }
    } catch (error) {
      this.#takeBack()
      throw error
    }
    return { kind: 'goes-on' }
  }

  /** Takes back what was added. */
  #takeBack(): void {
    while (this.#added > 0) this.#source.history.remove(this.#new[--this.#added]!)
    this.#operations = 0
  }

  /** Reads the next change, and at the end what comes with all of them. Returns how much work that was. */
  #readNext(unread: Iterator<Change>): number {
    const { actor, history, defaultsOf } = this.#source
    const next = unread.next()
    if (next.done) {
      this.#isRead = true
      if (this.#new.length === 0) return 1
      const defaults = defaultsOf(this.tree).filter(({ hash }) => !history.has(hash))
      this.#new = [...defaults, ...this.#new]
      this.#defaults = defaults.length
      return 1 + defaults.length
    }
    const change = next.value
    if (!isActorOf(change.actors[0], actor)) throw wrong('another session made it')
    if (history.has(change.hash)) return READ_WORK
    this.#new.push(change)
    this.#allowed -= workIn(change)
    return READ_WORK + workIn(change) / 4
  }

  #add(change: Change): number {
    const { history } = this.#source
    if (this.#added >= this.#defaults) this.#allowed -= history.leftOutBy(change)
    if (this.#allowed < 0) throw wrong('it leaves out more numbers than its bytes pay for')
    const { largest, isText } = history.add(change)
    this.#added++
    this.#operations += change.operations.count
    this.#texts.push(isText)
    if (this.#added > this.#defaults) this.#largest = Math.max(this.#largest, largest)
    return 1 + workIn(change)
  }
}

/** Reading a change of any size takes about as long as judging so many operations. */
const READ_WORK = 16
