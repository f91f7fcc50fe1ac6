import type { Network } from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { join, linkUp, networkOf } from './member.ts'

const CONNECTIONS = 120

/** One device under many network ids: all connections of an anchor, and all seats at its relay. */
export const deviceFlood: Attack = {
  name: 'device-flood',
  about: 'one device keeps 120 connections, each with a place at the relay',
  by: 'member',
  needs: 'links',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const networks: Network[] = []
    while (!tools.signal.aborted) {
      if (networks.length < CONNECTIONS * tools.scale) {
        const network = await networkOf(member, target, tools)
        networks.push(network)
        await linkUp(member, network, tools)
      }
      await pause(20)
    }
    await Promise.all(networks.map((network) => network.stop()))
  },
}
