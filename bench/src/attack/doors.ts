import type { Target } from './attack.ts'
import { askControl } from './control.ts'

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
    const { control } = this.#target
    const [status, page] = await Promise.all([
      timed(() => says(control)),
      timed(() => askPage(this.#target)),
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

/** Whether the daemon says what it is. */
async function says(control: string): Promise<boolean> {
  return (await askControl(control, 'ask', 'describe'))?.kind === 'answer'
}

/** Whether the daemon gives its page. */
export async function askPage({ host, pagePort }: Target): Promise<boolean> {
  // A connection of its own: one that is kept open would not feel that new ones are refused.
  const response = await fetch(`http://${host}:${pagePort}/`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  return (await response.text()).includes('A page')
}
