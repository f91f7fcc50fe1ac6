import { open } from '@peerplane/node'

import { Paper } from './trace-paper.ts'
import { readRecording, type WriterReport } from './trace-recording.ts'

/** Keystrokes of one commit at most. */
const KEYSTROKES_PER_COMMIT = 64
/** Commits that may be called and not yet durable. */
const IN_FLIGHT = 4

const [path, data] = process.argv.slice(2)
const patches = readRecording(path!).txns.flatMap((txn) => txn.patches)
const plane = await open({ entities: [Paper], data: data!, listen: ['/ip4/127.0.0.1/tcp/0'] })
const paper = plane.get(Paper, 'paper')
const tell = (report: WriterReport): void => void process.send!(report)

process.once('message', () => void type().catch(fail))

async function type(): Promise<void> {
  const started = process.hrtime.bigint().toString()
  const typed: [number, string][] = []
  const inFlight = new Set<Promise<unknown>>()
  for (let from = 0; from < patches.length; from += KEYSTROKES_PER_COMMIT) {
    const keystrokes = Math.min(from + KEYSTROKES_PER_COMMIT, patches.length)
    const splices = patches.slice(from, keystrokes)
    typed.push([keystrokes, process.hrtime.bigint().toString()])
    const durable = paper.write({ splices, keystrokes })
    inFlight.add(durable)
    void durable.finally(() => inFlight.delete(durable))
    while (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
  const durable = process.hrtime.bigint().toString()
  const { text } = await paper.state()
  tell({ kind: 'done', text, typed, started, durable, commits: typed.length })
  process.once('disconnect', () => void plane.close())
}

const stop = plane.onStatus(({ addresses }) => {
  if (addresses.length === 0) return
  queueMicrotask(() => stop())
  plane.invite().then((invitation) => tell({ kind: 'invited', invitation }), fail)
})

function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}
