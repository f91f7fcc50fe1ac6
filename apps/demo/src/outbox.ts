import type { ChangeSet } from '@codemirror/state'
import { PeerplaneError, Rejected } from '@peerplane/browser'

import type { Splice } from './entities.ts'
import {
  bind,
  confirmed,
  dropped,
  rebound,
  received,
  refused,
  send,
  typed,
  type Binding,
  type SharedText,
  type BindingUpdate,
} from './text-binding.ts'

/** Keystrokes wait this long for each other, in milliseconds: one commit holds them all. */
const GATHER_MS = 25
const RETRY_MS = 1_000
/** The page says so when storing an edit takes longer than this. */
const PATIENCE_MS = 2_000
/** Characters changed by one edit: its commit is far smaller than a commit may be. */
const MOST = 40_000

/** How what was typed here is stored. */
export interface Saving {
  /** `stored`, `soon`: it is on its way; `late`: it takes long, or is tried again. */
  readonly state: 'stored' | 'soon' | 'late'
  /** Why it is late, if that is known. */
  readonly reason: string | undefined
  /** What can never be stored as it is. */
  readonly refused: Refused | undefined
}

/** Text that was taken out of the editor because it cannot be stored, and why. */
export interface Refused {
  readonly text: string
  readonly reason: string
}

/** An edit that was made; without a commit if it changed nothing. */
interface Made {
  readonly commit: unknown
}

/** What an outbox works with. */
export interface OutboxPorts {
  readonly edit: (
    splices: readonly Splice[],
    how: { readonly at: string; readonly operationId: string },
  ) => Promise<Made>
  /** What has become of an edit: it was made, or it never will be. */
  readonly outcome: (operationId: string) => Promise<Made | undefined>
  /** Applies changes to what the editor shows. */
  readonly show: (changes: ChangeSet) => void
  /** What the editor shows. */
  readonly shown: () => string
  readonly after: (ms: number, task: () => void) => () => void
  readonly newId: () => string
  readonly changed: (saving: Saving) => void
}

/** An edit on its way. */
interface Sending {
  /** Names the version that its positions refer to. */
  readonly at: string
  readonly operationId: string
}

/** What an outbox has not stored, for a page that goes away. */
export interface Left {
  readonly binding: Binding
  readonly sending: Sending | undefined
  readonly refused: Refused | undefined
}

/**
 * Sends what is typed into a shared text until it is stored: in pieces, one after the other, and again after a failure that can pass. What
 * can never be stored is taken out and shown, and holds nothing back that is typed later.
 */
export class Outbox {
  readonly #ports: OutboxPorts
  #binding: Binding
  #sending: Sending | undefined
  #refused: Refused | undefined
  #reason: string | undefined
  #isLate = false
  #cancelTimer: (() => void) | undefined
  #cancelPatience: (() => void) | undefined

  constructor(shared: SharedText, ports: OutboxPorts) {
    this.#ports = ports
    this.#binding = bind(shared)
  }

  /** Goes on with what a page before has left. */
  static from({ binding, sending, refused: lost }: Left, ports: OutboxPorts): Outbox {
    const outbox = new Outbox(binding.shared, ports)
    outbox.#binding = binding
    outbox.#refused = lost
    if (sending) outbox.#clarify(sending)
    else outbox.#sendAfter(0)
    outbox.#tell()
    return outbox
  }

