import type { Crypto } from '@peerplane/core'
import { webCrypto, type PlaneStatus } from '@peerplane/runtime'

import { Chaos } from '../fleet/chaos.ts'
import type { Incarnation } from '../fleet/device.ts'
import type { FaultCounts } from '../fleet/fault-kinds.ts'
import { Fleet } from '../fleet/fleet.ts'
import type { PerturbationCounts } from '../fleet/perturber.ts'
import { planCommand } from '../plan/generate.ts'
import { perform, type Stage, type Until } from '../plan/perform.ts'
import type { CommandWork, Plan } from '../plan/plan.ts'
import { improvised, planned, type Script } from '../plan/script.ts'
import type { Recorder } from '../record/recorder.ts'
import { outsideTime } from '../world/crypto.ts'
import { SimWorld } from '../world/world.ts'
import { Arrivals } from './arrivals.ts'
import { judgeCalm, SETTLE_MS } from './calm.ts'
import { Knowledge } from './knowledge.ts'
import { mix } from './mix.ts'
import { scenarios, type CampaignScenario } from './scenarios.ts'
import { Oracle, type Twins, type Violation } from './oracle.ts'
import { TitleHistories } from './title-histories.ts'
import { isEqual, judgeClosing, judgeEnd, judgeStatus, judgeWork, type End } from './verdict.ts'
import { Wild } from './wild.ts'
import { campaignKeys, Workload, type WorkloadCounts } from './workload.ts'

/** One run in this many has real signatures. */
const WEB_CRYPTO_EVERY = 100

/** How long a fleet may take to become equal once nothing disturbs it, virtual milliseconds. */
const PATIENCE_MS = 120_000

/** Of one run that are kept; one broken rule tends to show everywhere. */
const MOST_VIOLATIONS = 20

/** The report of one simulated run. */
export interface RunReport {
  readonly seed: number
  readonly devices: number
  readonly workload: WorkloadCounts
  readonly faults: FaultCounts
  /** The number of commands that reached a device earlier than a commit on which they depend. */
  readonly overtook: number
  /** The number of sessions that hostile members have forked. */
  readonly forks: number
  /** The largest number of commits that waited on one device at the same time. */
  readonly mostWaiting: number
  /** How often the run took each rare branch of Peerplane. */
  readonly perturbed: PerturbationCounts
  /** Whether signatures were real. */
  readonly webCrypto: boolean
  readonly frames: number
  readonly bytes: number
  readonly virtualMs: number
  /** The time from the end of all faults until all devices had equal states, in milliseconds of simulated time. */
  readonly convergedMs: number
  readonly events: number
  /** A digest of the run, which is equal for equal runs. */
  readonly digest: string
  readonly violations: readonly Violation[]
}

/** Options of a simulated run, in addition to its seed. */
export interface RunOptions {
  /** The cryptography that the run uses. Default: simulated cryptography; every hundredth seed uses the cryptography of the platform. */
  readonly crypto?: Crypto | undefined
  /** The scenario of a run that starts from a seed. A plan already contains its scenario. Default: all kinds of faults. */
  readonly scenario?: CampaignScenario | undefined
  /** Called with a line of text for each event of the run. */
  readonly log?: ((timeMs: number, what: string) => void) | undefined
  /** Called with each violation of a rule. The run ends at the first violation for which `stopAt` returns true. */
  readonly stopAt?: ((violation: Violation) => boolean) | undefined
  /** Whether the run ends when all faults end, without a check of the final states. */
  readonly untilHealed?: boolean | undefined
  /** The recorder for the events of the run. A recorder can be used for only one run. */
  readonly recorder?: Recorder | undefined
}

/** Runs the simulation of one seed: first devices with a workload and faults, then the end of all faults, and finally the checks by the oracles. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunReport> {
  return (await performSeed(seed, options)).report
}

/** Runs the simulation of one seed. Resolves with the report of the run, and a plan that repeats the run. */
export async function performSeed(seed: number, options: RunOptions = {}): Promise<Performance> {
  const scenario = options.scenario ?? scenarios.everything
  const { setting, habits, random, sessions } = mix(seed, scenario)
  const { least } = scenario
  const run = new Run(setting, options)
  const script = improvised(random, habits, planCommand)
  const enough = (faults: number): boolean =>
    run.acknowledged >= least.commits && faults >= least.faults && run.sessions >= sessions
  const { plan, report } = await run.play(script, { enough })
  const idle = options.untilHealed ? undefined : judgeWork(report, least)
  if (!idle) return { plan, report }
  return { plan, report: { ...report, violations: [...report.violations, idle] } }
}

