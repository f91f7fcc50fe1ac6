import { limits } from '@peerplane/core'

import { CausalPast, type ChangeNode, type VectorClock } from './causal-past.ts'
import type { Change } from './change-chunk.ts'
import { addOperations, containerMade } from './check-operations.ts'
import { action } from './columns.ts'
import { readSaved } from './document-chunk.ts'
import type { DocumentReplica } from './library.ts'
import { INSERTED, OperationIndex, ROOT } from './operation-index.ts'
import { NONE } from './run-length.ts'
import { wrong } from './wrong.ts'

/**
 * The changes of a document as far as it takes to say whether another one is valid, which depends only on that change and those it
 * builds on: every device decides the same, in whatever order and grouping the changes come.
 *
 * Memory: 8 bytes per operation, some hundred per change, and clocks as {@link CausalPast} keeps them.
 */
export class History {
  readonly #index = new OperationIndex()
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
      const past = history.#past.of(nodes, history.#index.actorCount)
      const node = { actor: number, seq, lastOp: maxOp, deps: nodes }
      history.#changes.set(hash, history.#past.add(node, past))
    }
    history.#load(replica)
    return history
  }

  has(hash: string): boolean {
    return this.#changes.has(hash)
  }

  /** Adds a change all of whose deps are known. Throws `void` for one that is not valid: then nothing is added. */
  add(change: Change): void {
    const { deps, actors, seq, startOp, operations } = change
    const nodes = deps.map((dep) => this.#changes.get(dep)!)
    const before = nodes.reduce((last, { lastOp }) => Math.max(last, lastOp), 0)
    if (startOp <= before || startOp > before + limits.documentOpsAhead) {
      throw wrong('its operations are numbered wrongly')
    }
    const author = this.#index.addActor(actors[0])
    const past = this.#past.of(nodes, this.#index.actorCount)
    // A session tells its changes in one order, and each must know the one before.
    if (seq !== past[author]! + 1 || seq !== this.#index.changeCount(author) + 1) {
      throw wrong('it has the wrong number')
    }
    const lastOp = startOp + operations.count - 1
    this.#addOperations(change, author, lastOp, past)
    const node = { actor: author, seq, lastOp, deps: nodes }
    this.#changes.set(change.hash, this.#past.add(node, past))
  }

  /** Takes back the last change of its author. */
  remove({ hash, actors }: Change): void {
    this.#index.removeChange(this.#index.addActor(actors[0]))
    this.#changes.delete(hash)
  }

  #addOperations(change: Change, author: number, lastOp: number, past: VectorClock): void {
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
      addOperations(change, actors, (actor, counter) => counter <= limit[actor]!, this.#index)
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
    const { count, counter: counters } = saved
    for (let at = 0; at < count; at++) {
      const type = containerMade(saved.action[at]!)
      if (type) index.addContainer(actorOf(saved.actor[at]!), counters[at]!, type)
    }
    for (let at = 0; at < count; at++) {
      if (saved.action[at] === action.delete) continue
      const made = saved.objectCounter[at]!
      const container =
        made === NONE ? ROOT : index.containerOf(actorOf(saved.objectActor[at]!), made)!
      const text = saved.keyText[at]
      let key = INSERTED
      if (text !== undefined) key = index.keyOfText(text)
      else if (saved.insert[at] === 0) {
        key = index.keyOfItem(actorOf(saved.keyActor[at]!), saved.keyCounter[at]!)
      }
      index.put(actorOf(saved.actor[at]!), counters[at]!, container, key)
    }
  }
}
