import type { RemoteBackend } from '@peerplane/runtime/contract'

/** Starts a watch and returns what ends it. */
type StartWatch = (backend: RemoteBackend) => () => void

interface SteadyWatch {
  readonly start: StartWatch
  stop: (() => void) | undefined
}

/** Watches that outlive the backend they were started on; there is none at first. */
export class SteadyWatches {
  readonly #watches = new Set<SteadyWatch>()
  readonly #failed: (error: unknown) => void
  #backend: RemoteBackend | undefined

  /** `failed` is called when a watch cannot be started on a later backend. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Starts a watch on the current backend and on every later one. Throws what starting it throws. */
  add(start: StartWatch): () => void {
    const watch: SteadyWatch = { start, stop: undefined }
    this.#watches.add(watch)
    try {
      if (this.#backend) this.#start(watch, this.#backend)
    } catch (error) {
      this.#watches.delete(watch)
      throw error
    }
    return () => {
      this.#watches.delete(watch)
      watch.stop?.()
      watch.stop = undefined
    }
  }

  /** Ends all watches on the backend before, and starts them on `backend`, if there is one. */
  attach(backend: RemoteBackend | undefined): void {
    this.#backend = undefined
    for (const watch of this.#watches) {
      watch.stop?.()
      watch.stop = undefined
    }
    if (!backend) return
    this.#backend = backend
    for (const watch of this.#watches) {
      // What a watch has shown may have ended all of them.
      if (this.#backend !== backend) return
      try {
        this.#start(watch, backend)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #start(watch: SteadyWatch, backend: RemoteBackend): void {
    const stop = watch.start(backend)
    // What it has shown may have ended it, or started it on another backend.
    if (this.#backend === backend && this.#watches.has(watch)) watch.stop = stop
    else stop()
  }
}
