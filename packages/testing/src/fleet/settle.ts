import type { PlaneStatus } from '@peerplane/runtime'

import type { SimDevice } from './device.ts'
import type { Fleet } from './fleet.ts'

const PATIENCE_MS = 180_000
/** How long nothing may change before devices count as equal: longer than the interval of anti-entropy. */
export const STILL_MS = 15_000

/** Waits until all devices hold the same commits, none of which waits. Returns what they hold if they do not become equal. */
export async function settle(
  { devices, world }: Fleet,
  statusOf: (device: SimDevice) => PlaneStatus | undefined,
): Promise<string | undefined> {
  const end = world.now + PATIENCE_MS
  let still = world.now
  let before = ''
  while (world.now < end) {
    await world.run(world.now + 1000)
    const statuses = devices.map(statusOf)
    const commits = statuses[0]?.commits
    const isEqual = statuses.every(
      (status) =>
        status?.commits === commits && status?.waiting === 0 && status.pendingCommands === 0,
    )
    const now = JSON.stringify(
      statuses.map((status) => [status?.commits, status?.waiting, status?.pendingCommands]),
    )
    if (now !== before || !isEqual) still = world.now
    before = now
    if (world.now - still >= STILL_MS) return undefined
  }
  return before
}

/** Stops a device and starts it again. Returns whether it has stopped. */
export async function restart(fleet: Fleet, device: SimDevice): Promise<boolean> {
  const { world } = fleet
  let isDone = false
  const stopping = device.stop().then(() => {
    isDone = true
  })
  await world.run(world.now + 60_000, () => isDone)
  if (isDone) await stopping
  fleet.start(device)
  return isDone
}
