import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as A from '@automerge/automerge'

import {
  readRecording,
  type Patch,
  type ReceiverReport,
  type WriterReport,
} from './trace-recording.ts'

/**
 * Types the recorded keystrokes of a real paper into a document on one peer, synced live over libp2p to a second process, durable on both.
 * In the same run the same keystrokes go into plain Automerge in memory, one change each: the ratio compares the two.
 */
export async function benchTrace(): Promise<number> {
  const path = process.env['PEERPLANE_TRACE']
  if (!path) {
    console.error('PEERPLANE_TRACE must name the recording: bench/README.md says where to get it.')
    return 2
  }
  const recording = readRecording(path)
  const patches = recording.txns.flatMap((txn) => txn.patches)
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-trace-'))
  try {
    const plain = plainAutomerge(patches)
    const ours = await overTwoProcesses(path, folder)
    const seconds = nanoseconds(ours.started, ours.shownAll) / 1e9
    const ratio = seconds / plain.seconds
    const result = {
      keystrokes: patches.length,
      commits: ours.commits,
      seconds: round(seconds),
      secondsUntilDurableAtWriter: round(nanoseconds(ours.started, ours.durable) / 1e9),
      plainAutomergeSeconds: round(plain.seconds),
      ratio: round(ratio),
      lagMs: ours.lagMs,
      diskBytes: ours.diskBytes,
      wireBytes: ours.wireBytes,
      rightAtWriter: ours.writerText === recording.endContent,
      rightAtReceiver: ours.receiverText === recording.endContent,
      rightInPlainAutomerge: plain.text === recording.endContent,
    }
    console.log(JSON.stringify(result, null, 2))
    const right = result.rightAtWriter && result.rightAtReceiver && result.rightInPlainAutomerge
    if (!right) console.error('The end text differs from the recorded one.')
    if (ratio > 1) console.error('Slower than plain Automerge with one change per keystroke.')
    return right && ratio <= 1 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function plainAutomerge(patches: readonly Patch[]): { seconds: number; text: string } {
  let doc = A.from({ text: '' })
  const started = process.hrtime.bigint()
  for (const [position, deleted, inserted] of patches) {
    doc = A.change(doc, (draft) => A.splice(draft, ['text'], position, deleted, inserted))
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  return { seconds, text: doc.text }
}

async function overTwoProcesses(path: string, folder: string) {
  const writerData = join(folder, 'writer')
  const receiverData = join(folder, 'receiver')
  const writer = fork(new URL('trace-writer.ts', import.meta.url), [path, writerData])
  try {
    const { invitation } = await report<WriterReport, 'invited'>(writer, 'invited')
    const last = String(readRecording(path).txns.reduce((sum, txn) => sum + txn.patches.length, 0))
    const receiver = fork(new URL('trace-receiver.ts', import.meta.url), [
      invitation,
      receiverData,
      last,
    ])
    try {
      await report<ReceiverReport, 'ready'>(receiver, 'ready')
      const received = report<ReceiverReport, 'done'>(receiver, 'done')
      const written = report<WriterReport, 'done'>(writer, 'done')
      writer.send('start')
      const [wrote, got] = await Promise.all([written, received])
      writer.disconnect()
      await Promise.all([ended(writer), ended(receiver)])
      return {
        started: wrote.started,
        durable: wrote.durable,
        commits: wrote.commits,
        shownAll: got.shown.at(-1)![1],
        writerText: wrote.text,
        receiverText: got.text,
        lagMs: lags(wrote.typed, got.shown),
        wireBytes: got.wireBytes,
        diskBytes: { writer: bytesOf(writerData), receiver: bytesOf(receiverData) },
      }
    } finally {
      receiver.kill('SIGKILL')
    }
  } finally {
    writer.kill('SIGKILL')
  }
}

/** Milliseconds from the call of a command to the first view of the receiver that shows it. */
function lags(
  typed: readonly (readonly [number, string])[],
  shown: readonly (readonly [number, string])[],
): { p50: number; p95: number; max: number } {
  let view = 0
  const all = typed.map(([keystrokes, calledAt]) => {
    while (shown[view]![0] < keystrokes) view++
    return nanoseconds(calledAt, shown[view]![1]) / 1e6
  })
  all.sort((a, b) => a - b)
  const at = (share: number): number =>
    round(all[Math.min(all.length - 1, Math.floor(share * all.length))]!)
  return { p50: at(0.5), p95: at(0.95), max: at(1) }
}

function report<Report extends { kind: string }, Kind extends Report['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if ((message as Report).kind !== kind) return
      child.off('message', onMessage)
      resolve(message as Extract<Report, { kind: Kind }>)
    }
    child.on('message', onMessage)
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()))

const nanoseconds = (from: string, to: string): number => Number(BigInt(to) - BigInt(from))

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const round = (value: number): number => Math.round(value * 1000) / 1000
