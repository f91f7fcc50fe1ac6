import { clockDoubt, PeerplaneError, type Clock } from '@peerplane/core'

import type { Invoker } from './commands/invoker.ts'
import type { PlaneStatus, Problem } from './contract/status.ts'
import type { Founding } from './membership/founding.ts'
import type { Losses, Seqs } from './membership/lost.ts'
import type { Online } from './online.ts'
import type { HeldSpace } from './space/held-space.ts'
import type { StatusTeller } from './watching/status.ts'

/** The parts of a runtime that its status is read from. */
export interface StatusParts {
  readonly clock: Clock
  readonly space: HeldSpace
  readonly founding: Founding
  readonly invoker: Invoker
  readonly online: Online
  readonly losses: Losses
  readonly status: StatusTeller
}

/** The status of a runtime as it is now. */
export function readStatus(parts: StatusParts): PlaneStatus {
  const { space, founding, invoker, online, status } = parts
  const { space: where, device } = founding.membership()
  const log = space.log.status()
  const sync = online.sync()?.status()
  const missing = parts.losses.missing(space.log.stored())
  return {
    space: where.record.id,
    device,
    membership: membershipOf(founding),
    storage: status.storageFails() ? 'failing' : 'ok',
    commits: log.commits,
    lost: sumOf(missing),
    waiting: log.waiting.commits,
    forks: log.frozen.length,
    contradicted: log.contradicted.length,
    unreadable: log.unreadable.length,
    void: space.voids(),
    deleted: space.entities.absent,
    pendingCommands: invoker.pending(),
    undone: invoker.undone(),
    online: online.wanted(),
    peers: (sync?.peers ?? []).map((peer) => ({
      device: peer.device,
      anchor: peer.anchor,
      path: peer.path,
      pending: peer.pending,
      behind: peer.behind,
      announced: log.commits - peer.pending + peer.behind,
    })),
    network: sync?.network,
    addresses: online.network()?.addresses() ?? [],
    lastError: status.lastError() ?? lossOf(missing) ?? sync?.lastError,
    clockDoubt: doubtOfClock(parts),
  }
}

/** What others wrote, and this device before, that speaks against its clock. */
export function doubtOfClock({
  clock,
  space,
  founding,
}: Pick<StatusParts, 'clock' | 'space' | 'founding'>): string | undefined {
  const { device } = founding.membership()
  const { wroteLast } = space.log.status()
  const others = [...wroteLast].filter(([other]) => other !== device)
  return clockDoubt(clock.now(), {
    others: others.map(([, ms]) => ms),
    self: wroteLast.get(device),
  })
}

function membershipOf(founding: Founding): PlaneStatus['membership'] {
  if (!founding.done()) return 'none'
  return founding.membership().chain.length > 0 ? 'joined' : 'founded'
}

/** As many sessions are named; a person needs no more of them. */
const NAMED = 3

function lossOf(missing: Seqs): Problem | undefined {
  if (missing.size === 0) return undefined
  const named = [...missing]
    .slice(0, NAMED)
    .map(([session, commits]) => `${commits} of session ${session.slice(0, 8)}`)
  const others = missing.size > NAMED ? ` and of ${missing.size - NAMED} others` : ''
  const { code, message } = new PeerplaneError(
    'storage-lost',
    `${sumOf(missing)} commits that were stored here are gone, and have not come back from other devices: ${named.join(', ')}${others}`,
  )
  return { code, message }
}

const sumOf = (missing: Seqs): number =>
  [...missing.values()].reduce((sum, commits) => sum + commits, 0)
