import { connect } from 'node:net'

import type { Target } from './attack.ts'

const EVERY_MS = 500
const PATIENCE_MS = 10_000

/** The slowest answers since the last look, in milliseconds; `Infinity` for one that did not come. */
export interface Answers {
  readonly control: number
  readonly page: number
}

/** Asks a daemon again and again for its status and its page, as a person would. */
export class Doors {
  readonly #target: Target
  readonly #timer: NodeJS.Timeout
  #control = 0
  #page = 0

  constructor(target: Target) {
    this.#target = target
    this.#timer = setInterval(() => void this.#ask(), EVERY_MS)
  }

  take(): Answers {
    const answers = { control: this.#control, page: this.#page }
    this.#control = 0
    this.#page = 0
    return answers
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #ask(): Promise<void> {
    const { control, host, pagePort } = this.#target
    const [status, page] = await Promise.all([
      timed(() => askControl(control)),
      timed(() => askPage(`http://${host}:${pagePort}/`)),
    ])
    this.#control = Math.max(this.#control, status)
    this.#page = Math.max(this.#page, page)
  }
}

async function timed(ask: () => Promise<boolean>): Promise<number> {
  const started = performance.now()
  const isRight = await ask().catch(() => false)
  return isRight ? performance.now() - started : Number.POSITIVE_INFINITY
}

/** Whether the daemon says what it is, by the means of the command `peerplane status`. */
function askControl(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let answer = ''
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on('data', (bytes) => {
      answer += String(bytes)
      if (answer.endsWith('\n')) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(answer.startsWith('{"kind":"answer"')))
    socket.write('{"kind":"ask","id":0,"operation":"describe","given":[]}\n')
  })
}

async function askPage(url: string): Promise<boolean> {
  // A connection of its own: one that is kept open would not feel that new ones are refused.
  const response = await fetch(url, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  return (await response.text()).includes('A page')
}
