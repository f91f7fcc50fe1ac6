import { limits } from '@peerplane/core'

import { CausalPast, type ChangeNode, type VectorClock } from './causal-past.ts'
import { sessionActorOf, type Change } from './change-chunk.ts'
import { addOperations, containerMade, type Touched } from './check-operations.ts'
import { action } from './columns.ts'
import { readSaved, type SavedOperations } from './document-chunk.ts'
import type { DocumentReplica } from './library.ts'
import { INSERTED, OperationIndex, ROOT } from './operation-index.ts'
import { NONE } from './run-length.ts'
import { placeOf, Standing } from './standing.ts'
import { wrong } from './wrong.ts'

/**
 * The changes of a document as far as it takes to say whether another one is valid, which depends only on that change and those it
 * builds on: every device decides the same, in whatever order and grouping the changes come.
 *
 * Memory: 8 bytes per operation, some hundred per change and per value of a map, and clocks as {@link CausalPast} keeps them.
 */
export class History {
  readonly #index = new OperationIndex()
  readonly #standing = new Standing()
  /** How many operations each session has made, by the actor of the session. */
  readonly #made = new Map<string, number>()
  #operations = 0
  readonly #past = new CausalPast()
  readonly #changes = new Map<string, ChangeNode>()

  /** The history of what a replica holds; it takes about as long as loading it. */
  static of(replica: DocumentReplica): History {
    const history = new History()
    for (const change of replica.getChangesMeta([])) {
      const { hash, actor, seq, startOp, maxOp, deps } = change
      const number = history.#index.addActor(actor)
      const nodes = deps.map((dep) => history.#changes.get(dep)!)
      history.#index.addChange(number, startOp, maxOp)
      history.#count(actor, maxOp - startOp + 1)
      const past = history.#past.of(nodes, history.#index.actorCount)
      const node = { actor: number, seq, lastOp: maxOp, deps: nodes }
      history.#changes.set(hash, history.#past.add(node, past))
    }
    history.#load(replica)
    return history
  }

  /** How many operations all changes have, with those that delete. */
  get operations(): number {
    return this.#operations
  }

  has(hash: string): boolean {
    return this.#changes.has(hash)
  }

  /** How many numbers of operations a change leaves out, all of whose deps are known. */
  leftOutBy({ deps, startOp }: Change): number {
    return startOp - 1 - this.#lastOp(deps)
  }

  /** Adds a change all of whose deps are known. Throws `void` for one that is not valid: then nothing is added. */
  add(change: Change): Touched {
    const { deps, actors, seq, startOp, operations } = change
    const nodes = deps.map((dep) => this.#changes.get(dep)!)
    const before = this.#lastOp(deps)
    if (startOp <= before || startOp > before + limits.documentOpsAhead) {
      throw wrong('its operations are numbered wrongly')
    }
    const { count } = operations
    const made = this.#made.get(sessionActorOf(actors[0])) ?? 0
    if (made + count > limits.documentSessionOps) throw wrong('its session has made too much')
    const author = this.#index.addActor(actors[0])
    const past = this.#past.of(nodes, this.#index.actorCount)
    // A session tells its changes in one order, and each must know the one before.
    if (seq !== past[author]! + 1 || seq !== this.#index.changeCount(author) + 1) {
      throw wrong('it has the wrong number')
    }
    const lastOp = startOp + count - 1
    const touched = this.#addOperations(change, author, lastOp, past)
    const node = { actor: author, seq, lastOp, deps: nodes }
    this.#changes.set(change.hash, this.#past.add(node, past))
    this.#count(actors[0], count)
    return touched
  }

  /** Takes back the last change of its author. */
  remove({ hash, actors, operations }: Change): void {
    this.#count(actors[0], -operations.count)
    this.#index.removeChange(this.#index.addActor(actors[0]))
    this.#changes.delete(hash)
  }

  #lastOp(deps: readonly string[]): number {
    return deps.reduce((last, dep) => Math.max(last, this.#changes.get(dep)!.lastOp), 0)
  }

  #count(author: string, operations: number): void {
    const session = sessionActorOf(author)
    this.#made.set(session, (this.#made.get(session) ?? 0) + operations)
    this.#operations += operations
  }

  #addOperations(change: Change, author: number, lastOp: number, past: VectorClock): Touched {
    const others = change.actors.slice(1).map((actor) => this.#index.actorNumber(actor))
    if (others.some((other) => other === undefined || past[other] === 0)) {
      throw wrong('it names an author whom it cannot know')
    }
    const actors = [author, ...(others as number[])]
    // What the author has done beyond its past is in this change.
    const limit = past.map((changes, actor) =>
      actor === author ? lastOp : this.#index.lastOp(actor, changes),
    )
    this.#index.addChange(author, change.startOp, lastOp)
    try {
      const known = (actor: number, counter: number): boolean => counter <= limit[actor]!
      return addOperations(change, actors, known, { index: this.#index, standing: this.#standing })
    } catch (error) {
      this.#index.removeChange(author)
      throw error
    }
  }

  /** Puts the operations that a replica holds into the index, where their changes are known already. */
  #load(replica: DocumentReplica): void {
    const saved = readSaved(replica.saveNoCompress())
    const index = this.#index
    const actors = saved.actors.map((actor) => index.addActor(actor))
    const actorOf = (local: number): number => (local === NONE ? NONE : actors[local]!)
    const containerAt = (at: number): number => {
      const made = saved.objectCounter[at]!
      return made === NONE ? ROOT : index.containerOf(actorOf(saved.objectActor[at]!), made)!
    }
    this.#loadContainers(saved, actorOf, containerAt)
    let successor = 0
    for (let at = 0; at < saved.count; at++) {
      const from = successor
      successor += saved.replacedBy[at]!
      if (saved.action[at] === action.delete) continue
      const container = containerAt(at)
      const text = saved.keyText[at]
      let key = INSERTED
      if (text !== undefined) key = index.keyOfText(text)
      else if (saved.insert[at] === 0) {
        key = index.keyOfItem(actorOf(saved.keyActor[at]!), saved.keyCounter[at]!)
      }
      const [actor, counter] = [actorOf(saved.actor[at]!), saved.counter[at]!]
      index.put(actor, counter, container, key)
      if (key === INSERTED) continue
      const place = placeOf(container, key)
      this.#standing.put(place, actor, counter)
      for (let each = from; each < successor; each++) {
        const by = actorOf(saved.successorActor[each]!)
        this.#standing.replace(place, [actor, counter], [by, saved.successorCounter[each]!])
      }
    }
  }

  /** A container is numbered higher than the one it lies in. */
  #loadContainers(
    { action: actions, actor, counter }: SavedOperations,
    actorOf: (local: number) => number,
    containerAt: (at: number) => number,
  ): void {
    const makers: number[] = []
    for (const [at, kind] of actions.entries()) if (containerMade(kind)) makers.push(at)
    makers.sort((a, b) => counter[a]! - counter[b]!)
    for (const at of makers) {
      const depth = this.#index.depthOf(containerAt(at)) + 1
      const type = containerMade(actions[at]!)!
      this.#index.addContainer(actorOf(actor[at]!), counter[at]!, type, depth)
    }
  }
}
