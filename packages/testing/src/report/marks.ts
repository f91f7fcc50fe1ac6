import { devicesOf } from '../plan/plan.ts'
import { commandText } from '../record/story.ts'
import type { Recording } from '../record/recording.ts'
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
  const own = (process: string): boolean => process.split('.')[0] === device
  const clock = (ms: number): string => `${((ms - recording.beginMs) / 1000).toFixed(3)} s`
  const stepOf = new Map(
    recording.commands.flatMap(({ commit, step }) =>
      commit !== undefined && step !== undefined ? [[commit, step] as const] : [],
    ),
  )
  const entitiesOf = new Map(
    recording.commands.map(({ step, on }) => [step, on.map(({ entity }) => entity).join(' ')]),
  )
  const parts: string[] = []

  for (const { fault, fromMs, toMs } of recording.faults) {
    if (!devicesOf(fault).includes(device)) continue
    const width = (toMs ?? fromMs) - fromMs
    const text = `${clock(fromMs)}: ${words.fault(fault)}.`
    const label = NAMES[fault.kind] ?? fault.kind
    parts.push(
      `<div class="span" style="${at(fromMs, width)}" data-d="${escape(text)}"><em>${escape(label)}</em></div>`,
    )
  }
  for (const { name, fromMs, toMs, end } of recording.processes.filter((each) => own(each.name))) {
    const until = toMs ?? recording.endMs
    const ending = toMs === undefined ? '' : ` to ${clock(toMs)}${end ? `, ended by: ${end}` : ''}`
    const text = `${words.who(name)} runs from ${clock(fromMs)}${ending}.`
    const cut = toMs === undefined ? '' : ' cut'
    const start = name.split('.')[1] ?? '1'
    parts.push(
      `<div class="bar${cut}" style="${at(fromMs, until - fromMs)}" data-d="${escape(text)}">start ${escape(start)}</div>`,
    )
  }
  for (const command of recording.commands.filter((each) => own(each.process))) {
    const label = command.step === undefined ? 'Repeated' : capital(words.step(command.step))
    const text = `${clock(command.atMs)}  ${label}, ${words.who(command.process)}\n${commandText(command, recording, words)}`
    const entities = command.on.map(({ entity }) => entity).join(' ')
    const commit = command.commit === undefined ? '' : ` data-c="${command.commit.slice(0, 12)}"`
    parts.push(
      `<button class="m cmd ${command.outcome}" style="${at(command.atMs)}" data-e="${escape(entities)}"${commit} data-d="${escape(text)}" aria-label="${escape(text)}"></button>`,
    )
  }
  for (const commit of recording.commits) {
    const stored = commit.stored.filter(({ process }) => own(process))
    for (const { process, atMs } of stored) {
      const isOwn = process === commit.process
      const after =
        commit.deps.length > 0
          ? `depends on ${commit.deps.map((dep) => words.commit(dep)).join(', ')}`
          : 'depends on no other session'
      const step = stepOf.get(commit.id)
      const by = step === undefined ? '' : `, ${words.step(step)}`
      const name = words.commit(commit)
      const text = `${clock(atMs)}  ${words.who(process)} ${isOwn ? 'stores its own' : 'receives and stores'} commit ${name}${by}\nchanges ${commit.entities.join(', ')}; ${after}\nid ${commit.id}`
      parts.push(
        `<i class="m ${isOwn ? 'own' : 'got'}" style="${at(atMs)}" data-e="${escape(commit.entities.join(' '))}" data-c="${commit.id.slice(0, 12)}" data-d="${escape(text)}">${isOwn ? `<b>${escape(name)}</b>` : ''}</i>`,
      )
    }
  }
  for (const { process, step, atMs } of recording.shown.filter((each) => own(each.process))) {
    const text = `${clock(atMs)}  ${words.who(process)} shows the effect of ${words.step(step)}`
    parts.push(
      `<i class="m shows" style="${at(atMs)}" data-e="${escape(entitiesOf.get(step) ?? '')}" data-d="${escape(text)}"></i>`,
    )
  }
  for (const { rule, where, what, atMs } of recording.violations) {
    if (!own(where)) continue
    const text = `${clock(atMs)}  Rule broken: ${rule}. ${words.rule(rule)}\nSeen at ${words.who(where)}: ${words.seen({ rule, what })}`
    parts.push(
      `<button class="m wrong" style="${at(atMs)}" data-d="${escape(text)}" aria-label="${escape(text)}">!</button>`,
    )
  }
  return parts.join('\n')
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
