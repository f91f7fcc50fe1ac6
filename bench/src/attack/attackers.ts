import type { Target } from './attack.ts'
import { Child } from './child.ts'
import type { Done } from './measured.ts'

const BEGIN_MS = 120_000
const ANSWER_MS = 100_000

/** Attacks that run at once, in a process of their own. */
export class Attackers {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  /** Resolves when every attack is at work, or has had the time for it. Each attack, and each seed, is another device at another address. */
  static async start(
    target: Target,
    attacks: readonly { readonly name: string; readonly scale: number }[],
    seed: number,
  ): Promise<Attackers> {
    const child = new Child('./attacker.ts', [JSON.stringify({ target, attacks, seed })], false)
    await child.next('begun', BEGIN_MS)
    return new Attackers(child)
  }

  /** What they have counted until now. */
  done(): Promise<Done> {
    return this.#ask('count')
  }

  /** Ends them; resolves with what they have counted. */
  async stop(): Promise<Done> {
    try {
      return await this.#ask('stop')
    } finally {
      await this.#child.end()
    }
  }

  #ask(message: 'count' | 'stop'): Promise<Done> {
    const done = this.#child.next<Done>('done', ANSWER_MS)
    this.#child.send(message)
    return done
  }
}
