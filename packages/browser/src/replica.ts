import { PeerplaneError, Services } from '@peerplane/core'
import { checkInvitation, openRuntime, signingKeyOf } from '@peerplane/runtime'
import type { LocalBackend, NetworkFactory, Remembered, systemPlatform } from '@peerplane/runtime'

import { createBrowserNetwork } from './libp2p.ts'
import type { OpenOptions } from './options.ts'
import { databaseOf } from './spaces.ts'
import { openIndexedDbStore } from './storage/indexeddb.ts'
import type { Leadership } from './tabs/leader-side.ts'
import type { Lead } from './tabs/stay.ts'
import { gone } from './tabs/tabs.ts'

type Platform = ReturnType<typeof systemPlatform>

/** What a tab remembers of its device from one opening to the next. */
interface Memory {
  /** The invitation that the next opening takes. */
  join: string | undefined
  pair?: CryptoKeyPair
  /** The last term of this tab. */
  term: number
  remembered?: Remembered | undefined
}

/** Opens the replica of this tab each time the tab leads, and again when its storage is lost or an invitation replaces a new space. */
export function createReplica(options: OpenOptions, platform: Platform): Lead {
  const memory: Memory = { join: options.join, term: 0 }
  return async (before, taken) => {
    const online = before.online ?? options.online
    const open = (): Promise<Leadership> =>
      openReplica({ ...options, online }, before.undone, taken, platform, memory)
    try {
      return await open()
    } catch (error) {
      // The invitation of another tab, which gets the error when it asks again: meanwhile something was written here.
      const isForeign = memory.join !== options.join
      if (!isForeign || !(error instanceof PeerplaneError) || error.code !== 'wrong-space')
        throw error
      memory.join = options.join
      return open()
    }
  }
}

async function openReplica(
  options: OpenOptions,
  undone: number,
  taken: () => void,
  platform: Platform,
  memory: Memory,
): Promise<Leadership> {
  const { entities, space = 'default', online, trace } = options
  const { join, pair, remembered } = memory
  if (join !== undefined) await checkJoin(join, platform)
  const over = Promise.withResolvers<void>()
  let isLost = false
  return Services.open(trace, async (services) => {
    const store = await services.start(
      'store',
      () =>
        openIndexedDbStore({
          name: databaseOf(space),
          completing: join !== undefined || remembered !== undefined,
          pair,
          after: memory.term,
          taken,
          trace,
          onLost: ({ message: reason }) => {
            trace?.('storage.lost', { reason })
            isLost = true
            over.resolve()
          },
        }),
      (opened) => opened.close(),
    )
    // What was erased does not come back.
    if (store.isVacant && remembered) throw gone()
    const key = await signingKeyOf(store.pair)
    const ports = { ...platform, store, key, trace, network: networkOf(options, platform) }
    const runtime = await services.start(
      'runtime',
      () => openRuntime(ports, { entities, join, online, remembered, undone }),
      (opened) => {
        memory.remembered = opened.remembered()
        return opened.close()
      },
    )
    memory.pair = store.pair
    memory.term = store.term
    const backend: LocalBackend = {
      ...runtime,
      close: async () => {
        await services.stop().catch((error: unknown) => {
          // A lost store cannot be closed cleanly.
          if (!isLost) throw error
        })
      },
      invited: async (invitation) => {
        if (await runtime.invited(invitation)) return true
        memory.join = invitation
        over.resolve()
        // The next opening answers.
        return new Promise(() => undefined)
      },
    }
    return { backend, term: store.term, over: over.promise }
  })
}

function networkOf(
  { network = true, iceServers = [], trace }: OpenOptions,
  { clock, scheduler, random }: Platform,
): NetworkFactory | undefined {
  if (!network) return undefined
  return ({ topic, dial }) =>
    createBrowserNetwork({ topic, dial, iceServers, clock, scheduler, random, trace })
}

/** Others would look for a relay at an anchor, and a browser cannot be one. */
async function checkJoin(invitation: string, platform: Platform): Promise<void> {
  if ((await checkInvitation(invitation, platform)) === 'member') return
  throw new PeerplaneError('unsupported', 'a browser cannot be an anchor', {
    advice: 'Use this invitation with `peerplane up --join`, or ask for one that makes a member.',
  })
}
