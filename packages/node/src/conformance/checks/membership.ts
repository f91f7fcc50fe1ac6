import { asPeerplaneError, limits } from '@peerplane/core'

import { guestOf, joinWith, type TestDevice } from '../device.ts'
import { Probe } from '../probe.ts'
import type { RuleId } from '../rules.ts'
import type { Check, Tester } from '../tester.ts'

const HOUR_MS = 3_600_000

/** Devices that another member admits, with invitations that are valid or not. */
export const membership: Check = {
  name: 'membership',
  rules: ['R-MEMBER-2', 'R-MEMBER-3', 'R-EXTENSION-4', 'R-EXTENSION-5'],
  run: async (tester) => {
    const host = await joinWith(tester.invitation, tester)
    const now = tester.clock.now()
    const late = await guestOf(host, now - HOUR_MS, tester)
    const far = await guestOf(host, now + (limits.invitationHours + 48) * HOUR_MS, tester)
    const inTime = await guestOf(host, now + HOUR_MS, tester)
    // Nobody let its host in.
    const second = await guestOf(late, now + HOUR_MS, tester)
    await comes(tester, late, 'expired-invitation', 'R-MEMBER-2')
    await comes(tester, far, 'wrong-clock', 'R-MEMBER-2')
    await comes(tester, second, 'expired-invitation', 'R-MEMBER-3')
    await comes(tester, inTime, 'let in', 'R-MEMBER-2')
    const odd = await guestOf(host, now + HOUR_MS, tester, [[101, 'newer']])
    const even = await guestOf(host, now + HOUR_MS, tester, [[102, 'newer']])
    await comes(tester, odd, 'let in', 'R-EXTENSION-4')
    await comes(tester, even, 'let in', 'R-EXTENSION-5')
  },
}

async function comes(
  tester: Tester,
  device: TestDevice,
  expected: string,
  rule: RuleId,
): Promise<void> {
  const found = await Probe.open(tester, device).then(
    async (probe) => {
      await probe.close()
      return 'let in'
    },
    (error: unknown) => asPeerplaneError(error, 'unreachable').code,
  )
  tester.verdicts.must(
    rule,
    found === expected,
    `a device that is to be answered with "${expected}" is answered with "${found}"`,
  )
}
