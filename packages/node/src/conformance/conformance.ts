import { limits, PeerplaneError, readInvitation } from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'

import { comparing } from './checks/comparing.ts'
import { flow } from './checks/flow.ts'
import { forks } from './checks/forks.ts'
import { garbage } from './checks/garbage.ts'
import { handshake, silence } from './checks/handshake.ts'
import { meeting } from './checks/meeting.ts'
import { membership } from './checks/membership.ts'
import { quiet } from './checks/quiet.ts'
import { refusing } from './checks/refusing.ts'
import { waiting } from './checks/waiting.ts'
import { writing } from './checks/writing.ts'
import { joinWith } from './device.ts'
import { Ledger } from './ledger.ts'
import { Probe } from './probe.ts'
import type { RuleId } from './rules.ts'
import type { Check, Tester } from './tester.ts'
import { RuleBroken, Verdicts, type Verdict } from './verdicts.ts'

/** What to check. */
export interface ConformanceOptions {
  /** Link or text. */
  readonly invitation: string
  /** Multiaddress of the peer; default the first address of the invitation that answers. */
  readonly address?: string | undefined
  /** Rules to check, with those that the same checks judge; default all. */
  readonly only?: readonly string[] | undefined
  /** Called with what was done. */
  readonly progress?: (done: string) => void
}

/** Checks that run at a time. */
const LANES = 2

const checks: readonly Check[] = [
  meeting,
  handshake,
  membership,
  garbage,
  writing,
  waiting,
  refusing,
  comparing,
  forks,
  flow,
]

/**
 * Plays a peer against a running one, and judges what it answers by the rules of the protocol. The devices of the checks have joined the space
 * afterwards, and what they wrote stays in its log.
 *
 * Rejects with `invalid-invitation`, `expired-invitation`, `unreachable` or a code of the handshake if it does not get in, and with `timeout`
 * if the checks take too long.
 */
export async function checkConformance(options: ConformanceOptions): Promise<readonly Verdict[]> {
  const platform = systemPlatform()
  const invitation = await readInvitation(options.invitation, platform)
  const verdicts = new Verdicts()
  const over = new AbortController()
  const cancel = platform.scheduler.after(limits.conformanceMs, () => over.abort(late()))
  const ledger = new Ledger(invitation.space.record, platform.crypto)
  const opened: Tester['opened'] = new Set()
  const shared = { invitation, verdicts, ledger, signal: over.signal, opened, ...platform }
  try {
    const tester = { ...shared, address: await answering(shared, options.address) }
    const chosen = checks.filter(({ rules }) => isWanted(rules, options.only))
    const work = async (): Promise<void> => {
      for (let next = chosen.shift(); next; next = chosen.shift()) {
        await runOne(next, tester, options.progress)
      }
    }
    await Promise.all(Array.from({ length: LANES }, work))
    // Others have stopped writing: what is heard now, nobody asked for.
    const last = [quiet, silence].filter(({ rules }) => isWanted(rules, options.only))
    await Promise.all(last.map((check) => runOne(check, tester, options.progress)))
    if (over.signal.aborted) throw over.signal.reason as Error
    return verdicts.all()
  } finally {
    cancel()
    await Promise.all([...opened].map((each) => each.close()))
  }
}

/** The address at which the peer lets this device in. */
async function answering(
  shared: Omit<Tester, 'address'>,
  given: string | undefined,
): Promise<string> {
  const addresses = given === undefined ? shared.invitation.addresses : [given]
  let failure: unknown = new PeerplaneError('unreachable', 'the invitation names no address')
  for (const address of addresses) {
    const tester = { ...shared, address }
    try {
      const probe = await Probe.open(tester, await joinWith(shared.invitation, shared))
      await probe.close()
      return address
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Runs one check. What a broken rule leaves open is not judged. */
async function runOne(
  check: Check,
  tester: Tester,
  progress: ConformanceOptions['progress'],
): Promise<void> {
  try {
    await check.run(tester)
  } catch (error) {
    // Ignored: the verdict has it, or the run as a whole says that the time is over.
    if (error instanceof RuleBroken || tester.signal.aborted) return
    throw error
  } finally {
    progress?.(`${check.name}: checked`)
  }
}

const isWanted = (rules: readonly RuleId[], only: readonly string[] | undefined): boolean =>
  only === undefined || rules.some((rule) => only.includes(rule))

const late = (): PeerplaneError =>
  new PeerplaneError('timeout', `the checks were not done after ${limits.conformanceMs / 1_000} s`)
