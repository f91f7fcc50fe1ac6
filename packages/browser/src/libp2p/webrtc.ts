import { limits, PeerplaneError, type Refusal } from '@peerplane/core'
import type { Components, TransportFactory } from '@peerplane/sync/libp2p'
import { webRTC } from '@libp2p/webrtc'

import { ChannelWatch } from './channel-watch.ts'

type Upgrader = Components['upgrader']
type Registrar = Components['registrar']
type Connecting = Parameters<Upgrader['upgradeInbound']>[0]
type MuxerFactory = NonNullable<
  NonNullable<Parameters<Upgrader['upgradeInbound']>[1]>['muxerFactory']
>
type Muxer = ReturnType<MuxerFactory['createStreamMuxer']>

/** What came over a channel before there was a multiplexer. */
interface Early {
  readonly data: ArrayBuffer
}

/** The multiplexer of libp2p for WebRTC, with what it does for every data channel. */
interface ChannelMuxer extends Muxer {
  onDataChannel(channel: RTCDataChannel, early?: readonly Early[]): void
  onCreateStream(options?: object): Promise<ChannelStream>
}

type ChannelStream = Awaited<ReturnType<Muxer['createStream']>> & {
  readonly channel: RTCDataChannel
}

/** Streams of one peer, at once, over which it arranges connections; libp2p collects 4 MiB for a message in each. */
const ARRANGING = { maxInboundStreams: 2 } as const

/** WebRTC for libp2p. A member that announces giant messages, or opens channels without end, is cut off; libp2p would keep what it sends. */
export const boundedWebRTC =
  (init: Parameters<typeof webRTC>[0]): TransportFactory =>
  (components, offended) => {
    const watched = (upgrader: Upgrader): Upgrader => watchedUpgrader(upgrader, offended)
    const transport = webRTC(init)(
      Object.create(components, {
        upgrader: { value: watched(components.upgrader) },
        registrar: { value: sparingRegistrar(components.registrar) },
      }) as Components,
    )
    const dial = transport.dial.bind(transport)
    transport.dial = async (address, options) =>
      dial(address, { ...options, upgrader: watched(options.upgrader) })
    return transport
  }

type Offended = Parameters<TransportFactory>[1]

function sparingRegistrar(registrar: Registrar): Registrar {
  const handle: Registrar['handle'] = async (protocol, handler, options) =>
    registrar.handle(protocol, handler, { ...options, ...ARRANGING })
  return Object.create(registrar, { handle: { value: handle } }) as Registrar
}

function watchedUpgrader(upgrader: Upgrader, offended: Offended): Upgrader {
  const upgradeInbound: Upgrader['upgradeInbound'] = async (connecting, options) =>
    upgrader.upgradeInbound(connecting, watched(connecting, options, offended))
  const upgradeOutbound: Upgrader['upgradeOutbound'] = async (connecting, options) =>
    upgrader.upgradeOutbound(connecting, watched(connecting, options, offended))
  return Object.create(upgrader, {
    upgradeInbound: { value: upgradeInbound },
    upgradeOutbound: { value: upgradeOutbound },
  }) as Upgrader
}

function watched<Options extends { readonly muxerFactory?: MuxerFactory }>(
  { remoteAddr }: Connecting,
  options: Options,
  offended: Offended,
): Options {
  const factory = options.muxerFactory
  const peer = remoteAddr.getComponents().findLast(({ name }) => name === 'p2p')?.value ?? ''
  if (factory) {
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection) as ChannelMuxer
      watch(muxer, (why) => {
        offended(peer, why)
        const error = new PeerplaneError('closed', `A peer was cut off: ${why}`)
        muxer.abort(error)
        connection.abort(error)
      })
      return muxer
    }
  }
  return options
}

/** Reads along in every channel of a connection. */
function watch(muxer: ChannelMuxer, refuse: (why: Refusal) => void): void {
  const isYoung = ({ id }: RTCDataChannel): boolean =>
    !muxer.streams.find((stream) => stream.id === String(id))?.protocol
  const attend = (channel: RTCDataChannel, early: readonly Early[]): boolean => {
    const reader = new ChannelWatch()
    const isGood = (data: unknown): boolean => {
      const why =
        data instanceof ArrayBuffer
          ? reader.read(new Uint8Array(data), isYoung(channel))
          : 'oversized'
      if (why) refuse(why)
      return why === undefined
    }
    channel.binaryType = 'arraybuffer'
    channel.addEventListener('message', (event) => {
      if (!isGood(event.data)) event.stopImmediatePropagation()
    })
    return early.every(({ data }) => isGood(data))
  }
  const adopt = muxer.onDataChannel.bind(muxer)
  // Before the stream listens: it must not see what is refused.
  muxer.onDataChannel = (channel, early = []) => {
    if (muxer.streams.length >= limits.streams) refuse('flood')
    else if (attend(channel, early)) adopt(channel, early)
  }
  const open = muxer.onCreateStream.bind(muxer)
  muxer.onCreateStream = async (options) => {
    const stream = await open(options)
    attend(stream.channel, [])
    return stream
  }
}