  /** What is not stored, or refused; `undefined` if there is nothing of it. */
  left(): Left | undefined {
    if (this.#isStored && !this.#refused) return undefined
    return { binding: this.#binding, sending: this.#sending, refused: this.#refused }
  }

  /** The user typed. */
  typed(changes: ChangeSet): void {
    this.#binding = typed(this.#binding, changes)
    this.#sendAfter(GATHER_MS)
    this.#tell()
  }

  /** The shared text changed. */
  received(shared: SharedText): void {
    this.#take((before) => received(before, shared))
    // An edit that was made before it was shown has held back what was typed since.
    if (!this.#binding.unsent.empty && !this.#cancelTimer) this.#sendAfter(0)
    this.#tell()
  }

  /** Sends what was typed now. */
  send(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const out = send(this.#binding, MOST)
    if (!out) return
    this.#binding = out.binding
    const sending = { at: out.at, operationId: this.#ports.newId() }
    this.#sending = sending
    this.#ports.edit(out.splices, sending).then(
      (made) => this.#made(made),
      (error: unknown) => this.#failed(sending, error),
    )
  }

  /** The person has seen what was refused. */
  dismiss(): void {
    this.#refused = undefined
    this.#tell()
  }

  get #isStored(): boolean {
    return !this.#binding.sent && this.#binding.unsent.empty
  }

  #made({ commit }: Made): void {
    this.#settle((before) => confirmed(before, commit !== undefined))
    this.#reason = undefined
    if (!this.#binding.unsent.empty) this.#sendAfter(0)
    this.#tell()
  }

  /** Finds out whether an edit was made whose answer did not come. */
  #clarify(sending: Sending): void {
    this.#sending = sending
    this.#ports.outcome(sending.operationId).then(
      (made) => {
        if (made) return this.#made(made)
        this.#settle(refused)
        this.#sendAfter(0)
      },
      (error: unknown) => {
        if (!(error instanceof PeerplaneError && error.retry)) return this.#drop(error)
        this.#reason = reasonOf(error)
        this.#ports.after(RETRY_MS, () => this.#clarify(sending))
        this.#tell()
      },
    )
  }

  #failed(sending: Sending, error: unknown): void {
    const known = error instanceof PeerplaneError ? error : undefined
    if (known?.code === 'unknown') {
      this.#reason = reasonOf(error)
      this.#clarify(sending)
    } else if (known?.retry) {
      this.#reason = reasonOf(error)
      this.#settle(refused)
      this.#sendAfter(RETRY_MS)
    } else if (this.#binding.waiting && this.#binding.waiting.version !== sending.at) {
      // Perhaps it only did not fit to a text that is no longer there.
      this.#settle(refused)
      this.#sendAfter(0)
    } else return this.#drop(error)
    this.#tell()
  }

  /** The edit on its way can never be made. */
  #drop(error: unknown): void {
    this.#settle((before) => {
      const { lost, ...step } = dropped(before)
      const text = (this.#refused?.text ?? '') + lost
      this.#refused = { text, reason: reasonOf(error) }
      return step
    })
    this.#sendAfter(0)
    this.#tell()
  }

  #settle(step: (before: Binding) => BindingUpdate): void {
    this.#sending = undefined
    this.#take(step)
  }

  /** A step that fails must not end the sending: what the editor shows is kept, and sent. */
  #take(step: (before: Binding) => BindingUpdate): void {
    try {
      this.#apply(step(this.#binding))
    } catch (error) {
      this.#reason = String(error)
      this.#apply(rebound(this.#binding, this.#ports.shown()))
    }
  }

  #apply({ binding, changes }: BindingUpdate): void {
    if (changes) this.#ports.show(changes)
    this.#binding = binding
  }

  #sendAfter(ms: number): void {
    this.#cancelTimer ??= this.#ports.after(ms, () => this.send())
  }

  #tell(): void {
    if (this.#isStored) {
      this.#cancelPatience?.()
      this.#cancelPatience = undefined
      this.#isLate = false
      this.#reason = undefined
    } else {
      this.#cancelPatience ??= this.#ports.after(PATIENCE_MS, () => {
        this.#isLate = true
        this.#tell()
      })
    }
    const late = this.#isLate || this.#reason !== undefined
    const state = this.#isStored ? 'stored' : late ? 'late' : 'soon'
    this.#ports.changed({ state, reason: this.#reason, refused: this.#refused })
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Rejected) return error.reason
  return error instanceof Error ? error.message : String(error)
}
