import type { PlaneStatus } from '@peerplane/runtime'

import type { SimDevice } from './device.ts'
import type { Fleet } from './fleet.ts'

/** How long nothing may change before devices count as equal: longer than the interval of anti-entropy. */
export const STILL_MS = 15_000

/** How devices become equal. */
interface Settling {
  /** The longest virtual time until then, milliseconds. */
  readonly patienceMs: number
  /** Whether devices understand all that their peers say. Otherwise a device may never learn that a peer has got its commits. Default: true. */
  readonly hearsAll?: boolean
}

/** Waits until all devices hold the same commits, none of which waits. Returns what they hold if they do not become equal. */
export async function settle(
  { devices, world }: Fleet,
  statusOf: (device: SimDevice) => PlaneStatus | undefined,
  { patienceMs, hearsAll = true }: Settling,
): Promise<string | undefined> {
  const end = world.now + patienceMs
  let still = world.now
  let before = ''
  while (world.now < end) {
    await world.run(world.now + 1000)
    const statuses = devices.map(statusOf)
    const now = JSON.stringify(
      statuses.map((status) => [status?.commits, status?.waiting, status?.pendingCommands]),
    )
    if (now !== before || !isEqual(statuses, hearsAll)) still = world.now
    before = now
    if (world.now - still >= STILL_MS) return undefined
  }
  return before
}

/** Whether all hold the same commits, as far as they know from each other: those of a device that is cut off may be as many, and others. */
function isEqual(statuses: readonly (PlaneStatus | undefined)[], hearsAll: boolean): boolean {
  const open = statuses.filter((status) => status !== undefined)
  const isAlone = open.length === 1
  return (
    open.length === statuses.length &&
    open.every(
      ({ commits, waiting, pendingCommands, online, peers }) =>
        commits === open[0]!.commits &&
        waiting === 0 &&
        pendingCommands === 0 &&
        (isAlone || !online || peers.length > 0) &&
        peers.every(({ pending, behind }) => behind === 0 && (pending === 0 || !hearsAll)),
    )
  )
}
