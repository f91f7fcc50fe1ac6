import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { open, type Plane } from '@peerplane/node'

import { readArguments } from '../arguments.ts'
import { Paper, watchPauses } from './paper.ts'

/** What the reading process gets. */
export type ToReader =
  | { readonly kind: 'type'; readonly keys: string }
  /** Report when a text of this length is shown. */
  | { readonly kind: 'await'; readonly length: number }
  | { readonly kind: 'stop' }

/** What the reading process tells. */
export type ReaderReport =
  | { readonly kind: 'ready' | 'typed' }
  | {
      readonly kind: 'shown'
      readonly digest: string
      readonly pauseMs: number
      readonly cpuSeconds: number
    }

/** The end of the text that somebody else types at the same time. */
const KEYS = '0123456789'

/**
 * Pastes a long text and cuts it again on one device, while somebody types on another one, in another process over libp2p: with one command
 * each if they are small enough, and in pieces. What was typed must be there at the end, and both must show the same.
 */
export async function benchPaste(args: readonly string[]): Promise<number> {
  const usage = 'usage: npm run bench -- paste [--characters 1000000] [--piece 50000]'
  const { values } = await readArguments(usage, {
    args: [...args],
    options: {
      characters: { type: 'string', default: '1000000' },
      piece: { type: 'string', default: '50000' },
    },
  })
  const [characters, piece] = [Number(values.characters), Number(values.piece)]
  if (!(characters >= 1 && piece >= 1)) {
    console.error(usage)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-paste-'))
  const plane = await open({
    entities: [Paper],
    data: join(folder, 'writer'),
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
  const reader = fork(new URL('reader.ts', import.meta.url), [
    await plane.invite(),
    join(folder, 'reader'),
  ])
  try {
    await report(reader, 'ready')
    const run = new PasteRun(
      plane,
      reader,
      'A long line. '.repeat(characters / 13 + 1).slice(0, characters),
    )
    const steps = [await run.paste(piece), await run.cut(piece)]
    tell(reader, { kind: 'stop' })
    await plane.close()
    console.log(JSON.stringify({ characters, piece, steps, diskBytes: bytesOf(folder) }, null, 2))
    const isRight = steps.every((step) => step.isRight)
    if (!isRight) console.error('The devices show different texts, or not what was written.')
    return isRight ? 0 : 1
  } finally {
    reader.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What one step took. */
interface Step {
  readonly what: string
  readonly commands: number
  readonly secondsUntilDurable: number
  readonly secondsUntilShown: number
  readonly writerCpuSeconds: number
  readonly readerCpuSeconds: number
  readonly writerPauseMs: number
  readonly readerPauseMs: number
  readonly isRight: boolean
}

class PasteRun {
  readonly #reader: ChildProcess
  readonly #paper
  readonly #pasted: string
  readonly #pauses = watchPauses()
  #typed = ''
  #range = { from: '', to: '' }

  constructor(plane: Plane, reader: ChildProcess, pasted: string) {
    this.#paper = plane.get(Paper, 'paper')
    this.#reader = reader
    this.#pasted = pasted
  }

  paste(piece: number): Promise<Step> {
    return this.#step('paste', this.#pasted, async () => {
      let commands = 0
      let at: number | string = 6
      for (let from = 0; from < this.#pasted.length; from += piece) {
        const text = this.#pasted.slice(from, from + piece)
        const { reply } = await this.#paper.insert({ at, text })
        this.#range = { from: commands === 0 ? reply.from : this.#range.from, to: reply.to }
        at = reply.to
        commands++
      }
      return commands
    })
  }

  cut(piece: number): Promise<Step> {
    return this.#step('cut', '', async () => {
      for (let commands = 1; ; commands++) {
        const { reply } = await this.#paper.cut({ ...this.#range, most: piece })
        if (reply === 0) return commands
      }
    })
  }

  async #step(what: string, middle: string, act: () => Promise<number>): Promise<Step> {
    this.#pauses()
    const cpu = process.cpuUsage()
    const typed = report(this.#reader, 'typed')
    tell(this.#reader, { kind: 'type', keys: KEYS })
    this.#typed += KEYS
    const started = performance.now()
    const commands = await act()
    const durable = performance.now()
    await typed
    const right = `begin ${middle}end${this.#typed}`
    const shown = report(this.#reader, 'shown')
    tell(this.#reader, { kind: 'await', length: right.length })
    const { digest, pauseMs, cpuSeconds } = await shown
    const { user, system } = process.cpuUsage(cpu)
    const secondsUntilShown = round((performance.now() - started) / 1e3)
    const writerPauseMs = this.#pauses()
    const { text } = await this.#paper.state()
    return {
      what,
      commands,
      secondsUntilDurable: round((durable - started) / 1e3),
      secondsUntilShown,
      writerCpuSeconds: round((user + system) / 1e6),
      readerCpuSeconds: round(cpuSeconds),
      writerPauseMs,
      readerPauseMs: pauseMs,
      isRight: text === right && digest === createHash('sha256').update(right).digest('hex'),
    }
  }
}

const tell = (reader: ChildProcess, message: ToReader): void => void reader.send(message)

function report<Kind extends ReaderReport['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<ReaderReport, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if ((message as ReaderReport).kind !== kind) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message as Extract<ReaderReport, { kind: Kind }>)
    }
    const onExit = (code: number | null): void =>
      reject(new Error(`the reading process ended with ${code}`))
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const round = (value: number): number => Math.round(value * 100) / 100
