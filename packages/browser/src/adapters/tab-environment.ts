import { systemRandom, systemScheduler } from '@peerplane/runtime'

import type {
  Locks,
  PageEvents,
  TabChannel,
  TabEnvironment,
  WhileHeld,
} from '../tabs/environment.ts'

/** The tabs of this browser profile. */
export const browserTabs: TabEnvironment = {
  locks: webLocks(),
  random: systemRandom,
  scheduler: systemScheduler,
  channel: broadcastChannel,
  watchPage,
}

/** Web Locks. */
export function webLocks(): Locks {
  return {
    hold: async (name, signal, whileHeld) => {
      try {
        await request(name, { signal }, whileHeld)
      } catch (error) {
        if (!isAbort(error) || !signal.aborted) throw error
      }
    },
    steal: (name, whileHeld) => request(name, { steal: true }, whileHeld),
  }
}

/** The browser rejects at once when the lock is stolen; this still settles as `whileHeld` does. */
async function request(name: string, options: LockOptions, whileHeld: WhileHeld): Promise<void> {
  const lost = new AbortController()
  let work: Promise<void> | undefined
  try {
    await navigator.locks.request(name, options, () => (work = whileHeld(lost.signal)))
  } catch (error) {
    if (!work) throw error
    lost.abort()
    await work
  }
}

const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'AbortError'

/** A channel to all tabs of this origin. */
export function broadcastChannel(name: string, receive: (message: unknown) => void): TabChannel {
  const channel = new BroadcastChannel(name)
  channel.onmessage = ({ data }: MessageEvent<unknown>) => receive(data)
  return {
    post: (message) => channel.postMessage(message),
    close: () => {
      channel.onmessage = null
      channel.close()
    },
  }
}

/**
 * The application may call commands in its own listeners of `pagehide` and of what follows. So a page that will not come back is left to
 * work until it ends, with everything that it holds; one that is kept leaves when it is frozen, or with the next task if that comes first.
 */
function watchPage({ leaving, hidden, shown }: PageEvents): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const onFreeze = (): void => {
    if (timer === undefined) return
    cancel()
    hidden()
  }
  const cancel = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  const onHide = ({ persisted }: PageTransitionEvent): void => {
    leaving()
    if (persisted) timer ??= setTimeout(onFreeze)
  }
  const onShow = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return
    // It was not even frozen.
    if (timer === undefined) shown()
    cancel()
  }
  addEventListener('pagehide', onHide, { capture: true })
  addEventListener('pageshow', onShow)
  document.addEventListener('freeze', onFreeze)
  return () => {
    removeEventListener('pagehide', onHide, { capture: true })
    document.removeEventListener('freeze', onFreeze)
    cancel()
    removeEventListener('pageshow', onShow)
  }
}
