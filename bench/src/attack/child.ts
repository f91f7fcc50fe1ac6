import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

import type { Needs } from './measured.ts'

const probe = import.meta.resolve('./probe.ts')

/** How many files and sockets a process may have open: the usual limit of a service. */
const HANDLES = 1_024

/** A process of an attack. */
export class Child {
  readonly #process: ChildProcess
  #expectsEnd = false
  #ended: string | undefined

  /** Starts a file that is named from this one. Its output goes to `stdout`, its errors to ours. `honest` processes are measured and bounded. */
  constructor(
    file: string,
    args: readonly string[],
    honest: boolean,
    onMessage: (message: object) => void = () => {},
  ) {
    const program = fileURLToPath(new URL(file, import.meta.url))
    const measured = honest ? ['--import', probe] : []
    const node = [execPath, ...measured, '--conditions=@peerplane/source', program, ...args]
    // The shell becomes Node.
    const script = honest ? `ulimit -n ${HANDLES}; exec "$@"` : 'exec "$@"'
    this.#process = spawn('sh', ['-c', script, 'sh', ...node], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#process.stderr!.on('data', (bytes: Buffer) => process.stderr.write(bytes))
    this.#process.on('message', (message) => onMessage(message as object))
    this.#process.on('exit', (code, signal) => {
      if (!this.#expectsEnd) this.#ended = `ended unexpectedly (${signal ?? code})`
    })
  }

  /** The end that nobody asked for. */
  get ended(): string | undefined {
    return this.#ended
  }

  get stdout(): NodeJS.ReadableStream {
    return this.#process.stdout!
  }

  /** Its errors, which also go to ours. */
  get stderr(): NodeJS.ReadableStream {
    return this.#process.stderr!
  }

  send(message: object | string): void {
    if (this.#process.connected) this.#process.send(message)
  }

  /** The next message that has `key`; rejects when the process ends, or after `patienceMs`. */
  next<Answer>(key: string, patienceMs: number): Promise<Answer> {
    const process = this.#process
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        process.off('message', heard).off('exit', gone)
        end()
      }
      const heard = (message: object): void => {
        if (key in message) settle(() => resolve((message as Record<string, Answer>)[key]!))
      }
      const gone = (): void => settle(() => reject(new Error(`the process ended before "${key}"`)))
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no "${key}" within ${patienceMs} ms`))),
        patienceMs,
      )
      process.on('message', heard).on('exit', gone)
      if (process.exitCode !== null || process.signalCode !== null) gone()
    })
  }

  /** What the process needed since the last call. A process that does not answer is blocked for so long. */
  async needs(patienceMs = 100_000): Promise<Needs> {
    const answer = this.next<Needs>('needs', patienceMs)
    this.send('needs')
    return answer
  }

  /** Ends the process: in order if it does so within a second. */
  async end(): Promise<void> {
    this.#expectsEnd = true
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const hard = setTimeout(() => this.#process.kill('SIGKILL'), 1_000)
    await exit
    clearTimeout(hard)
  }
}
