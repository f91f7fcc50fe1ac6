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

function watchPage({ hidden, shown }: PageEvents): () => void {
  const onShow = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) shown()
  }
  addEventListener('pagehide', hidden)
  addEventListener('pageshow', onShow)
  return () => {
    removeEventListener('pagehide', hidden)
    removeEventListener('pageshow', onShow)
  }
}
