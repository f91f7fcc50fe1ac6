import {
  encodeCanonical,
  asPeerplaneError,
  codeOf,
  limits,
  PeerplaneError,
  type Channel,
  type Identity,
  type Link,
  type Network,
  type NetworkHandler,
  type SessionId,
  type Tip,
  type Trace,
  type Value,
} from '@peerplane/core'

import type { TestDevice } from './device.ts'
import { BrokenFrame, formOf, readFrame, type Heard } from './heard.ts'
import { list, want, type Range } from './messages.ts'
import { authenticator, networkTo, type Authenticate } from './network.ts'
import type { Tester } from './tester.ts'

/** How long an answer may take that should come at once: this machine or the peer may be busy. */
const ANSWER_MS = 8_000

/** A connection may take as long as the handshake. */
const OPEN_MS = limits.handshakeMs + 1_000
const ATTEMPTS = 3

/** A device with one link to the peer, which hears everything and answers nothing. */
export class Probe {
  readonly device: TestDevice
  readonly heard: { readonly at: number; readonly message: Heard }[] = []
  /** Announcements that were gossiped. */
  readonly announced: Uint8Array[] = []
  readonly #tester: Tester
  readonly #network: Network
  readonly #asked = new Map<SessionId, Range>()
  readonly #waiters = new Set<() => void>()
  #link: Link | undefined
  #failure: Error | undefined
  #ended = false
  /** Frames are taken when it resolves. */
  #gate: Promise<void> = Promise.resolve()
  #taking: Promise<void> = Promise.resolve()
  #saidBye = false

  private constructor(tester: Tester, device: TestDevice, network: Network) {
    this.#tester = tester
    this.device = device
    this.#network = network
  }

  /** Connects to the peer and waits for the link, more than once if need be. Rejects with the code of the last failure. */
  static async open(tester: Tester, device: TestDevice): Promise<Probe> {
    const prove = await authenticator(tester, device)
    for (let left = ATTEMPTS - 1; ; left--) {
      try {
        return await Probe.#attempt(tester, device, prove)
      } catch (error) {
        // A busy machine may need too long for a handshake.
        const passes = ['unreachable', 'handshake-failed', 'timeout'].includes(codeOf(error))
        if (left === 0 || !passes || tester.signal.aborted) throw error
      }
    }
  }

