import type { Write } from '@peerplane/core'

import { foundingWrites, type Membership, type OpenedMembership } from './membership.ts'
import type { Ports } from '../ports.ts'

/**
 * How a space comes to exist: with the first commit or invitation, not before. Until then nothing of it is stored, and no network knows
 * of it.
 */
export interface Founding {
  /** Whether the space exists: its founding was stored, now or by an earlier opening. */
  done(): boolean
  /** What has to be stored in one piece with the next commit; nothing once the space exists. */
  writes(): readonly Write[]
  /** A commit with these writes was stored. */
  stored(): void
  /** Makes the space exist without a commit. */
  found(): Promise<void>
  /** The membership as it is now. */
  membership(): Membership
  /** Remembers, before an invitation leaves, that others may become members. */
  share(): Promise<void>
}

/** The founding of the space that was opened; `founded` is called once, when the space has come to exist after that. */
export function createFounding(
  ports: Pick<Ports, 'store' | 'keyWrites' | 'trace'>,
  opened: OpenedMembership,
  founded: () => void,
): Founding {
  let { membership, isStored } = opened

  const stored = (): void => {
    if (isStored) return
    isStored = true
    const { space, device } = membership
    ports.trace?.('space.founded', { space: space.record.id, device })
    founded()
  }
  const store = async (next: Membership): Promise<void> => {
    await ports.store.write(foundingWrites(ports, next), 'synced')
    membership = next
    stored()
  }
  return {
    done: () => isStored,
    writes: () => (isStored ? [] : foundingWrites(ports, membership)),
    stored,
    found: async () => {
      if (!isStored) await store(membership)
    },
    membership: () => membership,
    share: async () => {
      if (!isStored || !membership.shared) await store({ ...membership, shared: true })
    },
  }
}
