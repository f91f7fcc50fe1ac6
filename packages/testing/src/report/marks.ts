import { devicesOf } from '../plan/plan.ts'
import { commandText } from '../record/story.ts'
import type { RecordedCommit, Recording } from '../record/recording.ts'
import type { Words } from '../record/words.ts'
import { escape } from './escape.ts'

/** Height of a lane, pixels: as in the style. */
export const LANE_PX = 113
/** Where in a lane commits stand. */
const COMMIT_PX = 62

const NAMES: Record<string, string> = {
  'clock-jump': 'clock jumps',
  'disk-errors': 'disk errors',
  'disk-full': 'disk full',
  'one-way-cut': 'cut one way',
  'path-change': 'other path',
  'power-cut': 'power cut',
}

/** Everything in the lane of one device, as HTML. */
export function laneOf(device: string, recording: Recording, words: Words): string {
  const lane = new Lane(device, recording, words)
  return [
    ...lane.faults(),
    ...lane.processes(),
    ...lane.commands(),
    ...lane.commits(),
    ...lane.shown(),
    ...lane.violations(),
  ].join('\n')
}

/** The lane of one device: what stands in it, kind by kind. */
class Lane {
  readonly #device: string
  readonly #recording: Recording
  readonly #words: Words

  constructor(device: string, recording: Recording, words: Words) {
    this.#device = device
    this.#recording = recording
    this.#words = words
  }

  faults(): string[] {
    const faults = this.#recording.faults.filter(({ fault }) =>
      devicesOf(fault).includes(this.#device),
    )
    return faults.map(({ fault, fromMs, toMs }) => {
      const width = (toMs ?? fromMs) - fromMs
      const text = `${this.#clock(fromMs)}: ${this.#words.fault(fault)}.`
      const label = NAMES[fault.kind] ?? fault.kind
      return `<div class="span" style="${at(fromMs, width)}" data-d="${escape(text)}"><em>${escape(label)}</em></div>`
    })
  }

  processes(): string[] {
    const own = this.#recording.processes.filter(({ name }) => this.#isOwn(name))
    return own.map(({ name, fromMs, toMs, end }) => {
      const until = toMs ?? this.#recording.endMs
      const ended = end ? `, ended by: ${end}` : ''
      const ending = toMs === undefined ? '' : ` to ${this.#clock(toMs)}${ended}`
      const text = `${this.#words.who(name)} runs from ${this.#clock(fromMs)}${ending}.`
      const cut = toMs === undefined ? '' : ' cut'
      const start = name.split('.')[1] ?? '1'
      return `<div class="bar${cut}" style="${at(fromMs, until - fromMs)}" data-d="${escape(text)}">start ${escape(start)}</div>`
    })
  }

  commands(): string[] {
    const words = this.#words
    const own = this.#recording.commands.filter(({ process }) => this.#isOwn(process))
    return own.map((command) => {
      const label = command.step === undefined ? 'Repeated' : capital(words.step(command.step))
      const text = `${this.#clock(command.atMs)}  ${label}, ${words.who(command.process)}\n${commandText(command, this.#recording, words)}`
      const entities = command.on.map(({ entity }) => entity).join(' ')
      const commit = command.commit === undefined ? '' : ` data-c="${command.commit.slice(0, 12)}"`
      return `<button class="m cmd ${command.outcome}" style="${at(command.atMs)}" data-e="${escape(entities)}"${commit} data-d="${escape(text)}" aria-label="${escape(text)}"></button>`
    })
  }

