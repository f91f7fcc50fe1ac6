import { availableParallelism } from 'node:os'

import * as A from '@automerge/automerge'
import {
  document,
  hash,
  toHex,
  utf8,
  type Body,
  type DocumentHandle,
  type EntityState,
  type Origin,
  type DeviceId,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { documentModel } from '@peerplane/crdt-store/document'

import { readArguments } from './arguments.ts'
import { readRecording, type Patch } from './trace-recording.ts'

const KEYSTROKES_PER_CHANGE = 64

/**
 * The document kernel alone, in memory: the recorded keystrokes of a paper, 64 per command, against plain Automerge with one change
 * per keystroke; receiving them from a stranger; opening the result. All in seconds of CPU time, because nothing here waits.
 */
export async function benchDocument(args: readonly string[]): Promise<number> {
  const usage =
    'usage: PEERPLANE_TRACE=RECORDING npm run bench -- document [--read-every 64]    bench/README.md says which recording'
  const { values } = await readArguments(usage, {
    args: [...args],
    options: { 'read-every': { type: 'string', default: '64' } },
  })
  const path = process.env['PEERPLANE_TRACE']
  const readEvery = Number(values['read-every'])
  if (!path || !(readEvery >= 1)) {
    console.error(usage)
    return 2
  }
  const recording = readRecording(path)
  const patches = recording.txns.flatMap((txn) => txn.patches)
  const model = await documentModel(document({ text: '' }))
  const author = await model.open(undefined)

  const [writeSeconds, bodies] = timed(() => write(author, patches))
  const [plainSeconds, plain] = timed(() => plainAutomerge(patches))
  const received = await receive(model, bodies, readEvery)
  const opened = await reopen(model, author, bodies.at(-1)!.origin)

  const ratio = writeSeconds / plainSeconds
  const texts = [textOf(author), plain, ...received.texts, opened.text]
  const isRight = texts.every((text) => text === recording.endContent)
  console.log(
    JSON.stringify(
      {
        machine: `${availableParallelism()} cores, Node ${process.versions.node}`,
        keystrokes: patches.length,
        changes: bodies.length,
        changeBytes: bodies.reduce((size, { bytes }) => size + bytes.length, 0),
        write: {
          seconds: round(writeSeconds),
          plainAutomergeSeconds: round(plainSeconds),
          ratio: round(ratio),
        },
        receive: received.figures,
        open: opened.figures,
        isRight,
      },
      null,
      2,
    ),
  )
  if (!isRight) console.error('A text differs from the recorded one.')
  if (ratio > 1) console.error('Slower than plain Automerge with one change per keystroke.')
  return isRight && ratio <= 1 ? 0 : 1
}

function write(state: EntityState, patches: readonly Patch[]): Body[] {
  const bodies: Body[] = []
  for (let from = 0; from < patches.length; from += KEYSTROKES_PER_CHANGE) {
    const keystrokes = patches.slice(from, from + KEYSTROKES_PER_CHANGE)
    bodies.push(command(state, originOf('author', bodies.length + 1), keystrokes))
  }
  return bodies
}

function command(state: EntityState, origin: Origin, keystrokes: readonly Patch[]): Body {
  const draft = state.begin(origin)
  const handle = draft.handle as DocumentHandle<{ text: string }>
  for (const [index, deleted, inserted] of keystrokes) {
    handle.splice(['text'], index, deleted, inserted)
  }
  return bodyAt(origin, draft.finish()!)
}

function plainAutomerge(patches: readonly Patch[]): string {
  let doc = A.from({ text: '' })
  for (const [index, deleted, inserted] of patches) {
    doc = A.change(doc, (draft) => A.splice(draft, ['text'], index, deleted, inserted))
  }
  return doc.text
}

/** Folds the bodies one at a time, twice: reads the state once at the end, then after every `readEvery` bodies. */
async function receive(model: StateModel, bodies: readonly Body[], readEvery: number) {
  const atOnce = await model.open(undefined)
  const [checkSeconds] = timed(() => {
    for (const body of bodies) atOnce.fold([body])
  })
  const [applySeconds] = timed(() => atOnce.mirror)
  const live = await model.open(undefined)
  const [liveSeconds] = timed(() => {
    for (const [at, body] of bodies.entries()) {
      live.fold([body])
      if ((at + 1) % readEvery === 0) void live.mirror
    }
    void live.mirror
  })
  const texts = [textOf(atOnce), textOf(live)]
  atOnce.close()
  live.close()
  return {
    texts,
    figures: {
      checkMicrosecondsPerChange: round((checkSeconds * 1e6) / bodies.length),
      applySeconds: round(applySeconds),
      readEvery,
      liveSeconds: round(liveSeconds),
      liveMillisecondsPerRead: round((liveSeconds * 1000) / Math.ceil(bodies.length / readEvery)),
    },
  }
}

/** Opens what was saved, and folds the first change of somebody else, for which the history is read. */
async function reopen(model: StateModel, author: EntityState, last: Origin) {
  const [saveSeconds, snapshot] = timed(() => author.snapshot())
  const start = process.cpuUsage()
  const state = await model.open(snapshot)
  const openSeconds = secondsSince(start)
  const [mirrorSeconds, text] = timed(() => textOf(state))
  const other = await model.open(snapshot)
  const body = command(other, originOf('other', last.seq), [[0, 0, 'x']])
  const [firstSeconds] = timed(() => state.fold([body]))
  const [nextSeconds] = timed(() => state.mirror)
  state.close()
  other.close()
  return {
    text,
    figures: {
      snapshotBytes: snapshot.length,
      saveSeconds: round(saveSeconds),
      openSeconds: round(openSeconds),
      mirrorSeconds: round(mirrorSeconds),
      checkOfFirstRemoteChangeSeconds: round(firstSeconds),
      applyAndMirrorSeconds: round(nextSeconds),
    },
  }
}

const originOf = (name: string, seq: number): Origin => ({
  device: toHex(hash('bench-device', utf8(name))) as DeviceId,
  session: toHex(hash('bench-session', utf8(name)).slice(0, 16)) as SessionId,
  seq,
  time: { ms: 0, counter: 0 },
})

const textOf = (state: EntityState): string => (state.mirror as { readonly text: string }).text

function timed<T>(run: () => T): [seconds: number, result: T] {
  const start = process.cpuUsage()
  const result = run()
  return [secondsSince(start), result]
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

const round = (value: number): number => Math.round(value * 1000) / 1000
