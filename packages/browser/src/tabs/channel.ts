import { codeOf, type Trace } from '@peerplane/core'

import type { TabChannel, TabEnvironment } from './environment.ts'
import {
  readFromLeader,
  readFromTab,
  readLobbyMessage,
  type FromLeader,
  type FromTab,
  type LobbyMessage,
} from './messages.ts'

/** A channel that carries messages of known kinds only. */
export interface Typed<Outgoing> {
  /** Throws for what cannot be cloned. */
  readonly post: (message: Outgoing) => void
  readonly close: () => void
}

/** The channel of all tabs of a space. */
export const openLobby = (
  env: TabEnvironment,
  space: string,
  receive: (message: LobbyMessage) => void,
): Typed<LobbyMessage> => openTyped(env, `peerplane-tabs-1:${space}`, readLobbyMessage, receive)

/** The following tab's end of the channel between it and the leader. */
export const openTabChannel = (
  env: TabEnvironment,
  tab: string,
  receive: (message: FromLeader) => void,
): Typed<FromTab> => openTyped(env, channelName(tab), readFromLeader, receive)

/** The leader's end of the channel between it and a following tab. */
export const openLeaderChannel = (
  env: TabEnvironment,
  tab: string,
  receive: (message: FromTab) => void,
): Typed<FromLeader> => openTyped(env, channelName(tab), readFromTab, receive)

/** The lock that the leading tab of a space holds. */
export const leaderLock = (space: string): string => `peerplane:${space}`

/** The lock that a following tab holds while it lives. */
export const tabLock = (tab: string): string => `peerplane-tab:${tab}`

const channelName = (tab: string): string => `peerplane-tab-1:${tab}`

function openTyped<Incoming, Outgoing>(
  env: TabEnvironment,
  name: string,
  read: (message: unknown) => Incoming,
  receive: (message: Incoming) => void,
): Typed<Outgoing> {
  let open = true
  const channel: TabChannel = env.channel(name, (raw) => {
    const message = readable(read, raw, env.trace)
    if (open && message) receive(message)
  })
  return {
    post: (message) => {
      if (open) channel.post(message)
    },
    close: () => {
      open = false
      channel.close()
    },
  }
}

function readable<Message>(
  read: (raw: unknown) => Message,
  raw: unknown,
  trace: Trace | undefined,
): Message | undefined {
  try {
    return read(raw)
  } catch (error) {
    trace?.('message.unreadable', { code: codeOf(error) })
    return undefined
  }
}
