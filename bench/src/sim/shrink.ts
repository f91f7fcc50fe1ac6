import { shrinkCommands, type CommandPlan, type Rule } from '@peerplane/testing/campaign'

/** Processor time for making one run small, milliseconds. */
const BUDGET_MS = 60_000

/** The smallest plan found that breaks the same rule. */
export async function shrunken(plan: CommandPlan, rule: Rule): Promise<CommandPlan> {
  const start = process.cpuUsage()
  const used = (): number => process.cpuUsage(start).user / 1000
  const { plan: small, runs } = await shrinkCommands(plan, rule, {
    expired: () => used() > BUDGET_MS,
  })
  console.log(
    `shrunk from ${plan.steps.length} to ${small.steps.length} steps on ${small.devices.length} devices, ` +
      `in ${runs} runs and ${(used() / 1000).toFixed(1)} s`,
  )
  return small
}
