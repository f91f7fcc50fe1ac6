import { checkCausal, type RegisterOperation } from '../check/causal.ts'
import type { Knowledge, IssuedCommand } from './knowledge.ts'

/**
 * What every process wrote to and read from the titles of boards, for the causal checker. It knows of nothing but these values, so it
 * judges independently of marks and contexts.
 */
export class TitleHistories {
  readonly #knowledge: Knowledge
  readonly #sessions = new Map<string, RegisterOperation[]>()

  constructor(knowledge: Knowledge) {
    this.#knowledge = knowledge
  }

  wrote(process: string, key: string, title: string): void {
    this.#session(process).push({ kind: 'write', key, value: title })
  }

  read(process: string, key: string, title: string): void {
    this.#session(process).push({ kind: 'read', key, value: title === '' ? undefined : title })
  }

  /**
   * What is wrong with the histories, or `undefined`. Commands that could not be stored did not happen. The winner among concurrent writes
   * is the one with the latest hybrid time, which follows causality only as long as no clock is a day ahead of another. Of two copies of a device,
   * the one that began its session last wins against the other instead. `timesDecide` if neither is so: then one order explains all winners.
   */
  judge(timesDecide: boolean): string | undefined {
    const failed = new Set<string>()
    for (const step of this.#knowledge.steps.values()) {
      if (step.outcome === 'failed' || step.takenBack)
        for (const title of titlesOf(step)) failed.add(title)
    }
    const sessions = [...this.#sessions.values()].map((operations) =>
      operations.filter(({ value }) => value === undefined || !failed.has(value)),
    )
    const violation = checkCausal(sessions, { convergent: timesDecide })
    return violation && `${violation.pattern}: ${violation.what}`
  }

  #session(process: string): RegisterOperation[] {
    let session = this.#sessions.get(process)
    if (!session) this.#sessions.set(process, (session = []))
    return session
  }
}

const titlesOf = (step: IssuedCommand): string[] =>
  [...step.issued.values()].map(({ input }) => input.text)
