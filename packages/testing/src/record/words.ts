import type { Condition, Fault } from '../plan/plan.ts'
import type { RecordedCommit, RecordedViolation, Recording } from './recording.ts'

/** Names that people remember better than numbers. */
const PEOPLE = ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gwen', 'Hugo', 'Ida', 'Joe', 'Kim']

/** What each rule says, in a sentence. */
const RULES: Record<string, string> = {
  state: 'What an entity shows is what the commands it contains make of it.',
  convergence: 'Devices that hold the same commands show the same state.',
  causality: 'Nobody sees an effect without its cause.',
  atomicity: 'A command on several entities is seen on all of them or on none.',
  'monotonic reads': 'What a device has shown does not disappear again.',
  'read your writes': 'A device shows its own command once it is acknowledged.',
  durability: 'What was acknowledged is still there after a crash or a power cut.',
  'run once': 'A command that is repeated under its operation id runs once.',
  fork: 'An honest device is never accused of contradicting itself.',
  stuck: 'Once all faults are over, all devices become equal.',
  quiescence: 'Devices that are equal leave each other in peace.',
  'bounded waiting': 'Few commits wait for what they depend on.',
  'left behind': 'A closed device leaves nothing running.',
  exception: 'Nothing is thrown that nobody handles.',
  invariant: 'The check of the application holds on every device once all are equal.',
}

/** The words of the story that is made of a recording. */
export class Words {
  readonly #names: ReadonlyMap<string, string>
  readonly #sessions: ReadonlyMap<string, string>
  readonly #places: ReadonlyMap<number, number>

  /** `steps` are the ids of the plan's steps in their order. */
  constructor(recording: Recording, steps: readonly number[]) {
    this.#names = new Map(recording.devices.map(({ name }, i) => [name, PEOPLE[i] ?? name]))
    this.#sessions = sessionNames(recording, this.#names)
    this.#places = new Map(steps.map((id, index) => [id, index + 1]))
  }

  /** Name of a device, or of a process: with its start if it is not the first one. */
  who(name: string): string {
    const [device, start] = name.split('.') as [string, string | undefined]
    const person = this.#names.get(device) ?? device
    return start === undefined || start === '1' ? person : `${person} (start ${start})`
  }

  /** Short name of a commit: the initial of its device, strokes for later sessions, and its seq. */
  commit({ session, seq }: Pick<RecordedCommit, 'session' | 'seq'>): string {
    return `${this.session(session)}${seq}`
  }

  /** Short name of a session. */
  session(session: string): string {
    return this.#sessions.get(session) ?? '?'
  }

  /** "step 3": the place of a step in the story. */
  step(id: number): string {
    return `step ${this.#places.get(id) ?? `#${id}`}`
  }

  /** What is seen of a violation. Only the texts of the campaign name processes, devices and commands; an invariant's are the application's. */
  seen({ rule, what }: Pick<RecordedViolation, 'rule' | 'what'>): string {
    if (rule === 'invariant') return what
    return what
      .replaceAll(
        /~w(\d+)~[a-z]+\/[a-z]/g,
        (_, id: string) => `what ${this.step(Number(id))} wrote`,
      )
      .replaceAll(/~w(\d+)~/g, (_, id: string) => this.step(Number(id)))
      .replaceAll(/\b[dc]\d+(\.\d+)?\b/g, (name) => this.who(name))
  }

  /** What a rule says. */
  rule(rule: string): string {
    return RULES[rule] ?? rule
  }

