import { systemRandom, systemScheduler } from '@peerplane/runtime'

import { broadcastChannel, webLocks } from '../adapters/tab-environment.ts'
import type { PageEvents, TabEnvironment } from './environment.ts'

/** A tab with the locks and channels of the platform, which can die as tabs do: without running another line. */
export interface Tab {
  readonly env: TabEnvironment
  readonly page: PageEvents
  /** Scheduled and not yet due. */
  readonly tasks: { readonly at: number; readonly task: () => void }[]
  /** Lets time pass for the timers of this tab. */
  pass(ms: number): void
  alive(): boolean
  /** Ends everything silently. */
  kill(): void
}

/** A tab whose page is shown. */
export function createTab(): Tab {
  const death = new AbortController()
  const dead = new Promise<void>((resolve) => {
    death.signal.addEventListener('abort', () => resolve())
  })
  const locks = webLocks()
  const closers = new Set<() => void>()
  const tab: Tab = {
    page: { leaving: () => {}, hidden: () => {}, shown: () => {} },
    tasks: [],
    alive: () => !death.signal.aborted,
    pass: (ms) => {
      const due = tab.tasks.filter(({ at }) => at <= ms)
      for (const each of due) {
        tab.tasks.splice(tab.tasks.indexOf(each), 1)
        each.task()
      }
    },
    kill: () => {
      death.abort()
      for (const close of closers) close()
    },
    env: {
      random: systemRandom,
      locks: {
        hold: (name, signal, whileHeld) =>
          locks.hold(name, AbortSignal.any([signal, death.signal]), (lost) =>
            Promise.race([whileHeld(lost), dead]),
          ),
        steal: (name, whileHeld) =>
          locks.steal(name, (lost) => Promise.race([whileHeld(lost), dead])),
      },
      scheduler: {
        after: (ms, task) => {
          // Short ones run in real time, so that hello is repeated.
          if (ms <= 5_000) {
            return systemScheduler.after(ms / 20, () => {
              if (tab.alive()) task()
            })
          }
          const scheduled = { at: ms, task }
          tab.tasks.push(scheduled)
          return () => {
            const index = tab.tasks.indexOf(scheduled)
            if (index >= 0) tab.tasks.splice(index, 1)
          }
        },
      },
      channel: (name, receive) => {
        const channel = broadcastChannel(name, receive)
        closers.add(channel.close)
        return {
          post: (message) => {
            if (tab.alive()) channel.post(message)
          },
          close: channel.close,
        }
      },
      watchPage: (events) => {
        Object.assign(tab.page, events)
        return () => {}
      },
    },
  }
  return tab
}
