import { systemRandom, systemScheduler } from '@peerplane/runtime'

import type { Locks, PageEvents, TabChannel, TabEnvironment } from '../tabs/environment.ts'

/** The tabs of this browser profile. */
export const browserTabs: TabEnvironment = {
  locks: webLocks(),
  random: systemRandom,
  scheduler: systemScheduler,
  channel: broadcastChannel,
  watchPage,
}

/** Web Locks. They are never stolen: a tab that still writes would not notice. */
export function webLocks(): Locks {
  return {
    hold: async (name, signal, whileHeld) => {
      let held = false
      try {
        await navigator.locks.request(name, { signal }, () => {
          held = true
          return whileHeld()
        })
      } catch (error) {
        if (held || !signal.aborted) throw error
      }
    },
  }
}

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
