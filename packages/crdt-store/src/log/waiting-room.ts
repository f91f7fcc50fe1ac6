import { limits } from '@peerplane/core'
import type { Batch, DeviceId, SessionId } from '@peerplane/core'

/** How much waits. */
export interface Usage {
  readonly commits: number
  readonly bytes: number
}

const NOTHING: Usage = { commits: 0, bytes: 0 }

/** Counts what waits for a dependency, and says whose has to leave when there is no room. */
export class WaitingRoom {
  readonly #deviceOf: (session: SessionId) => DeviceId
  readonly #sizes = new Map<Batch, number>()
  readonly #sessions = new Map<SessionId, Usage>()
  #total = NOTHING

  constructor(deviceOf: (session: SessionId) => DeviceId) {
    this.#deviceOf = deviceOf
  }

  get total(): Usage {
    return this.#total
  }

  enter(batch: Batch, size: number): void {
    this.#sizes.set(batch, size)
    this.#count(batch.session, { commits: batch.commits.length, bytes: size })
  }

  leave(batch: Batch): void {
    const size = this.#sizes.get(batch) ?? 0
    this.#sizes.delete(batch)
    this.#count(batch.session, { commits: -batch.commits.length, bytes: -size })
  }

  fits(more: Usage): boolean {
    return shareOf(sum(this.#total, more)) <= 1
  }

  /**
   * The sessions that have to leave so that a device can have `more`; `undefined` if it may not.
   *
   * Only who has more than the one who comes has to leave: a device that fills the room with what nobody can ever deliver keeps no other one
   * out, and cannot be kept out by more of its kind from a fair share.
   */
  leaversFor(device: DeviceId, more: Usage): SessionId[] | undefined {
    return this.#leavers(more, device)
  }

  /** The sessions that have to leave when more waits than there is room for. */
  leaversBeyond(): SessionId[] {
    return this.#leavers(NOTHING) ?? []
  }

  #leavers(more: Usage, device?: DeviceId): SessionId[] | undefined {
    const leavers: SessionId[] = []
    if (this.fits(more)) return leavers
    const usages = this.#byDevice()
    const before = device === undefined ? undefined : usages.get(device)?.usage
    const wanted = shareOf(sum(before ?? NOTHING, more))
    let total = sum(this.#total, more)
    while (shareOf(total) > 1) {
      const [greediest] = [...usages].sort(([, a], [, b]) => shareOf(b.usage) - shareOf(a.usage))
      if (!greediest || greediest[0] === device || shareOf(greediest[1].usage) <= wanted) {
        return undefined
      }
      const entry = greediest[1]
      const session = entry.sessions.pop()!
      const usage = this.#sessions.get(session)!
      leavers.push(session)
      total = minus(total, usage)
      entry.usage = minus(entry.usage, usage)
    }
    return leavers
  }

  /** Devices with what they use, and their sessions, the largest last. */
  #byDevice(): Map<DeviceId, { usage: Usage; readonly sessions: SessionId[] }> {
    const devices = new Map<DeviceId, { usage: Usage; readonly sessions: SessionId[] }>()
    const ascending = [...this.#sessions].sort(([, a], [, b]) => shareOf(a) - shareOf(b))
    for (const [session, usage] of ascending) {
      const device = this.#deviceOf(session)
      const entry = devices.get(device) ?? { usage: NOTHING, sessions: [] }
      devices.set(device, entry)
      entry.usage = sum(entry.usage, usage)
      entry.sessions.push(session)
    }
    return devices
  }

  #count(session: SessionId, more: Usage): void {
    this.#total = sum(this.#total, more)
    const usage = sum(this.#sessions.get(session) ?? NOTHING, more)
    if (usage.commits > 0) this.#sessions.set(session, usage)
    else this.#sessions.delete(session)
  }
}

/** The part of the room that this takes. */
const shareOf = ({ commits, bytes }: Usage): number =>
  Math.max(commits / limits.waitingCommits, bytes / limits.waitingBytes)

const sum = (a: Usage, b: Usage): Usage => ({
  commits: a.commits + b.commits,
  bytes: a.bytes + b.bytes,
})

const minus = (a: Usage, b: Usage): Usage => ({
  commits: a.commits - b.commits,
  bytes: a.bytes - b.bytes,
})
