import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import {
  hash,
  toHex,
  utf8,
  type Body,
  type DeviceId,
  type EntityState,
  type Origin,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'

import { readArguments } from './arguments.ts'
import { textKernelOf, textKernels, type TextKernel } from './text-kernels.ts'
import { readRecording, type Patch } from './trace-recording.ts'

/**
 * The text kernel and the document kernel alone, in memory, one process each: the recorded keystrokes of a paper, written, received and opened; a
 * paragraph that two people type at the same time; a paste and a cut of 1 MB, and of 5 MB in the text kernel. All times are CPU time.
 */
export async function benchText(args: readonly string[]): Promise<number> {
  const usage = 'usage: PEERPLANE_TRACE=RECORDING npm run bench -- text [--keystrokes 64]'
  const { values } = await readArguments(usage, {
    args: [...args],
    options: {
      keystrokes: { type: 'string', default: '64' },
      kernel: { type: 'string' },
      snapshot: { type: 'string' },
    },
  })
  const path = process.env['PEERPLANE_TRACE']
  const keystrokes = Number(values.keystrokes)
  if (!path || !(keystrokes >= 1)) {
    console.error(usage)
    return 2
  }
  if (values.kernel !== undefined) {
    const kernel = textKernelOf(values.kernel)!
    process.send!(
      values.snapshot === undefined
        ? await measure(kernel, path, keystrokes)
        : await openAlone(kernel, readFileSync(values.snapshot)),
    )
    return 0
  }
  const figures: Record<string, Figures> = {}
  for (const kernel of Object.keys(textKernels)) {
    const measured = await inProcess(['--kernel', kernel, '--keystrokes', String(keystrokes)])
    const file = String(measured['snapshot'])
    const opened = await inProcess(['--kernel', kernel, '--snapshot', file])
    rmSync(file)
    figures[kernel] = { ...measured, ...opened, snapshot: undefined }
    console.error(kernel, JSON.stringify(figures[kernel]))
  }
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}, load ${loadavg()[0]!.toFixed(1)}`
  console.log(JSON.stringify({ machine, keystrokes, ...figures }, null, 2))
  const isRight = Object.values(figures).every((each) => each['isRight'])
  if (!isRight) console.error('A text differs from the recorded one.')
  return isRight ? 0 : 1
}

type Figures = Readonly<Record<string, unknown>>

function inProcess(args: readonly string[]): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, ['text', ...args])
    child.once('message', (figures) => {
      child.kill()
      resolve(figures as Figures)
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

/** Opens a snapshot in a process that has done nothing else with the kernel. */
async function openAlone(kernel: TextKernel, snapshot: Uint8Array): Promise<Figures> {
  const model = await kernel.open()
  const small = await model.open(undefined)
  command(kernel, small, 'a', [[0, 0, 'x']])
  const before = memory()
  const start = process.cpuUsage()
  const opened = await model.open(snapshot)
  const { length } = kernel.textOf(opened)
  const openSeconds = round(secondsSince(start))
  const memoryBytes = memory() - before
  const seq = 1_000_000
  const other = await model.open(snapshot)
  seqs.set(other, seq)
  const start2 = process.cpuUsage()
  opened.fold(command(kernel, other, 'other', [[length, 0, 'x']]))
  void opened.mirror
  return { openSeconds, memoryBytes, firstFoldSeconds: round(secondsSince(start2)) }
}

async function measure(kernel: TextKernel, path: string, keystrokes: number): Promise<Figures> {
  const recording = readRecording(path)
  const patches = recording.txns.flatMap((txn) => txn.patches)
  const model = await kernel.open()
  const author = await model.open(undefined)
  const bodies: Body[] = []
  const write = timed(() => {
    for (let from = 0; from < patches.length; from += keystrokes) {
      bodies.push(...command(kernel, author, 'author', patches.slice(from, from + keystrokes)))
    }
  })
  const live = await model.open(undefined)
  const receive = timed(() => {
    for (const body of bodies) {
      live.fold([body])
      void live.mirror
    }
  })
  live.close()
  const snapshot = author.snapshot()
  const save = timed(() => void author.snapshot())
  const wireBytes = bodies.reduce((size, { bytes }) => size + bytes.length, 0)
  const isRight = [author, live].every((state) => kernel.textOf(state) === recording.endContent)
  author.close()
  const opened = await model.open(snapshot)
  const other = await model.open(snapshot)
  const more = Array.from({ length: 200 }, () =>
    command(kernel, other, 'other', [[kernel.textOf(other).length, 0, 'x']]),
  ).flat()
  opened.fold([more[0]!])
  void opened.mirror
  const each = timed(() => {
    for (const body of more.slice(1)) {
      opened.fold([body])
      void opened.mirror
    }
  })
  const file = join(mkdtempSync(join(tmpdir(), 'peerplane-text-')), 'snapshot')
  writeFileSync(file, snapshot)
  return {
    snapshot: file,
    wireBytes,
    wireBytesPerKeystroke: round(wireBytes / patches.length),
    writeSeconds: round(write),
    receiveSeconds: round(receive),
    snapshotBytes: snapshot.length,
    saveSeconds: round(save),
    microsecondsPerReceivedKeystroke: round((each / 199) * 1e6),
    wireBytesOfOneKeystroke: more[1]!.bytes.length,
    paragraph: await paragraph(kernel, model),
    large: await large(kernel, model, 1_000_000),
    ...(kernel === textKernels.text && { huge: await large(kernel, model, 5_000_000) }),
    isRight,
  }
}

/** Two people type 1,000 characters each, at the same time at the same place, and see each other after each ten. */
async function paragraph(kernel: TextKernel, model: StateModel): Promise<Figures> {
  const states = [await model.open(undefined), await model.open(undefined)]
  let bytes = 0
  const seconds = timed(() => {
    const at = [0, 0]
    for (let round = 0; round < 100; round++) {
      const sent = states.map((state, i) =>
        Array.from({ length: 10 }, () =>
          command(kernel, state, `${i}`, [[at[i]!++, 0, 'ab'[i]!]]),
        ).flat(),
      )
      for (const [i, state] of states.entries()) {
        state.fold(sent[1 - i]!)
        at[i] = kernel.textOf(state).lastIndexOf('ab'[i]!) + 1
      }
      bytes += sent.flat().reduce((sum, body) => sum + body.bytes.length, 0)
    }
  })
  return {
    wireBytesPerKeystroke: round(bytes / 2_000),
    microsecondsPerKeystroke: round((seconds / 2_000) * 1e6),
    snapshotBytes: states[0]!.snapshot().length,
    isOne: kernel.textOf(states[0]!) === kernel.textOf(states[1]!),
  }
}

/** A long paste in pieces, and a cut of it. */
async function large(kernel: TextKernel, model: StateModel, characters: number): Promise<Figures> {
  const state = await model.open(undefined)
  const piece = 50_000
  const pasted = 'A long line. '.repeat(piece / 13 + 1).slice(0, piece)
  const pieces: Body[] = []
  const paste = timed(() => {
    for (let i = 0; i * piece < characters; i++)
      pieces.push(...command(kernel, state, 'a', [[i * piece, 0, pasted]]))
  })
  const reader = await model.open(undefined)
  const read = timed(() => {
    for (const body of pieces) reader.fold([body])
    void reader.mirror
  })
  const cuts: Body[] = []
  const most = kernel === textKernels.text ? characters : piece
  const cut = timed(() => {
    for (let left = characters; left > 0; left -= most) {
      cuts.push(...command(kernel, state, 'a', [[0, most, '']]))
    }
  })
  const readCut = timed(() => {
    for (const body of cuts) reader.fold([body])
    void reader.mirror
  })
  const sizeOf = (bodies: readonly Body[]): number =>
    bodies.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return {
    pasteSeconds: round(paste),
    readSeconds: round(read),
    pasteBytes: sizeOf(pieces),
    cutSeconds: round(cut),
    readCutSeconds: round(readCut),
    cutBytes: sizeOf(cuts),
    cutCommands: cuts.length,
    isEmpty: kernel.textOf(reader) === '',
  }
}

const seqs = new Map<EntityState, number>()

function command(
  kernel: TextKernel,
  state: EntityState,
  name: string,
  patches: readonly Patch[],
): Body[] {
  const seq = (seqs.get(state) ?? 0) + 1
  const origin: Origin = {
    device: toHex(hash('bench-device', utf8(name))) as DeviceId,
    session: toHex(hash('bench-session', utf8(name)).slice(0, 16)) as SessionId,
    seq,
    time: { ms: 0, counter: 0 },
  }
  const draft = state.begin(origin)
  for (const patch of patches) kernel.splice(draft.handle as object, patch)
  const bytes = draft.finish()
  // Somebody who types something and deletes it again has changed nothing.
  if (!bytes) return []
  seqs.set(state, seq)
  const body = bodyAt(origin, bytes)
  state.identify(body)
  return [body]
}

/** What this process holds. */
function memory(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().rss
}

function timed(run: () => void): number {
  const start = process.cpuUsage()
  run()
  return secondsSince(start)
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

const round = (value: number): number => Math.round(value * 1000) / 1000
