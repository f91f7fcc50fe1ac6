import type { Random, Scheduler, Trace } from '@peerplane/core'

/** What is done under a lock. `lost` aborts some time after another tab has stolen it. */
export type WhileHeld = (lost: AbortSignal) => Promise<void>

/** Locks that all tabs of a browser profile share. */
export interface Locks {
  /**
   * Waits for `name`, then holds it until the promise of `whileHeld` settles, this tab dies, or another one steals it: then `lost`
   * aborts. Settles as the promise of `whileHeld` does; resolves without having called it when `signal` aborts before its turn.
   */
  hold(name: string, signal: AbortSignal, whileHeld: WhileHeld): Promise<void>
  /** Takes `name` from its holder, ahead of all that wait for it; then as {@link Locks.hold}. */
  steal(name: string, whileHeld: WhileHeld): Promise<void>
}

/** One end of a channel that all tabs of a profile can open. */
export interface TabChannel {
  /** Sends a structured clone to all other ends, in order. Throws for what cannot be cloned. */
  post(message: unknown): void
  close(): void
}

/** What happens to the page of a tab. */
export interface PageEvents {
  /** The page is about to be put away, for good or to come back later; nobody else has heard of it. */
  readonly leaving: () => void
  /** The page is put away as it is, and may come back; the application has heard of it. */
  readonly hidden: () => void
  /** A page that was put away has come back as it was. */
  readonly shown: () => void
}

/** What tabs need of a browser. */
export interface TabEnvironment {
  readonly locks: Locks
  readonly random: Random
  readonly scheduler: Scheduler
  readonly trace?: Trace | undefined
  channel(name: string, receive: (message: unknown) => void): TabChannel
  /** The returned function ends it. */
  watchPage(events: PageEvents): () => void
}
