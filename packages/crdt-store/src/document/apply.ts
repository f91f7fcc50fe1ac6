import { equalBytes, PeerplaneError, type Body, type SessionId } from '@peerplane/core'

import { free } from './automerge.ts'
import type { Replica } from './library.ts'
import type { Change } from './change-chunk.ts'

/** A foreign body that has passed the first check. */
export interface Pending {
  readonly body: Body
  readonly change: Change
}

/**
 * Applies foreign changes, in causal order, to a copy of `replica`, and gives the copy back with the bodies that it refused.
 *
 * `replica` itself is never touched: a change that passes the first check can still make Automerge fail half-way, or be accepted and
 * not be what the document stores, so that the document would not load again. Therefore every change is read back and compared. One
 * that fails is found by halving; it and all later ones of its session, which are added to `banned`, have no effect.
 *
 * A copy costs about a tenth of applying anything to the same document. The replica given is freed when another one is returned.
 * Throws `unreadable` when the WASM itself has died; then nothing is judged.
 */
export function applyForeign(
  replica: Replica,
  pending: readonly Pending[],
  banned: Set<SessionId>,
): { replica: Replica; refused: Body[] } {
  const refused: Body[] = []
  const refusedHashes = new Set<string>()
  const refuse = ({ body, change }: Pending): void => {
    refused.push(body)
    refusedHashes.add(change.hash)
    banned.add(body.origin.session)
  }
  const attempt = (list: readonly Pending[]): void => {
    const able: Pending[] = []
    for (const each of list) {
      const isLost =
        banned.has(each.body.origin.session) ||
        each.change.deps.some((dep) => refusedHashes.has(dep))
      if (isLost) refuse(each)
      else able.push(each)
    }
    if (able.length === 0) return
    const next = tryOnCopy(replica, able)
    if (next) {
      free(replica)
      replica = next
    } else if (able.length === 1) refuse(able[0]!)
    else {
      const half = able.length >> 1
      attempt(able.slice(0, half))
      attempt(able.slice(half))
    }
  }
  attempt(pending)
  return { replica, refused }
}

function tryOnCopy(replica: Replica, pending: readonly Pending[]): Replica | undefined {
  let copy: Replica | undefined
  try {
    copy = replica.clone()
    copy.applyChanges(pending.map(({ change }) => change.bytes))
    for (const { change } of pending) {
      const stored = copy.getChangeByHash(change.hash)
      if (!stored || !equalBytes(stored, change.bytes)) throw new Error('not what was applied')
    }
    return copy
  } catch (cause) {
    if (copy) free(copy)
    checkAlive(replica, cause)
    return undefined
  }
}

/** A panic leaves the WASM usable for other documents; running out of memory does not. */
function checkAlive(replica: Replica, cause: unknown): void {
  try {
    replica.getHeads()
  } catch {
    throw new PeerplaneError('unreadable', 'the document kernel has died', { cause })
  }
}
