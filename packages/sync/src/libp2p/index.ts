export type { Components, Libp2pNetworkOptions } from './assembly.ts'
export { createLibp2pNetwork } from './network.ts'
export type { RelayPlaces } from './relay.ts'
