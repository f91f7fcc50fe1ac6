import { rules, type RuleId } from './rules.ts'

/** What a run has found out about one rule. */
export interface Verdict {
  readonly rule: RuleId
  readonly about: string
  readonly result: 'ok' | 'broken' | 'not tested'
  /** How the peer broke it the first time. */
  readonly reason?: string
}

/** Ends a check whose peer broke a rule, so that what depends on it is not judged. */
export class RuleBroken extends Error {}

/** Collects what the checks find out. A rule is kept if at least one check has seen it kept, and none has seen it broken. */
export class Verdicts {
  readonly #kept = new Set<RuleId>()
  readonly #broken = new Map<RuleId, string>()

  kept(...all: readonly RuleId[]): void {
    for (const rule of all) this.#kept.add(rule)
  }

  broke(rule: RuleId, reason: string): void {
    if (!this.#broken.has(rule)) this.#broken.set(rule, reason)
  }

  /** Judges a rule by what was seen. */
  judge(rule: RuleId, holds: boolean, reason: string): void {
    if (holds) this.kept(rule)
    else this.broke(rule, reason)
  }

  /** The same, where nothing can be judged afterwards if the rule does not hold. Throws {@link RuleBroken} if it does not hold. */
  must(rule: RuleId, holds: boolean, reason: string): void {
    this.judge(rule, holds, reason)
    if (!holds) throw new RuleBroken(`${rule}: ${reason}`)
  }

  of(rule: RuleId): Verdict {
    const about = rules[rule]
    const reason = this.#broken.get(rule)
    if (reason !== undefined) return { rule, about, result: 'broken', reason }
    return { rule, about, result: this.#kept.has(rule) ? 'ok' : 'not tested' }
  }

  all(): Verdict[] {
    return (Object.keys(rules) as RuleId[]).map((rule) => this.of(rule))
  }
}
