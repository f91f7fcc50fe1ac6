import type { Fleet } from '../fleet/fleet.ts'
import type { Violation } from './oracle.ts'

/** From the moment when all devices are equal: acknowledgements and announcements of what came last, virtual milliseconds. */
export const SETTLE_MS = 3_000

/** How long the fleet is watched afterwards, and how many frames and announcements each device may still receive per second. */
const LOOK_MS = 5_000
const RATE = 3

/** A few more may come at one time; a storm does not end. */
const LOOKS = 3

/** Watches devices that are equal; `pass` lets virtual time pass. A message storm shows as frames that do not end. */
export async function judgeCalm(
  { network, devices }: Fleet,
  pass: (ms: number) => Promise<unknown>,
): Promise<Violation | undefined> {
  await pass(SETTLE_MS)
  const received = (): number => network.counts.frames + network.counts.announcements
  const most = RATE * devices.length
  let perSecond = 0
  for (let look = 0; look < LOOKS; look++) {
    const before = received()
    await pass(LOOK_MS)
    perSecond = (received() - before) / (LOOK_MS / 1000)
    if (perSecond <= most) return undefined
  }
  const what = `${perSecond} messages per second among equal devices; ${most} would do`
  return { rule: 'quiescence', where: 'fleet', what }
}
