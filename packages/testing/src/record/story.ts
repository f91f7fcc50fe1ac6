import type { Plan } from '../plan/plan.ts'
import { drawCommits } from './drawing.ts'
import type { RecordedCommand, Recording } from './recording.ts'
import { seconds, Words } from './words.ts'

/** A line of a story, and when it happens. */
interface Line {
  readonly atMs: number
  readonly text: string
  /** Number of the step. */
  readonly step?: number
}

/** Most lines between the steps of a story. */
const MOST_LINES = 200

/**
 * Describes a run as text: its devices, its events step by step, a drawing of its commits, and the broken rule. The text is most useful for small
 * runs.
 */
export function tellRun(plan: Plan<unknown>, recording: Recording): string {
  const words = new Words(
    recording,
    plan.steps.map(({ id }) => id),
  )
  const violation = recording.violations[0]
  const lines = [...stepLines(plan, recording, words), ...otherLines(recording, words)]
  const told = lines
    .filter(({ atMs }) => !violation || atMs <= violation.atMs)
    .sort((a, b) => a.atMs - b.atMs)
  const broken = violation
    ? [
        `  ✗ ${clock(violation.atMs - recording.beginMs)}  ${words.who(violation.where)}: ${words.seen(violation)}`,
        '',
        `Broken rule: ${violation.rule}. ${words.rule(violation.rule)}`,
      ]
    : ['', 'No rule is broken.']
  return [
    `Seed ${plan.seed}: ${plan.devices.length} devices, ${plan.steps.length} steps.`,
    ...devices(recording, words),
    ...(plan.members ?? []).map(
      ({ name, dial }) =>
        `- ${name} is a hostile member and dials ${dial.map((each) => words.who(each)).join(', ')}.`,
    ),
    ...plan.conditions.map((condition) => `- All the time: ${words.condition(condition)}.`),
    ...(plan.rareWays?.length
      ? [`- Rare branches, sometimes taken: ${plan.rareWays.join(', ')}.`]
      : []),
    '',
    'What happens, in seconds since all had joined:',
    '',
    ...told.slice(0, MOST_LINES).map((line) => render(line, recording.beginMs)),
    ...(told.length > MOST_LINES ? [`        … and ${told.length - MOST_LINES} more`] : []),
    ...broken,
    '',
    'The commits: a column for each session, with what each commit depends on, and when each device stored it.',
    '',
    drawCommits(recording, words),
  ].join('\n')
}

const clock = (ms: number): string => (ms / 1000).toFixed(3).padStart(8)

function render({ atMs, text, step }: Line, beginMs: number): string {
  const number = step === undefined ? '   ' : `${step}.`.padStart(3)
  return `${number} ${clock(atMs - beginMs)}  ${text}`
}

function devices({ devices: all }: Recording, words: Words): string[] {
  return all.map(({ name, dial, anchor, cloneOf, joinMs }, index) => {
    const who = words.who(name)
    const origin = cloneOf === undefined ? '' : `, a clone of ${words.who(cloneOf)}`
    const founder = index === 0 ? ' founded the space' : ''
    const dials = dial.length > 0 ? ` dials ${dial.map((each) => words.who(each)).join(', ')}` : ''
    const does = [founder, dials].filter(Boolean).join(' and') || ' is dialled by others'
    const late = joinMs === undefined ? '' : ` It joins ${seconds(joinMs)} after the others.`
    return `- ${who} (${name}${anchor ? ', an anchor' : ''}${origin})${does}.${late}`
  })
}