  commits(): string[] {
    const { commands, commits } = this.#recording
    const stepOf = new Map(
      commands.flatMap(({ commit, step }) =>
        commit !== undefined && step !== undefined ? [[commit, step] as const] : [],
      ),
    )
    return commits.flatMap((commit) =>
      commit.stored
        .filter(({ process }) => this.#isOwn(process))
        .map((stored) => this.#commit(commit, stored, stepOf.get(commit.id))),
    )
  }

  shown(): string[] {
    const { commands, shown } = this.#recording
    const entitiesOf = new Map(
      commands.map(({ step, on }) => [step, on.map(({ entity }) => entity).join(' ')]),
    )
    const own = shown.filter(({ process }) => this.#isOwn(process))
    return own.map(({ process, step, atMs }) => {
      const words = this.#words
      const text = `${this.#clock(atMs)}  ${words.who(process)} shows the effect of ${words.step(step)}`
      return `<i class="m shows" style="${at(atMs)}" data-e="${escape(entitiesOf.get(step) ?? '')}" data-d="${escape(text)}"></i>`
    })
  }

  violations(): string[] {
    const words = this.#words
    const own = this.#recording.violations.filter(({ where }) => this.#isOwn(where))
    return own.map(({ rule, where, what, atMs }) => {
      const text = `${this.#clock(atMs)}  Rule broken: ${rule}. ${words.rule(rule)}\nSeen at ${words.who(where)}: ${words.seen({ rule, what })}`
      return `<button class="m wrong" style="${at(atMs)}" data-d="${escape(text)}" aria-label="${escape(text)}">!</button>`
    })
  }

  #commit(
    commit: RecordedCommit,
    { process, atMs }: RecordedCommit['stored'][number],
    step: number | undefined,
  ): string {
    const words = this.#words
    const isOwn = process === commit.process
    const after =
      commit.deps.length > 0
        ? `depends on ${commit.deps.map((dep) => words.commit(dep)).join(', ')}`
        : 'depends on no other session'
    const by = step === undefined ? '' : `, ${words.step(step)}`
    const name = words.commit(commit)
    const text = `${this.#clock(atMs)}  ${words.who(process)} ${isOwn ? 'stores its own' : 'receives and stores'} commit ${name}${by}\nchanges ${commit.entities.join(', ')}; ${after}\nid ${commit.id}`
    return `<i class="m ${isOwn ? 'own' : 'got'}" style="${at(atMs)}" data-e="${escape(commit.entities.join(' '))}" data-c="${commit.id.slice(0, 12)}" data-d="${escape(text)}">${isOwn ? `<b>${escape(name)}</b>` : ''}</i>`
  }

  #isOwn(process: string): boolean {
    return process.split('.')[0] === this.#device
  }

  #clock(ms: number): string {
    return `${((ms - this.#recording.beginMs) / 1000).toFixed(3)} s`
  }
}

/** Messages and dependencies as paths, over all lanes. */
export function pathsOf(recording: Recording): { frames: string; deps: string } {
  const lane = new Map(recording.devices.map(({ name }, index) => [name, index]))
  const y = (process: string): number =>
    (lane.get(process.split('.')[0]!) ?? 0) * LANE_PX + COMMIT_PX
  const line = (fromMs: number, from: string, toMs: number, to: string): string =>
    `M${round(fromMs)} ${y(from)}L${round(toMs)} ${y(to)}`
  const frames = recording.frames.map(({ from, to, sentMs, atMs }) => line(sentMs, from, atMs, to))
  const places = new Map(recording.commits.map((each) => [`${each.session} ${each.seq}`, each]))
  const deps = recording.commits.flatMap((commit) =>
    commit.deps.flatMap(({ session, seq }) => {
      const cause = places.get(`${session} ${seq}`)
      if (!cause || !cause.stored[0] || !commit.stored[0]) return []
      return line(cause.stored[0].atMs, cause.process, commit.stored[0].atMs, commit.process)
    }),
  )
  return { frames: frames.join(''), deps: deps.join('') }
}

/** Where something stands on the axis of time. */
const at = (ms: number, width?: number): string =>
  `--t:${round(ms)}${width === undefined ? '' : `;--w:${round(width)}`}`

const round = (ms: number): number => Math.round(ms * 10) / 10

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
