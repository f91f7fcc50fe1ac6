import type * as core from '@peerplane/core'
import type * as runtime from '@peerplane/runtime'

/** One build of Peerplane: the modules that were loaded from this build. */
export interface Build {
  readonly core: Pick<typeof core, 'counter' | 'entity' | 'map' | 'record' | 'register' | 'set'>
  readonly runtime: Pick<typeof runtime, 'openRuntime'>
}

/** Where the next build puts what the older one does not understand: critical keys in some records, and another op. */
export const novelties = ['admission', 'opening', 'header', 'section', 'op', 'message'] as const

/** In some runs, the next build also writes openings of another version. Then devices with the older build lack commits until the update. */
export const NEW_VERSION = 'version'

/** What the next build tells the run about its records. A run puts it into `globalThis.nextBuild`. */
export interface NextBuild {
  /** What it does in this run. */
  readonly does: ReadonlySet<string>
  /** A section was written that has no effect on a device with this build. */
  hidden(entity: string, body: Uint8Array): void
  /** A section with an ignorable key was folded, and the value of the key is what its author wrote. */
  kept(entity: string, body: Uint8Array): void
  /** A message of a kind that this build does not know was sent. */
  said(): void
}
