import { PeerplaneError } from '@peerplane/core'

import type { Arguments } from './arguments.ts'
import { table } from './table.ts'
import { checkConformance } from '../conformance/conformance.ts'
import { rules } from '../conformance/rules.ts'
import { checkAddresses } from '../libp2p.ts'
import { nearest } from '../nearest.ts'

/** Prints what was found out about each rule; resolves to the exit code. */
export async function conformance({ address, invitation, only, json }: Arguments): Promise<number> {
  if (invitation === undefined) throw invalid('--invitation is missing', USAGE)
  if (address !== undefined) checkAddresses([address])
  const chosen = only?.split(',').map((rule) => rule.trim())
  chosen?.forEach(checkRule)
  const verdicts = await checkConformance({
    invitation,
    address,
    only: chosen,
    progress: (done) => console.error(`peerplane: ${done}`),
  })
  const broken = verdicts.filter(({ result }) => result === 'broken').length
  if (json) console.log(JSON.stringify({ broken, rules: verdicts }))
  else {
    const rows = verdicts.map(({ rule, about, result, reason }) => [
      result,
      rule,
      reason === undefined ? about : `${about}: ${reason}`,
    ])
    console.log(
      `${table(rows)}\n\n${broken === 0 ? 'no rule is broken' : `${broken} rules are broken`}`,
    )
  }
  return broken === 0 ? 0 : 1
}

const USAGE = '"peerplane help conformance" prints the usage.'

function checkRule(rule: string): void {
  if (Object.hasOwn(rules, rule)) return
  const close = nearest(rule, Object.keys(rules))
  const hint = close === undefined ? '' : `; the nearest known rule is ${close}`
  throw invalid(`the rule "${rule}" is not checked${hint}`, USAGE)
}

const invalid = (problem: string, advice: string): PeerplaneError =>
  new PeerplaneError('invalid-configuration', problem, { advice })
