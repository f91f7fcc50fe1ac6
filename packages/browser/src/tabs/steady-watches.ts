import type { RemoteBackend } from '@peerplane/runtime/contract'

/** Watches that outlive the backend they were started on. */
export interface SteadyWatches {
  /** Starts a watch on the current backend and on every later one. Throws what starting it throws. */
  add(start: StartWatch): () => void
  attach(backend: RemoteBackend): void
  detach(): void
}

/** Starts a watch and returns what ends it. */
type StartWatch = (backend: RemoteBackend) => () => void

/** No backend at first. `failed` is called when a watch cannot be started on a later one. */
export function createSteadyWatches(failed: (error: unknown) => void): SteadyWatches {
  const watches = new Map<symbol, { readonly start: StartWatch; stop: (() => void) | undefined }>()
  let current: RemoteBackend | undefined

  const detach = (): void => {
    current = undefined
    for (const watch of watches.values()) {
      watch.stop?.()
      watch.stop = undefined
    }
  }
  return {
    add: (start) => {
      const key = Symbol('watch')
      watches.set(key, { start, stop: current && start(current) })
      return () => {
        watches.get(key)?.stop?.()
        watches.delete(key)
      }
    },
    attach: (backend) => {
      detach()
      current = backend
      for (const watch of watches.values()) {
        // What a watch has shown may have ended all of them.
        if (current !== backend) return
        try {
          watch.stop = watch.start(backend)
        } catch (error) {
          failed(error)
        }
      }
    },
    detach,
  }
}
