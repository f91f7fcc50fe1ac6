import { splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import type { Loaded } from '@peerplane/runtime'

import type { Incarnation } from '../fleet/device.ts'
import { canonical, isSame } from '../check/canonical.ts'
import type { Execution, Knowledge, IssuedCommand } from './knowledge.ts'
import { judgeState } from './model.ts'
import type { TitleHistories } from './title-histories.ts'

/** A violation of a rule: the rule, the place where it was broken, and a description. */
export interface Violation {
  readonly rule: Rule
  readonly where: string
  readonly what: string
}

/** The rules that the oracles check. */
export type Rule =
  | 'state'
  | 'convergence'
  | 'causality'
  | 'atomicity'
  | 'monotonic reads'
  | 'read your writes'
  | 'durability'
  | 'run once'
  | 'fork'
  | 'stuck'
  | 'quiescence'
  | 'workload'
  | 'bounded waiting'
  | 'left behind'
  | 'exception'

interface Seen {
  readonly marks: ReadonlySet<string>
  readonly state: Json
  readonly isIncomplete: boolean
}

/** States by entity and the commands they contain: equal commands must give equal states, on all devices, at all times. */
export type Twins = Map<string, { readonly state: Json; readonly where: string }>

const nothing: readonly string[] = []

/** What all oracles of a run share. */
export interface Court {
  readonly twins: Twins
  readonly titles: TitleHistories
  report(violation: Violation): void
  /** There is something to {@link Oracle.look} at. */
  changed(): void
}

/**
 * Watches all entities on one device, for one incarnation, like an application would. After each event of the simulation it compares what
 * is shown with what the workload knows.
 */
export class Oracle {
  readonly incarnation: Incarnation
  readonly #keys: readonly string[]
  readonly #knowledge: Knowledge
  readonly #court: Court
  readonly #shown = new Map<string, Seen>()
  readonly #changed = new Set<string>()
  readonly #due: IssuedCommand[] = []
  #visible = new Set<string>()
  /** Something that was visible is so no more on one entity. */
  #isLess = false
  #complete = false

  constructor(
    incarnation: Incarnation,
    keys: readonly string[],
    knowledge: Knowledge,
    court: Court,
  ) {
    this.incarnation = incarnation
    this.#keys = keys
    this.#knowledge = knowledge
    this.#court = court
    for (const key of keys) {
      const { type, id } = splitEntityKey(key as EntityKey)
      incarnation.backend.watchEntity(type, id, (view) => this.#show(key, view))
    }
  }

  /** Whether every entity has been shown since the opening. */
  get complete(): boolean {
    return this.#complete
  }

  /** Commands whose effects are visible here. */
  get visible(): ReadonlySet<string> {
    return this.#visible
  }

  /** Canonical form of all that is shown. */
  canonicalState(): string {
    return canonical(
      Object.fromEntries(this.#keys.map((key) => [key, this.#shown.get(key)?.state ?? null])),
    )
  }

  /** The state of one entity as shown. */
  state(key: string): Json | undefined {
    return this.#shown.get(key)?.state
  }

  /** Whether an entity is shown as incomplete. */
  isIncomplete(key: string): boolean {
    return this.#shown.get(key)?.isIncomplete ?? false
  }

  /** From the next {@link look} on, the effects of the command must be visible. */
  expect(step: IssuedCommand): void {
    this.#due.push(step)
    this.#court.changed()
  }

  /** Compares; call it when nothing is in progress. Returns the commands that became visible. */
  look(): readonly string[] {
    if (this.#changed.size === 0 && (this.#due.length === 0 || !this.#complete)) return nothing
    for (const key of this.#changed) this.#judge(key)
    const first = !this.#complete
    const changed = first ? this.#keys : [...this.#changed]
    this.#changed.clear()
    if (this.#shown.size < this.#keys.length) return nothing
    this.#complete = true
    const fresh = this.#takeIn(changed)
    for (const mark of fresh) this.#judgeArrival(mark)
    for (const step of this.#due.splice(0)) {
      if (!this.#visible.has(step.mark)) {
        this.#fail('read your writes', `${step.mark} was acknowledged and is not visible`)
      }
    }
    if (first) this.#judgeOpening()
    return fresh
  }

  /** Brings {@link visible} up to date; returns what is new in it. */
  #takeIn(changed: readonly string[]): readonly string[] {
    const before = this.#visible
    if (this.#isLess) {
      this.#isLess = false
      this.#visible = new Set([...this.#shown.values()].flatMap(({ marks }) => [...marks]))
      return [...this.#visible].filter((mark) => !before.has(mark))
    }
    const fresh: string[] = []
    for (const key of changed) {
      for (const mark of this.#shown.get(key)!.marks) {
        if (before.has(mark)) continue
        before.add(mark)
        fresh.push(mark)
      }
    }
    return fresh
  }

  #show(key: string, entity: Loaded): void {
    if (entity.phase === 'unreadable') {
      this.#fail('exception', `${key} is unreadable: ${entity.problem.message}`)
      return
    }
    const { marks } = entity.state as { readonly marks: readonly string[] }
    const before = this.#shown.get(key)
    const seen: Seen = {
      marks: new Set(marks),
      state: entity.state,
      isIncomplete: entity.incomplete,
    }
    this.#shown.set(key, seen)
    const { title } = entity.state as { readonly title?: string }
    if (title !== undefined) this.#court.titles.read(this.incarnation.process.name, key, title)
    this.#changed.add(key)
    this.#court.changed()
    for (const mark of before?.marks ?? []) {
      if (seen.marks.has(mark)) continue
      this.#isLess = true
      const step = this.#knowledge.step(mark)
      if (step && this.#mayBeTakenBack(step)) {
        step.takenBack = true
        continue
      }
      this.#fail(
        'monotonic reads',
        `${key} showed ${mark} (${step?.durability}, ${step?.outcome} at ${step?.process}) and no longer does`,
      )
    }
  }

  /** A command that could not be stored is taken back; its caller gets the error, unless it did not wait for the store. */
  #mayBeTakenBack({ process, outcome, durability }: IssuedCommand): boolean {
    if (process !== this.incarnation.process.name) return false
    return outcome !== 'acknowledged' || durability === 'memory'
  }

  #judge(key: string): void {
    const { marks, state } = this.#shown.get(key)!
    // A set shows its elements in one order everywhere.
    const name = `${key} ${[...marks].join()}`
    const { twins } = this.#court
    const twin = twins.get(name)
    // Most states are shown by all devices, and judged once.
    if (twin && isSame(twin.state, state)) return
    const effects = []
    for (const mark of marks) {
      const effect = this.#knowledge.step(mark)?.effects.get(key)
      if (effect) effects.push(effect)
      else this.#fail('state', `${key} contains ${mark}, which never ran there`)
    }
    if (!isSorted([...marks])) this.#fail('state', `${key} shows its marks in another order`)
    const effectOf = (mark: string): Execution | undefined =>
      this.#knowledge.step(mark)?.effects.get(key)
    const wrong = judgeState(splitEntityKey(key as EntityKey).type, state, effects, effectOf)
    if (wrong) this.#fail('state', `${key}: ${wrong}`)
    if (!twin) twins.set(name, { state, where: this.incarnation.process.name })
    else {
      const there = `${canonical(state)} there: ${canonical(twin.state)}`
      this.#fail('convergence', `${key} holds the same commands as at ${twin.where}: ${there}`)
    }
  }

  #judgeArrival(mark: string): void {
    const step = this.#knowledge.step(mark)
    if (!step) return
    if (step.outcome === 'failed') step.isBack = true
    for (const key of step.effects.keys()) {
      if (!this.#shown.get(key)!.marks.has(mark)) {
        this.#fail('atomicity', `${mark} is visible, but not on ${key}`)
      }
    }
    for (const cause of step.context) {
      if (this.#visible.has(cause) || this.#isLost(cause)) continue
      if (this.#mayHaveBeenLost(cause, step)) {
        const where = this.incarnation.process.name
        this.#knowledge.suspicions.push({ effect: mark, cause, where })
        continue
      }
      this.#fail('causality', `${mark} is visible without its cause ${cause}`)
      return
    }
  }

  /** Whether a command could not be stored. It may have been on view a moment longer, when another one ran. */
  #isLost(mark: string): boolean {
    const step = this.#knowledge.step(mark)
    return step?.outcome === 'failed' || step?.takenBack === true
  }

  /**
   * Whether the process that ran both commands may have lost the first, and not shown this yet: its caller did not wait for the store. What a device
   * loses, it goes on showing until it has opened the entity again, while the commits that follow are on their way to others.
   */
  #mayHaveBeenLost(cause: string, { process }: IssuedCommand): boolean {
    const step = this.#knowledge.step(cause)
    return (
      step?.process === process && step.outcome === 'acknowledged' && step.durability === 'memory'
    )
  }

  #judgeOpening(): void {
    for (const mark of this.#knowledge.promised(this.incarnation.device)) {
      if (!this.#visible.has(mark)) {
        this.#fail('durability', `${mark} was acknowledged and is gone after opening`)
      }
    }
  }

  #fail(rule: Rule, what: string): void {
    this.#court.report({ rule, where: this.incarnation.process.name, what })
  }
}

const isSorted = (texts: readonly string[]): boolean =>
  texts.every((text, i) => i === 0 || texts[i - 1]! < text)
