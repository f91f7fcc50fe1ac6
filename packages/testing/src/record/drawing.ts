import { seconds, type Words } from './words.ts'
import type { RecordedCommit, Recording } from './recording.ts'

/** Widest drawing, in sessions, and most commits: beyond that nobody can read it. */
const MOST = { sessions: 12, commits: 40 } as const
const LANE = 8

/**
 * The commits of a run as text: one column for each session, one line for each commit in the order in which they were stored, its
 * dependencies as edges to the left or right, and when each device came to hold it.
 */
export function drawCommits(recording: Recording, words: Words): string {
  const commits = recording.commits.slice(0, MOST.commits)
  const lanes = [...new Set(commits.map(({ session }) => session))].slice(0, MOST.sessions)
  if (lanes.length === 0) return '  (no commits)'
  const last = new Map(commits.map(({ session }, index) => [session, index]))
  const devices = recording.devices.map(({ name }) => name)
  const authors = lanes.map((lane) => {
    const { process } = commits.find(({ session }) => session === lane)!
    return words.who(process).replace(/ \(start (\d+)\)/, '.$1')
  })
  const head =
    authors.map((name) => name.padEnd(LANE)).join('') +
    ' '.repeat(16) +
    devices.map((name) => words.who(name).padStart(9)).join('')
  const begun = new Set<string>()
  const lines = commits.map((commit, index) => {
    const cells = lanes.map((lane) => {
      const goesOn = begun.has(lane) && (last.get(lane)! >= index || isNeeded(commits, lane, index))
      return goesOn ? '│' : ' '
    })
    begun.add(commit.session)
    const after = commit.deps.map((dep) => words.commit(dep))
    const note = after.length > 0 ? `after ${after.join(', ')}` : ''
    const held = devices.map((device) => arrival(commit, device, recording.beginMs))
    return `${edges(commit, lanes, cells, words)}${note.padEnd(16)}${held.join('')}`
  })
  const left = recording.commits.length - commits.length
  return [head, ...lines, ...(left > 0 ? [`… and ${left} more`] : [])]
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')
}

/** Whether a later commit depends on the session. */
const isNeeded = (commits: readonly RecordedCommit[], lane: string, index: number): boolean =>
  commits.slice(index).some(({ deps }) => deps.some(({ session }) => session === lane))

function edges(
  commit: RecordedCommit,
  lanes: readonly string[],
  cells: readonly string[],
  words: Words,
): string {
  const own = lanes.indexOf(commit.session)
  const deps = commit.deps.map(({ session }) => lanes.indexOf(session)).filter((at) => at >= 0)
  const from = Math.min(own, ...deps)
  const to = Math.max(own, ...deps)
  return lanes
    .map((_, at) => {
      const filler = at >= from && at < to ? '─' : ' '
      let cell = cells[at]!
      if (at === own) cell = words.commit(commit)
      else if (deps.includes(at)) cell = at === from ? '├' : at === to ? '┤' : '┼'
      else if (at > from && at < to) cell = cell === ' ' ? '─' : '┼'
      return cell.padEnd(LANE, filler)
    })
    .join('')
}

function arrival({ stored }: RecordedCommit, device: string, beginMs: number): string {
  const first = stored.find(({ process }) => process.split('.')[0] === device)
  return (first ? seconds(first.atMs - beginMs) : '–').padStart(9)
}
