import { limits } from '@peerplane/core'
import { BytePool } from '@peerplane/sync'
import type { Components, RelaySeats } from '@peerplane/sync/libp2p'
import { circuitRelayServer, type CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId, Stream } from '@libp2p/interface'

import { RelayFlow } from './relay-flow.ts'

type ConnectionManager = Components['connectionManager']
type Registrar = Components['registrar']

/**
 * Relays for members, without limits on bytes or time. The relay of libp2p takes from one end as fast as it sends, and keeps what the other
 * end does not take; here the one end waits for the other.
 */
export const boundedRelay =
  (maxReservations: number) =>
  (components: Components): RelaySeats => {
    const flow = new RelayFlow(new BytePool(limits.relaysBytes))
    const server = circuitRelayServer({
      reservations: { maxReservations, applyDefaultLimit: false },
      maxInboundHopStreams: limits.streams,
      maxOutboundStopStreams: limits.streams,
    })
    const relay = server(
      Object.create(components, {
        registrar: { value: watchedRegistrar(components.registrar, flow) },
        connectionManager: { value: watchedConnections(components.connectionManager, flow) },
      }) as Components,
    )
    keepWithoutTimers(relay.reservations)
    return relay
  }

/**
 * A place lasts as long as its peer is connected. The relay of libp2p ends it with a timer of two hours that holds the peer, stays when the
 * place could not be confirmed, and cannot be cleared once it was renewed by `reset` (retimeable-signal 1.0).
 */
function keepWithoutTimers(reservations: CircuitRelayService['reservations']): void {
  const set = reservations.set.bind(reservations)
  reservations.set = (peer, reservation) => {
    reservation.signal.clear()
    reservation.signal.reset = () => {}
    set(peer, reservation)
  }
}

/** Streams on which somebody asks for a connection through this relay. */
function watchedRegistrar(registrar: Registrar, flow: RelayFlow): Registrar {
  const handle: Registrar['handle'] = async (protocol, handler, options) =>
    registrar.handle(
      protocol,
      (stream, connection) => {
        flow.watch(stream)
        return handler(stream, connection)
      },
      options,
    )
  return Object.create(registrar, { handle: { value: handle } }) as Registrar
}

/** Connections whose streams count what is relayed over them. */
function watchedConnections(manager: ConnectionManager, flow: RelayFlow): ConnectionManager {
  const watched = (connection: Connection): Connection => {
    const newStream: Connection['newStream'] = async (...wanted): Promise<Stream> => {
      const stream = await connection.newStream(...wanted)
      flow.watch(stream)
      return stream
    }
    return Object.create(connection, { newStream: { value: newStream } }) as Connection
  }
  const getConnections = (peer?: PeerId): Connection[] => manager.getConnections(peer).map(watched)
  return Object.create(manager, { getConnections: { value: getConnections } }) as ConnectionManager
}
