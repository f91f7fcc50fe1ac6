import { entityKey, splitEntityKey, type Entity, type EntityKey } from '@peerplane/core'
import type { Invocation } from '@peerplane/runtime'

import type { Incarnation, SimDevice } from '../fleet/device.ts'
import type { CommandWork } from '../plan/plan.ts'
import type { SimProcess } from '../world/process.ts'
import { campaignEntities } from './entities.ts'
import type { Knowledge, IssuedCommand } from './knowledge.ts'
import type { TitleHistories } from './title-histories.ts'
import type { Violation, Oracle } from './oracle.ts'

/** Entities that all commands fall on. */
export const campaignKeys: readonly EntityKey[] = [
  entityKey('tally', 'a'),
  entityKey('tally', 'b'),
  entityKey('board', 'a'),
  entityKey('board', 'b'),
  entityKey('panel', 'a'),
]

/** What a workload counts. */
export interface WorkloadCounts {
  commands: number
  acknowledged: number
  failed: number
  retries: number
  atomic: number
  /** The most sessions of one device in which commands were acknowledged. */
  sessions: number
}

/** What a workload needs of the run it is part of. */
export interface Surroundings {
  oracleOf(process: string): Oracle | undefined
  later(delayMs: number, task: () => void): void
  report(violation: Violation): void
}

/** A device that begins several sessions within a moment dates them some milliseconds ahead. */
const MOMENT_MS = 100

/** What the wall clocks of the devices showed when commands ran. */
class WallClocks {
  /** The latest time by device. */
  readonly #latest = new Map<string, number>()
  readonly #wentOn = new Map<string, boolean>()

  /** Whether the clock of the device showed a later time, when this process first ran a command, than in all its earlier processes. */
  read({ name, clock }: SimProcess): boolean {
    const device = name.split('.')[0]!
    const now = clock.now()
    const latest = this.#latest.get(device) ?? -Infinity
    const wentOn = this.#wentOn.get(name) ?? now > latest + MOMENT_MS
    this.#wentOn.set(name, wentOn)
    this.#latest.set(device, Math.max(latest, now))
    return wentOn
  }
}

/** Issues commands and notes what it knows about them. */
export class Workload {
  readonly counts: WorkloadCounts = {
    commands: 0,
    acknowledged: 0,
    failed: 0,
    retries: 0,
    atomic: 0,
    sessions: 0,
  }
  readonly #knowledge: Knowledge
  readonly #titles: TitleHistories
  readonly #surroundings: Surroundings
  readonly #processes = new Map<SimDevice, Set<string>>()
  readonly #clocks = new WallClocks()

  constructor(knowledge: Knowledge, titles: TitleHistories, surroundings: Surroundings) {
    this.#knowledge = knowledge
    this.#titles = titles
    this.#surroundings = surroundings
  }

  /** The declared entities for one process. */
  entities(process: SimProcess): readonly Entity[] {
    return campaignEntities((type, id, mark, seen) => {
      const step = this.#knowledge.step(mark)
      if (!step) return
      const key = entityKey(type, id)
      const { command, input } = step.issued.get(key)!
      if (step.isRepetition) {
        const what = `${mark} ran again under its operation id`
        this.#surroundings.report({ rule: 'run once', where: process.name, what })
      }
      for (const other of seen) {
        const refused = this.#knowledge.step(other)
        if (refused?.outcome !== 'failed' || refused.isBack || refused.process !== process.name)
          continue
        const what = `${mark} ran on a state that shows ${other}, which had been refused`
        this.#surroundings.report({ rule: 'state', where: process.name, what })
      }
      step.process = process.name
      step.context = new Set([
        ...(this.#surroundings.oracleOf(process.name)?.visible ?? []),
        ...seen,
        ...(step.effects.size > 0 ? step.context : []),
      ])
      if (command === 'name') this.#titles.wrote(process.name, key, input.text)
      const { name } = process
      step.effects.set(key, {
        mark,
        command,
        input,
        seen: new Set(seen),
        process: name,
        clockWentOn: this.#clocks.read(process),
        isIncomplete: this.#surroundings.oracleOf(name)?.isIncomplete(key) ?? false,
      })
    })
  }

  /** Runs a command on a device. */
  issue(id: number, work: CommandWork, { backend, device, process }: Incarnation): void {
    const mark = `~w${id}~`
    this.counts.commands++
    if (work.on.length > 1) this.counts.atomic++
    const issued = new Map(
      work.on.map(({ entity, command, key, by }) => [
        entity as EntityKey,
        { command, input: { mark, key, text: `${mark}${entity}`, by } },
      ]),
    )
    const invocations: Invocation[] = [...issued].map(([entity, { command, input }]) => ({
      ...splitEntityKey(entity),
      command,
      input: { ...input },
    }))
    const { durability, repeatMs } = work
    const step: IssuedCommand = {
      mark,
      process: process.name,
      issued,
      effects: new Map(),
      context: new Set(),
      durability,
      outcome: 'running',
      takenBack: false,
      isBack: false,
      isRepetition: false,
    }
    this.#knowledge.steps.set(mark, step)
    const operationId = repeatMs === undefined ? undefined : mark
    if (operationId) {
      // Twice under one operation id: it must run once.
      this.counts.retries++
      // Ignored: the call below is the one that is judged.
      backend.invoke(invocations, { durability, operationId }).catch(() => undefined)
    }
    // Ignored: what was refused need not be there.
    backend.invoke(invocations, { durability, operationId }).then(
      () => {
        this.counts.acknowledged++
        this.#knowledge.acknowledged(device, step)
        this.#countSession(device, process)
        if (repeatMs !== undefined) this.#repeatLater(device, step, invocations, repeatMs)
        this.#surroundings.oracleOf(process.name)?.expect(step)
      },
      () => {
        this.counts.failed++
        step.outcome = 'failed'
      },
    )
  }

  /** A process writes one session, or more if its disk fails. */
  #countSession(device: SimDevice, { name }: SimProcess): void {
    const processes = this.#processes.get(device) ?? new Set()
    this.#processes.set(device, processes.add(name))
    this.counts.sessions = Math.max(this.counts.sessions, processes.size)
  }

  /** Asks for an acknowledged command again, perhaps in a later process: the device must remember it. */
  #repeatLater(
    device: SimDevice,
    step: IssuedCommand,
    invocations: readonly Invocation[],
    repeatMs: number,
  ): void {
    this.#surroundings.later(repeatMs, () => {
      const { incarnation } = device
      if (!incarnation || !this.#knowledge.promised(device).has(step.mark)) return
      this.counts.retries++
      step.isRepetition = true
      const { mark: operationId, durability } = step
      // Ignored: what it did shows in the states, which are judged.
      incarnation.backend.invoke(invocations, { durability, operationId }).catch(() => undefined)
    })
  }
}