/** Runs a plan. Unlike a run from a seed, a run of a plan is valid even if it does very little work. */
export async function runPlan(plan: CommandPlan, options: RunOptions = {}): Promise<RunReport> {
  return (await new Run(plan, options).play(planned(plan), plan)).report
}

/** A plan for a simulated run of the campaign. */
export type CommandPlan = Plan<CommandWork>

/** The report of a run, and a plan that repeats the run. */
export interface Performance {
  readonly report: RunReport
  readonly plan: CommandPlan
}

/** What a run starts with. */
type Setting = Omit<CommandPlan, 'steps' | 'endMs'>

class Run {
  readonly #setting: Setting
  readonly #recorder: Recorder | undefined
  readonly #stopAt: RunOptions['stopAt']
  readonly #untilHealed: boolean
  readonly #isReal: boolean
  #stopped = false
  /** Something was shown, acknowledged or told since the oracles looked last. */
  #isNews = false
  /** The same since all devices were compared. */
  #mayBeEqual = true
  #mostWaiting = 0
  readonly #world: SimWorld
  readonly #fleet: Fleet
  readonly #chaos: Chaos
  readonly #workload: Workload
  readonly #knowledge = new Knowledge()
  readonly #arrivals = new Arrivals(this.#knowledge)
  readonly #oracles = new Map<string, Oracle>()
  readonly #statuses = new Map<string, PlaneStatus>()
  readonly #titles = new TitleHistories(this.#knowledge)
  readonly #twins: Twins = new Map()
  readonly #wild = new Wild()
  readonly #violations: Violation[] = []
  readonly #log: (what: string) => void