function stepLines(plan: Plan<unknown>, recording: Recording, words: Words): Line[] {
  return plan.steps.flatMap((step, index) => {
    const atMs = recording.beginMs + step.atMs
    const line = (text: string): Line => ({ atMs, text, step: index + 1 })
    if ('fault' in step) return [line(`${words.fault(step.fault)}.`)]
    if ('copy' in step) return [line(`A copy of ${words.who(step.device)}'s disk is put aside.`)]
    const who = words.who(step.device)
    const done = workLines(step.id, recording, words)
    const [first, ...rest] = done.length > 0 ? done : [{ atMs, text: 'nothing happens' }]
    return [
      { ...line(`${who}: ${first!.text}.`), atMs: first!.atMs },
      ...rest.map((each) => ({
        atMs: each.atMs,
        text: `${who}, step ${index + 1}: ${each.text}.`,
      })),
    ]
  })
}

/** The commands of a step, those of one moment together, and how it failed, if that differs from how its last command failed. */
function workLines(id: number, recording: Recording, words: Words): Line[] {
  const commands = recording.commands.filter(({ step }) => step === id)
  const moments = new Map<number, Set<string>>()
  for (const command of commands) {
    const told = moments.get(command.atMs) ?? new Set<string>()
    moments.set(command.atMs, told.add(commandText(command, recording, words)))
  }
  const lines = [...moments].map(([atMs, told]) => ({ atMs, text: [...told].join('; ') }))
  const failure = recording.failures.find(({ step }) => step === id)
  if (!failure || commands.some(({ reason }) => reason === failure.reason)) return lines
  return [...lines, { atMs: failure.atMs, text: `fails (${failure.reason})` }]
}

/** A command in one line: what was called, and the outcome. */
export function commandText(
  command: RecordedCommand,
  { commits }: Recording,
  words: Words,
): string {
  const asked = command.on
    .map(({ entity, command: name, input }) => `${name}${inputText(input)} on ${entity}`)
    .join(' and ')
  const commit = commits.find(({ id }) => id === command.commit)
  const took = command.endMs === undefined ? '' : ` after ${seconds(command.endMs - command.atMs)}`
  const result =
    command.outcome === 'rejected'
      ? `rejected (${command.reason ?? 'no reason'})`
      : command.outcome === 'unknown'
        ? 'no answer'
        : `acknowledged as ${command.durability}${took}${commit ? `, commit ${words.commit(commit)}` : ''}`
  return `${asked}: ${result}`
}

/** Without what only names the command. */
function inputText(input: string): string {
  const shown = input
    .replaceAll(/"mark":"~w\d+~",?|"text":"~w\d+~[^"]*",?/g, '')
    // What stands in quotes is the application's.
    .replaceAll(/("(?:[^"\\]|\\.)*(?:"|$))(:?)|,/g, (found, quoted?: string, colon?: string) => {
      if (quoted === undefined) return `${found} `
      return colon ? `${/^"\w+"$/.test(quoted) ? quoted.slice(1, -1) : quoted}: ` : quoted
    })
  return shown === '' || shown === '{}' ? '' : ` ${shown}`
}

/** What follows from the steps: openings, ends of faults, and who gets to see what. */
function otherLines(recording: Recording, words: Words): Line[] {
  const { processes, faults, shown, commits, beginMs, healedMs } = recording
  const lines: Line[] = []
  for (const { name, fromMs } of processes) {
    if (fromMs > beginMs) lines.push({ atMs: fromMs, text: `${words.who(name)} is open.` })
  }
  for (const { fault, toMs } of faults) {
    if (toMs !== undefined && 'lastsMs' in fault)
      lines.push({ atMs: toMs, text: `That is over: ${words.fault(fault)}.` })
  }
  for (const { process, step, atMs } of shown) {
    if (atMs >= beginMs)
      lines.push({ atMs, text: `${words.who(process)} shows ${words.step(step)}.` })
  }
  for (const commit of shown.length > 0 ? [] : commits) {
    for (const { process, atMs } of commit.stored) {
      if (process === commit.process) continue
      lines.push({ atMs, text: `${words.who(process)} gets ${words.commit(commit)}.` })
    }
  }
  if (healedMs > 0) lines.push({ atMs: healedMs, text: 'All faults are over.' })
  return lines
}
