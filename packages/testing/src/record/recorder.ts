import {
  PeerplaneError,
  Rejected,
  traceTo,
  type Batch,
  type Trace,
  type TraceFields,
  type Write,
} from '@peerplane/core'
import { batchOfWrite } from '@peerplane/crdt-store'
import type { Backend, Invocation } from '@peerplane/runtime'

import type { Condition, Fault, PlannedDevice } from '../plan/plan.ts'
import type {
  RecordedCommand,
  RecordedCommit,
  RecordedDevice,
  RecordedFailure,
  RecordedFault,
  RecordedFrame,
  RecordedLink,
  RecordedProcess,
  RecordedShow,
  RecordedViolation,
  Recording,
} from './recording.ts'

/** Most entries of each table. */
const MOST = { frames: 6000, rest: 3000 } as const
const INPUT_CHARACTERS = 200

/**
 * Records the events of a run, both from the trace of Peerplane and from the simulated world. A recorder only observes, so a run with a recorder is
 * the same as a run without one. A run without a recorder has no overhead.
 */
export class Recorder {
  readonly #devices: RecordedDevice[] = []
  readonly #processes = new Map<string, RecordedProcess>()
  readonly #commands: RecordedCommand[] = []
  readonly #commits = new Map<string, RecordedCommit>()
  readonly #links: RecordedLink[] = []
  readonly #frames: RecordedFrame[] = []
  readonly #faults: RecordedFault[] = []
  readonly #shown: RecordedShow[] = []
  readonly #violations: RecordedViolation[] = []
  readonly #failures: RecordedFailure[] = []
  #conditions: readonly Condition[] = []
  #now: () => number = () => 0
  #seed = 0
  #beginMs = 0
  #healedMs = 0
  #dropped = 0
  /** The current step of the plan, to which commands that are called now belong. */
  #step: number | undefined

  /** Call `start` when the simulated world begins. */
  start(
    world: { readonly seed: number; readonly now: number },
    devices: readonly PlannedDevice[],
    conditions: readonly Condition[],
  ): void {
    this.#now = () => world.now
    this.#seed = world.seed
    this.#devices.push(...devices)
    this.#conditions = conditions
  }

  /** Call `begin` when all devices have joined the space. */
  begin(): void {
    this.#beginMs = this.#now()
  }

