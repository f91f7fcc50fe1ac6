import type { SessionId } from '@peerplane/core'

import type { NamedCommit } from '../commits.ts'
import type { PositionId } from './position-id.ts'
import type { Siblings } from './siblings.ts'

/** Where a position is made. Without a parent, it is made after the root, which is before everything. */
export interface Spot {
  readonly parent: PositionId | undefined
  readonly side: 'before' | 'after'
}

/** A link of the chain that lists the placed positions in their order. */
export class Linked {
  previous: Linked = this
  next: Linked = this

  linkAfter(previous: Linked): void {
    this.previous = previous
    this.next = previous.next
    previous.next.previous = this
    previous.next = this
  }

  unlink(): void {
    this.previous.next = this.next
    this.next.previous = this.previous
  }
}

/** The root, or a position: a link with others before and after it. */
export class Parent<Owner> extends Linked {
  befores: Siblings<Position<Owner>> | undefined = undefined
  afters: Siblings<Position<Owner>> | undefined = undefined
  /** How many steps in a row lead to it on its side. */
  steps = 0
  /** Where all that is below it begins, or ends. A few have one: finding the end of the others takes few steps. */
  edge: Linked | undefined = undefined
}

/** A place in an order. It never moves and never goes: others may name it as their parent at any time. */
export class Position<Owner> extends Parent<Owner> implements PositionId {
  readonly session: SessionId
  readonly commit: NamedCommit
  readonly index: number
  /** What stands here, or has stood here. */
  owner: Owner
  /** Its parent, once it is placed. */
  parent: Parent<Owner> | undefined = undefined
  side: Spot['side'] = 'after'

  constructor({ commit, index }: PositionId, owner: Owner) {
    super()
    this.session = commit.session
    this.commit = commit
    this.index = index
    this.owner = owner
  }
}

/** A position that is not placed, because its parent is not. */
export interface Waiting<Owner> {
  readonly position: Position<Owner>
  readonly parent: PositionId
}
