import type { PeerplaneError } from '@peerplane/core'

import type { PlaneStatus, Problem } from '../contract/status.ts'
import type { Ports } from '../ports.ts'

/** Milliseconds between two calls of status listeners, at least. */
const TELL_EVERY_MS = 200

/** Collects what happens and tells it, coalesced. */
export interface StatusTeller {
  /** From now on `read` gives the status. */
  start(read: () => PlaneStatus): void
  stop(): void
  /** Something the status shows has changed. */
  changed(): void
  /** Remembers a failure that no call can report. */
  fail(error: PeerplaneError): void
  /** Something was stored: this ends a failure of the storage. */
  storageWorks(): void
  storageFails(): boolean
  lastError(): Problem | undefined
  /** The status at this moment; after the end, the last one. */
  now(): PlaneStatus | undefined
  readonly watch: (listener: (status: PlaneStatus) => void) => () => void
}

const isOfStorage = (code: string): boolean => code.startsWith('store-') || code === 'storage-lost'

/** A teller that uses the scheduler of the device. */
export function createStatus({
  scheduler,
  trace,
}: Pick<Ports, 'scheduler' | 'trace'>): StatusTeller {
  const listeners = new Set<(status: PlaneStatus) => void>()
  let read: (() => PlaneStatus) | undefined
  let cancel: (() => void) | undefined
  let lastError: Problem | undefined
  let failing = false
  let last: PlaneStatus | undefined

  const tell = (): void => {
    cancel = undefined
    if (!read) return
    const status = read()
    for (const listener of listeners) listener(status)
  }
  const changed = (): void => {
    if (read && listeners.size > 0) cancel ??= scheduler.after(TELL_EVERY_MS, tell)
  }
  return {
    start: (reader) => {
      read = reader
      tell()
    },
    stop: () => {
      cancel?.()
      last = read?.()
      read = undefined
      listeners.clear()
    },
    changed,
    fail: ({ code, message }) => {
      lastError = { code, message }
      if (!isOfStorage(code)) trace?.('plane.failed', { code, reason: message })
      else {
        if (!failing) trace?.('storage.failed', { code, reason: message })
        failing = true
      }
      changed()
    },
    storageWorks: () => {
      if (!failing) return
      failing = false
      trace?.('storage.works', {})
      if (lastError && isOfStorage(lastError.code)) lastError = undefined
      changed()
    },
    storageFails: () => failing,
    lastError: () => lastError,
    now: () => read?.() ?? last,
    watch: (listener) => {
      listeners.add(listener)
      if (read) listener(read())
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