  fault(fault: Fault): string {
    switch (fault.kind) {
      case 'crash':
        return `${this.who(fault.device)} crashes, and starts again after ${seconds(fault.downMs)}`
      case 'power-cut':
        return `${this.who(fault.device)} loses power, and starts again after ${seconds(fault.downMs)}`
      case 'restart':
        return `${this.who(fault.device)} closes cleanly, and starts again ${seconds(fault.downMs)} later`
      case 'restore':
        return `${this.who(fault.device)}'s disk is replaced by the copy of ${this.step(fault.copy)}; it starts again after ${seconds(fault.downMs)}`
      case 'clone':
        return `${this.who(fault.device)}'s disk is copied into one more device, which starts with the same key`
      case 'offline':
        return `${this.who(fault.device)} goes offline for ${seconds(fault.lastsMs)}`
      case 'pause':
        return `${this.who(fault.device)} stands still for ${seconds(fault.lastsMs)}`
      case 'disk-full':
        return `${this.who(fault.device)}'s disk is full for ${seconds(fault.lastsMs)}`
      case 'disk-errors':
        return `${this.who(fault.device)}'s disk fails ${percent(fault.probability)} of all writes for ${seconds(fault.lastsMs)}`
      case 'clock-jump':
        return `${this.who(fault.device)}'s clock jumps ${fault.byMs < 0 ? 'back' : 'forward'} by ${seconds(Math.abs(fault.byMs))}`
      case 'reset':
        return `the connection between ${fault.between.map((name) => this.who(name)).join(' and ')} is reset`
      case 'path-change':
        return `${fault.between.map((name) => this.who(name)).join(' and ')} connect by another path (${fault.path})`
      case 'forge':
        return `${this.who(fault.member)} sends what nobody has signed`
      case 'fork':
        return `${this.who(fault.member)} signs two versions of a session`
      case 'lie':
        return `${this.who(fault.member)} claims what does not exist`
      case 'jam':
        return `${this.who(fault.member)} sends commits and keeps back what they depend on`
      case 'sessions':
        return `${this.who(fault.member)} brings the sessions of a device that restarted often`
      case 'bodies':
        return `${this.who(fault.member)} sends commits that must have no effect`
      case 'partition':
      case 'one-way-cut':
        return `nothing gets through from ${this.#pairs(fault.ways)} for ${seconds(fault.lastsMs)}`
    }
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'loss':
        return `${percent(condition.value)} of all frames are lost, which ends their connection`
      case 'half-open':
        return `one side believes in a dead connection for up to ${seconds(condition.value)}`
      case 'gossip-loss':
        return `${percent(condition.value)} of all announcements are lost`
      case 'gossip-copies':
        return `${percent(condition.value)} of all announcements come twice`
      case 'gossip-delay':
        return `announcements take up to ${seconds(condition.value)}`
      case 'slow-links':
        return `the way from ${this.who(condition.from)} to ${this.who(condition.to)} takes ${seconds(condition.latencyMs)} or more`
      case 'slow-disk':
        return `a flush of ${this.who(condition.device)}'s disk takes about ${seconds(condition.flushMs)}`
      case 'clock-skew':
        return `${this.who(condition.device)}'s clock is ${seconds(Math.abs(condition.byMs))} ${condition.byMs < 0 ? 'behind' : 'ahead'}`
    }
  }

  #pairs(ways: readonly (readonly [string, string])[]): string {
    const groups = new Map<string, string[]>()
    for (const [from, to] of ways) groups.set(from, [...(groups.get(from) ?? []), this.who(to)])
    return [...groups].map(([from, to]) => `${this.who(from)} to ${to.join(' and ')}`).join(', ')
  }
}

/** "0.250 s", "2 h": for people. */
export function seconds(ms: number): string {
  if (ms >= 3_600_000) return `${Number((ms / 3_600_000).toPrecision(3))} h`
  if (ms >= 60_000) return `${Number((ms / 60_000).toPrecision(3))} min`
  return `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)} s`
}

const percent = (probability: number): string => `${Number((probability * 100).toPrecision(2))} %`

/** Sessions by the initial of the person who wrote them: A, A', A''. */
function sessionNames(
  { commits }: Recording,
  names: ReadonlyMap<string, string>,
): Map<string, string> {
  const sessions = new Map<string, string>()
  const counts = new Map<string, number>()
  for (const { session, process } of commits) {
    if (sessions.has(session)) continue
    const device = process.split('.')[0]!
    const count = counts.get(device) ?? 0
    counts.set(device, count + 1)
    sessions.set(session, `${(names.get(device) ?? device).charAt(0)}${"'".repeat(count)}`)
  }
  return sessions
}