  /** Call `healed` when all faults are over. */
  healed(): void {
    this.#healedMs = this.#now()
    for (const fault of this.#faults) fault.toMs = Math.min(fault.toMs ?? Infinity, this.#healedMs)
  }

  /** Runs `task`, and records the commands that it calls synchronously as the work of step `id`. */
  step<T>(id: number, task: () => T): T {
    this.#step = id
    try {
      return task()
    } finally {
      this.#step = undefined
    }
  }

  /** Returns a backend for the work of one step. All commands that are called through this backend are recorded as the work of step `id`. */
  during(id: number, backend: Backend): Backend {
    return {
      ...backend,
      invoke: (invocations, options) => this.step(id, () => backend.invoke(invocations, options)),
    }
  }

  /** Records that the work of a step ended with an error. */
  stepFailed(id: number, error: unknown): void {
    if (!this.#hasRoom(this.#failures.length)) return
    this.#failures.push({ step: id, atMs: this.#now(), reason: reasonOf(error) })
  }

  /** Returns the trace function for one process. `nameOf` returns the process to which a network id belongs. */
  listenTo(process: string, nameOf: (peer: string) => string): Trace {
    const calls = new Map<number, RecordedCommand>()
    const links = new Map<string | undefined, RecordedLink>()
    return traceTo({
      'command.called': (fields) => {
        const command = this.#command(process, fields)
        if (command) calls.set(fields.call, command)
      },
      'command.settled': ({ call, commit }) => {
        this.#end(calls.get(call), 'acknowledged', commit === undefined ? {} : { commit })
        calls.delete(call)
      },
      'command.refused': ({ call, error }) => {
        this.#end(calls.get(call), 'rejected', { reason: reasonOf(error) })
        calls.delete(call)
      },
      'store.wrote': ({ list }) => this.#stored(process, list as readonly Write[]),
      'link.opened': ({ link, peer = '', path }) => {
        if (!this.#hasRoom(this.#links.length)) return
        const opened: RecordedLink = { process, peer: nameOf(peer), path, fromMs: this.#now() }
        this.#links.push(opened)
        links.set(link, opened)
      },
      'link.closed': ({ link }) => {
        const closed = links.get(link)
        if (closed) closed.toMs = this.#now()
      },
    })
  }

  opened(process: string, device: string): void {
    const opened: RecordedProcess = { name: process, device, fromMs: this.#now() }
    if (this.#hasRoom(this.#processes.size)) this.#processes.set(process, opened)
  }

  ended(process: string): void {
    const ended = this.#processes.get(process)
    if (ended) ended.toMs = this.#now()
  }

  fault(fault: Fault, phase: 'begins' | 'ends'): void {
    if (phase === 'ends') {
      const begun = this.#faults.find((each) => each.fault === fault)
      if (begun) begun.toMs = this.#now()
      return
    }
    const fromMs = this.#now()
    if (this.#hasRoom(this.#faults.length)) {
      const entry: RecordedFault = { fault, fromMs }
      // Only of what is undone later is the end told.
      if (!('lastsMs' in fault)) entry.toMs = fromMs + ('downMs' in fault ? fault.downMs : 0)
      else if (fault.kind === 'pause') entry.toMs = fromMs + fault.lastsMs
      this.#faults.push(entry)
    }
    if (!('downMs' in fault)) return
    const ended = [...this.#processes.values()].findLast(({ device }) => device === fault.device)
    if (ended) ended.end = fault.kind
  }

  cloned(clone: PlannedDevice, cloneOf: string): void {
    this.#devices.push({ ...clone, cloneOf })
  }

  frame(from: string, to: string, sentMs: number, bytes: number): void {
    const room = this.#frames.length < MOST.frames
    if (room) this.#frames.push({ from, to, sentMs, atMs: this.#now(), bytes })
    else this.#dropped++
  }

  shows(process: string, step: number): void {
    if (this.#hasRoom(this.#shown.length)) this.#shown.push({ process, step, atMs: this.#now() })
  }

  violated(violation: {
    readonly rule: string
    readonly where: string
    readonly what: string
  }): void {
    if (!this.#hasRoom(this.#violations.length)) return
    const { rule, where, what } = violation
    this.#violations.push({ rule, where, what, atMs: this.#now() })
  }

  /** Returns everything that was recorded so far. */
  recording(): Recording {
    return {
      seed: this.#seed,
      beginMs: this.#beginMs,
      healedMs: this.#healedMs,
      endMs: this.#now(),
      devices: this.#devices,
      conditions: this.#conditions,
      processes: [...this.#processes.values()],
      commands: this.#commands,
      commits: [...this.#commits.values()],
      links: this.#links,
      frames: this.#frames,
      faults: this.#faults,
      shown: this.#shown,
      violations: this.#violations,
      failures: this.#failures,
      dropped: this.#dropped,
    }
  }

  #command(
    process: string,
    { invocations, durability }: TraceFields<'command.called'>,
  ): RecordedCommand | undefined {
    if (!this.#hasRoom(this.#commands.length)) return undefined
    const command: RecordedCommand = {
      step: this.#step,
      process,
      atMs: this.#now(),
      on: (invocations as readonly Invocation[]).map(({ type, id, command: name, input }) => ({
        entity: `${type}/${id}`,
        command: name,
        input: (JSON.stringify(input) ?? '').slice(0, INPUT_CHARACTERS),
      })),
      durability,
      outcome: 'unknown',
    }
    this.#commands.push(command)
    return command
  }

  #end(
    command: RecordedCommand | undefined,
    outcome: RecordedCommand['outcome'],
    more: Pick<RecordedCommand, 'commit' | 'reason'>,
  ): void {
    if (command) Object.assign(command, { outcome, endMs: this.#now(), ...more })
  }

  #stored(process: string, writes: readonly Write[]): void {
    for (const write of writes) {
      const batch = batchOfWrite(write)
      if (batch) this.#batch(process, batch)
    }
  }

  #batch(process: string, batch: Batch): void {
    const atMs = this.#now()
    for (const { id, session, header, sections } of batch.commits) {
      let commit = this.#commits.get(id)
      if (!commit) {
        if (!this.#hasRoom(this.#commits.size)) continue
        // Its author stores a commit before anybody else can.
        commit = {
          id,
          session,
          seq: header.seq,
          process,
          deps: header.deps.map(({ session: of, seq }) => ({ session: of, seq })),
          entities: sections.map(({ entity }) => entity),
          stored: [],
        }
        this.#commits.set(id, commit)
      }
      if (!commit.stored.some((each) => each.process === process))
        commit.stored.push({ process, atMs })
    }
  }

  #hasRoom(size: number): boolean {
    if (size < MOST.rest) return true
    this.#dropped++
    return false
  }
}

/** An error in a few words: the code of ours, the text of the application's. */
function reasonOf(error: unknown): string {
  if (error instanceof Rejected) return `${error.rejection}: ${error.reason}`
  return error instanceof PeerplaneError ? error.code : String(error)
}
