import { basename } from 'node:path'

import { readArguments } from '../arguments.ts'
import { readSteps, type Recording } from './recording.ts'
import { textKernelOf, type TextKernel } from '../text-kernels.ts'
import { createMembers, TextReplica } from './replica.ts'

/** There are at least so many replicas: those beyond the authors only read. */
const REPLICAS = 3

/**
 * Replays recorded edits over three replicas, each of which has exactly what its recorded author had seen: commits are made, signed, passed on,
 * checked and folded as between devices. At the end all get everything, and must show the same text, which the recording states.
 */
export async function benchTraces(args: readonly string[]): Promise<number> {
  const usage =
    'usage: npm run bench -- traces [--kernel text] [--transactions 1] RECORDING ...    bench/README.md says which recordings'
  const { values, positionals } = await readArguments(usage, {
    args: [...args],
    allowPositionals: true,
    options: {
      kernel: { type: 'string', default: 'text' },
      transactions: { type: 'string', default: '1' },
    },
  })
  const most = Number(values.transactions)
  const kernel = textKernelOf(values.kernel)
  if (!kernel || positionals.length === 0 || !(most >= 1)) {
    console.error(usage)
    return 2
  }
  let isRight = true
  for (const path of positionals) {
    const figures = await replay(readSteps(path, most), kernel)
    console.log(JSON.stringify({ recording: basename(path), ...figures }, null, 2))
    isRight &&= figures.isRight
  }
  if (!isRight)
    console.error('A text differs from the recorded one, or from that of another replica.')
  return isRight ? 0 : 1
}

/** What a replay has shown. */
export interface Replayed {
  readonly authors: number
  readonly transactions: number
  readonly commits: number
  /** Commits that build on commits of several authors that had not seen each other. */
  readonly merges: number
  readonly seconds: number
  /** CPU time until a replica that gets everything at once shows the text. */
  readonly readerSeconds: number
  readonly characters: number
  readonly isRight: boolean
}

/** See {@link benchTraces}. */
export async function replay(recording: Recording, kernel: TextKernel): Promise<Replayed> {
  const { authors, steps, endContent } = recording
  const members = await createMembers(Math.max(REPLICAS, authors + 1))
  const replicas = await Promise.all(
    members.devices.map((_, i) => TextReplica.open(members, i, kernel)),
  )
  try {
    const started = process.cpuUsage()
    const written = await write(recording, replicas)
    const writers = replicas.slice(0, authors)
    for (const replica of writers) await receiveAll(replica, written)
    const seconds = secondsSince(started)
    const reading = process.cpuUsage()
    for (const replica of replicas.slice(authors)) {
      await receiveAll(replica, written)
      await replica.text()
    }
    const texts = await Promise.all(replicas.map((replica) => replica.text()))
    return {
      authors,
      transactions: recording.transactions,
      commits: written.length,
      merges: steps.filter(({ parents }) => parents.length > 1).length,
      seconds,
      readerSeconds: secondsSince(reading) / (replicas.length - authors),
      characters: endContent.length,
      isRight: texts.every((text) => text === endContent),
    }
  } finally {
    for (const replica of replicas) await replica.close()
  }
}

/** A commit: which one it is of its author. */
interface Written {
  readonly author: TextReplica
  readonly seq: number
}

/** Makes all commits, each on what its author had seen. Returns them in an order in which each comes after what it builds on. */
async function write(
  { authors, steps }: Recording,
  replicas: readonly TextReplica[],
): Promise<Written[]> {
  /** For each step, how many commits of each author it has and builds on. */
  const seen: Int32Array[] = []
  const written: Written[] = []
  /** What each author lacks of what is written so far. */
  const lacking = new Map(replicas.slice(0, authors).map((author) => [author, [] as Written[]]))
  for (const { author: number, parents, patches } of steps) {
    const past = new Int32Array(authors)
    for (const parent of parents) {
      for (const [each, count] of seen[parent]!.entries()) past[each] = Math.max(past[each]!, count)
    }
    const author = replicas[number]!
    const has = (each: Written): boolean => each.seq <= past[replicas.indexOf(each.author)]!
    const next = lacking.get(author)!
    await receiveAll(author, next.filter(has))
    lacking.set(
      author,
      next.filter((each) => !has(each)),
    )
    const seq = await author.write(patches)
    past[number] = seq
    seen.push(past)
    const commit = { author, seq }
    written.push(commit)
    for (const [other, list] of lacking) if (other !== author) list.push(commit)
  }
  return written
}

/** Passes on commits in an order in which each comes after what it builds on: only so many can wait for others. */
async function receiveAll(replica: TextReplica, written: readonly Written[]): Promise<void> {
  for (const { author, seq } of written) if (author !== replica) await replica.receive(author, seq)
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return Math.round((user + system) / 1e4) / 100
}
