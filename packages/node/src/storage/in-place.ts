import { statSync } from 'node:fs'

import { PeerplaneError } from '@peerplane/core'

/**
 * Notices that the files of an open database are no longer those that its path names: they were deleted, moved or replaced. SQLite goes on
 * writing to what it has open, and the next process that opens the path does not find it. A check costs about 3 microseconds.
 */
export class InPlace {
  readonly #path: string
  /** What each path named when it was first looked at; the log may come later. */
  readonly #seen = new Map<string, string>()

  constructor(path: string) {
    this.#path = path
    this.loss()
  }

  /** `storage-lost` when a file is gone. */
  loss(): PeerplaneError | undefined {
    for (const path of [this.#path, `${this.#path}-wal`]) {
      const before = this.#seen.get(path)
      const now = identityOf(path)
      if (before === undefined && now !== undefined) this.#seen.set(path, now)
      if (before === undefined || before === now) continue
      return new PeerplaneError(
        'storage-lost',
        `${path} was ${now === undefined ? 'deleted or moved' : 'replaced'} while it was open, and nothing more is stored`,
        {
          advice:
            'Stop this process; put the file back where it was, or open the space with a new invitation.',
        },
      )
    }
    return undefined
  }
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats && `${stats.dev}:${stats.ino}`
}
