import type { EntityKey, Write } from '@peerplane/core'

import type { FoldedFrontier } from './folded-frontier.ts'
import type { CapturedEntity } from './lifecycle.ts'
import type { Tally } from './tally.ts'

/** The states of one moment, as writes; and what to do when they are stored, or not. */
export interface Capture {
  readonly writes: readonly Write[]
  stored(): void
  failed(): void
}

/** Where a capture takes the states from. */
export interface CaptureSource {
  readonly folded: FoldedFrontier
  readonly tally: Tally
  readonly capture: (key: EntityKey) => CapturedEntity
}

/**
 * Captures the changed entities and how far they contain the log. All of it is taken at one moment, so the rows hold exactly the commits up
 * to the frontier that is stored with them.
 */
export function capture(source: CaptureSource, keys: ReadonlySet<EntityKey>): Capture {
  const frontier = source.folded.capture()
  const entities = [...keys].map((key) => source.capture(key))
  const more = entities.reduce((sum, each) => sum + each.more, 0)
  const absent = entities.reduce((sum, each) => sum + each.absent, 0)
  const tally = source.tally.capture({ more, absent }, frontier.sessions)
  return {
    writes: [...entities.flatMap(({ writes }) => writes), ...frontier.writes, tally.write],
    stored: () => {
      frontier.stored()
      tally.stored()
      for (const { stored } of entities) stored()
    },
    failed: () => frontier.failed(),
  }
}