  static async #attempt(tester: Tester, device: TestDevice, prove: Authenticate): Promise<Probe> {
    const trace: Trace = (name) => {
      if (name === 'address.unreachable') probe.#end()
    }
    const network = await networkTo(tester, trace)
    const probe = new Probe(tester, device, network)
    tester.opened.add(probe)
    await network.start(probe.#handler(prove))
    await probe.#until(() => probe.#link !== undefined || probe.#ended, OPEN_MS)
    if (probe.#link) return probe
    const reason = network.status().lastError ?? `${tester.address} does not answer`
    await probe.close()
    throw probe.#failure ?? new PeerplaneError('unreachable', reason)
  }

  get isOpen(): boolean {
    return !this.#ended
  }

  /** The device of the peer. */
  get identity(): Identity {
    return this.#link!.identity
  }

  /** Network id of the peer. */
  get peer(): string {
    return this.#link!.peer
  }

  async close(): Promise<void> {
    this.#end()
    await this.#network.stop()
  }

  /** Sends one message; resolves when the link takes more. */
  send(value: Value): Promise<void> {
    return this.sendBytes(encodeCanonical(value))
  }

  async sendBytes(frame: Uint8Array): Promise<void> {
    await this.#link?.send(frame)
  }

  /** Asks for commits. */
  async want(...ranges: readonly Range[]): Promise<void> {
    for (const range of ranges) this.#asked.set(range.session, range)
    await this.send(want(...ranges))
  }

  /** Sends a message and waits for what answers it; `undefined` if that does not come in time, or the link ends before. */
  async ask<T>(
    value: Value,
    match: (message: Heard) => T | undefined,
    withinMs = ANSWER_MS,
  ): Promise<T | undefined> {
    const since = this.heard.length
    await this.send(value)
    return this.wait(match, withinMs, since)
  }

  /** The first message from place `since` on that matches. */
  async wait<T>(
    match: (message: Heard) => T | undefined,
    withinMs = ANSWER_MS,
    since = 0,
  ): Promise<T | undefined> {
    let at = since
    let found: T | undefined
    const look = (): boolean => {
      for (; at < this.heard.length && found === undefined; at++)
        found = match(this.heard[at]!.message)
      return found !== undefined || this.#ended
    }
    await this.#until(look, withinMs)
    return found
  }

  /**
   * How far the peer has delivered a session; `undefined` if not at all. The peer works off the frames of a link in turn, so this says what has
   * come of everything that was sent before.
   */
  async tipOf(session: SessionId): Promise<Tip | undefined> {
    const page = await this.ask(list(session, 0), (message) =>
      message.kind === 'page' && message.path === session ? message : undefined,
    )
    this.#tester.verdicts.must('R-LIST-1', page !== undefined, this.missing('the page of a list'))
    return page?.tips.find((tip) => tip.session === session)
  }

  /** Waits until the link has ended. */
  async ends(withinMs = ANSWER_MS): Promise<boolean> {
    await this.#until(() => this.#ended, withinMs)
    return this.#ended
  }

  /** Waits for an announcement. */
  async announces(withinMs: number): Promise<boolean> {
    await this.#until(() => this.announced.length > 0 || this.#ended, withinMs)
    return this.announced.length > 0
  }

  /** Takes no frame until the returned function is called. */
  hold(): () => void {
    let release = (): void => undefined
    this.#gate = new Promise((resolve) => (release = resolve))
    return release
  }

  /** What to say of an answer that has not come. */
  missing(what: string): string {
    if (!this.#ended) return `${what} did not come`
    const { lastError } = this.#network.status()
    return `the link ended before ${what} came${lastError === undefined ? '' : ` (${lastError})`}`
  }

  #handler(prove: Authenticate): NetworkHandler {
    return {
      authenticate: async (channel: Channel) => {
        try {
          return await prove(channel)
        } catch (error) {
          this.#failure ??= asPeerplaneError(error, 'handshake-failed')
          this.#end()
          throw error
        }
      },
      connected: (link) => {
        if (this.#link) link.close('one link is enough')
        else this.#link = link
        this.#notify()
      },
      frame: async (link, frame) => {
        if (link !== this.#link) return
        this.#taking = this.#gate.then(() => this.#take(frame))
        await this.#taking
      },
      disconnected: (link) => {
        // What came before is heard before.
        if (link === this.#link) void this.#taking.then(() => this.#end())
      },
      announcement: (payload) => {
        this.announced.push(payload)
        this.#notify()
        return true
      },
    }
  }

  async #take(frame: Uint8Array): Promise<void> {
    const { verdicts, clock } = this.#tester
    const at = clock.now()
    try {
      const message = readFrame(frame)
      verdicts.kept('R-FORM-2', 'R-MESSAGE-1', formOf[message.kind])
      if (this.#saidBye) throw new BrokenFrame('R-BYE-1', `a ${message.kind} came after the bye`)
      if (message.kind === 'bye') this.#saidBye = true
      if (message.kind === 'runs') for (const run of message.runs) await this.#takeRun(run)
      this.heard.push({ at, message })
      this.#notify()
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error
      verdicts.broke(error.rule, error.message)
    }
  }

  async #takeRun(run: Extract<Heard, { kind: 'runs' }>['runs'][number]): Promise<void> {
    const { ledger, verdicts } = this.#tester
    const asked = this.#asked.get(run.session)
    const batches = await ledger.take(run)
    const author = ledger.authorOf(run.session)
    if (!asked && author !== undefined && author !== this.identity.device)
      throw new BrokenFrame('R-RUN-6', 'a run was not asked for, and its author is another device')
    const end = batches[0] ? run.from + batches[0].commits.length - 1 : run.from
    if (asked && (run.from > asked.to || end < asked.from))
      throw new BrokenFrame(
        'R-WANT-1',
        `commits ${asked.from} to ${asked.to} were asked for, and a run begins at ${run.from}`,
      )
    verdicts.kept('R-RUN-6', 'R-RUN-1', 'R-RUN-2', 'R-BATCH-2', 'R-BATCH-5')
    if (run.opening)
      verdicts.kept('R-FORM-7', 'R-RUN-7', 'R-OPENING-1', 'R-OPENING-4', 'R-MEMBER-1')
    if (run.fork) verdicts.kept('R-FORK-2', 'R-FORK-4')
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#notify()
    // Otherwise it would call again.
    void this.#network.stop()
  }

  #notify(): void {
    for (const waiter of this.#waiters) waiter()
  }

  /** Resolves when `holds`, or after some time; rejects when the time of all checks is over. */
  #until(holds: () => boolean, withinMs: number): Promise<void> {
    const { signal, scheduler } = this.#tester
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        cancel()
        signal.removeEventListener('abort', aborted)
        this.#waiters.delete(look)
        end()
      }
      const look = (): void => {
        if (holds()) settle(resolve)
      }
      const aborted = (): void => settle(() => reject(signal.reason as Error))
      const cancel = scheduler.after(withinMs, () => settle(resolve))
      this.#waiters.add(look)
      signal.addEventListener('abort', aborted)
      if (signal.aborted) aborted()
      else look()
    })
  }
}
