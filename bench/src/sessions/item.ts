import { entity, record, register } from '@peerplane/node'

export const LOCAL = '/ip4/127.0.0.1/tcp/0'

export const Item = entity('item', {
  state: record({ rank: register(0) }),
  commands: { rank: (item, rank: number) => item.rank.set(rank) },
})