  constructor(setting: Setting, options: RunOptions) {
    this.#setting = setting
    this.#stopAt = options.stopAt
    this.#untilHealed = options.untilHealed ?? false
    this.#world = new SimWorld(setting.seed)
    this.#isReal = !options.crypto && setting.seed % WEB_CRYPTO_EVERY === 0
    this.#log = (what) => options.log?.(this.#world.now, what)
    this.#workload = new Workload(this.#knowledge, this.#titles, {
      oracleOf: (process) => this.#oracles.get(process),
      later: (delayMs, task) => this.#world.after(delayMs, task),
      report: (violation) => this.#report(violation),
    })
    this.#fleet = new Fleet(
      this.#world,
      {
        devices: setting.devices,
        members: setting.members,
        entities: (process) => this.#workload.entities(process),
        crypto:
          options.crypto ?? (this.#isReal ? outsideTime(this.#world, webCrypto()) : undefined),
        rareWays: setting.rareWays,
        recorder: options.recorder,
      },
      {
        opened: (incarnation) => this.#opened(incarnation),
        closed: ({ process }) => {
          for (const violation of judgeClosing(process)) this.#report(violation)
        },
        failed: (device, error) => this.#log(`${device.name} cannot open: ${messageOf(error)}`),
        ended: ({ process }) => {
          this.#log(`${process.name} ends`)
          this.#oracles.delete(process.name)
          this.#statuses.delete(process.name)
        },
        powerCut: (device) => this.#knowledge.powerCut(device),
        copied: (device, image) => this.#knowledge.copied(device, image),
        restored: (device, image) => this.#knowledge.restored(device, image),
      },
    )
    this.#recorder = options.recorder
    this.#chaos = new Chaos(this.#fleet, (fault, phase) => {
      this.#log(`fault ${phase}: ${JSON.stringify(fault)}`)
      this.#recorder?.fault(fault, phase)
    })
    this.#fleet.network.onFrame = (process, frame) => {
      const visible = this.#oracles.get(process)?.visible
      if (visible) this.#arrivals.frame(process, visible, frame)
    }
  }

  get #isHostile(): boolean {
    return (this.#setting.members ?? []).length > 0
  }

  get acknowledged(): number {
    return this.#workload.counts.acknowledged
  }

  /** The most sessions of one device. */
  get sessions(): number {
    return this.#workload.counts.sessions
  }

  async play(script: Script<CommandWork>, until: Until): Promise<Performance> {
    this.#recorder?.start(this.#world, this.#setting.devices, this.#setting.conditions)
    await this.#fleet.found()
    this.#recorder?.begin()
    this.#chaos.begin(this.#setting.conditions)
    const { steps, endMs } = await this.#disturb(script, until)
    const convergedMs = this.#stopped || this.#untilHealed ? 0 : await this.#converge()
    const { counts } = this.#fleet.network
    const report: RunReport = {
      seed: this.#world.seed,
      devices: this.#fleet.devices.length,
      workload: this.#workload.counts,
      faults: this.#chaos.counts,
      overtook: this.#arrivals.overtook,
      forks: this.#fleet.forks,
      mostWaiting: this.#mostWaiting,
      perturbed: this.#fleet.perturber.counts,
      webCrypto: this.#isReal,
      frames: counts.frames,
      bytes: counts.bytes,
      virtualMs: this.#world.now,
      convergedMs,
      events: this.#world.digest.events,
      digest: this.#world.digest.hex(),
      violations: this.#violations,
    }
    return { report, plan: { ...this.#setting, steps, endMs } }
  }

  /** Ends all faults and judges the final states. Returns how long they took to become equal. */
  async #converge(): Promise<number> {
    this.#chaos.stop()
    this.#recorder?.healed()
    this.#log('all faults are over')
    const healed = this.#world.now
    const equal = await this.#untilEqual(PATIENCE_MS)
    const convergedMs = this.#world.now - healed
    if (this.#stopped) return convergedMs
    if (equal) {
      const storm = await judgeCalm(this.#fleet, (ms) =>
        this.#runUntil(this.#world.now + ms, () => false),
      )
      if (storm) this.#report(storm)
      // A command that is called again may be in progress at this moment.
      await this.#untilEqual(SETTLE_MS)
    }
    for (const violation of judgeEnd(this.#ends(), this.#knowledge)) this.#report(violation)
    const { counts } = this.#chaos
    const timesDecide = !counts['clock-jump'] && !counts.clone && !counts.restore
    const stale = this.#titles.judge(timesDecide)
    if (stale) this.#report({ rule: 'causality', where: 'titles', what: stale })
    return convergedMs
  }

  #untilEqual(patienceMs: number): Promise<boolean> {
    this.#mayBeEqual = true
    return this.#runUntil(this.#world.now + patienceMs, () => {
      if (!this.#mayBeEqual) return false
      this.#mayBeEqual = false
      return isEqual(this.#ends(), this.#knowledge)
    })
  }

  #disturb(script: Script<CommandWork>, until: Until): ReturnType<typeof perform<CommandWork>> {
    const stage: Stage<CommandWork> = {
      fleet: this.#fleet,
      chaos: this.#chaos,
      run: (untilMs, done) => this.#runUntil(untilMs, done),
      ready: ({ process }) => this.#oracles.get(process.name)?.complete ?? false,
      work: ({ id, work }, incarnation) => {
        const issue = (): void => this.#workload.issue(id, work, incarnation)
        if (this.#recorder) this.#recorder.step(id, issue)
        else issue()
      },
    }
    return perform(script, stage, until)
  }

  #opened(incarnation: Incarnation): void {
    const { name } = incarnation.process
    this.#log(`${name} is open`)
    const oracle = new Oracle(incarnation, campaignKeys, this.#knowledge, {
      twins: this.#twins,
      titles: this.#titles,
      report: (violation) => this.#report(violation),
      changed: () => {
        this.#isNews = true
      },
    })
    this.#oracles.set(name, oracle)
    if (this.#isHostile) {
      this.#wild.watch(incarnation, () => {
        this.#isNews = true
      })
    }
    incarnation.backend.watchStatus((status) => {
      this.#isNews = true
      this.#statuses.set(name, status)
      this.#mostWaiting = Math.max(this.#mostWaiting, status.waiting)
      for (const violation of judgeStatus(name, status, this.#fleet.forks)) this.#report(violation)
    })
  }

  #ends(): readonly End[] {
    return this.#fleet.devices.map((device) => {
      const name = device.process?.name ?? device.name
      return {
        device,
        oracle: this.#oracles.get(name),
        status: this.#statuses.get(name),
        ...(this.#isHostile && { wild: this.#wild.of(name) ?? 'nothing' }),
      }
    })
  }

  #report(violation: Violation): void {
    if (this.#stopped) return
    this.#stopped = this.#stopAt?.(violation) ?? false
    if (this.#stopped || this.#violations.length < MOST_VIOLATIONS) this.#violations.push(violation)
    this.#recorder?.violated(violation)
    this.#log(`VIOLATION ${violation.rule} at ${violation.where}: ${violation.what}`)
  }

  #runUntil(timeMs: number, done: () => boolean): Promise<boolean> {
    return this.#world.run(timeMs, () => {
      if (this.#isNews) this.#look()
      return this.#stopped || done()
    })
  }

  #look(): void {
    this.#isNews = false
    this.#mayBeEqual = true
    for (const oracle of this.#oracles.values()) {
      const { name } = oracle.incarnation.process
      for (const mark of oracle.look()) {
        this.#world.digest.add(`${name} shows ${mark}`, this.#world.now)
        this.#log(`${name} shows ${mark}`)
        this.#recorder?.shows(name, Number(mark.slice(2, -1)))
      }
    }
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
