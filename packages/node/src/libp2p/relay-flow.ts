import { limits, PeerplaneError } from '@peerplane/core'
import type { BytePool, Holder } from '@peerplane/sync'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'

type Bytes = StreamMessageEvent['data']

/**
 * Makes one end of a relayed connection wait for the other. What comes from a stream is handed to another stream as it is, so the piece itself
 * tells where it came from.
 */
export class RelayFlow {
  readonly #pool: BytePool
  readonly #sources = new WeakMap<Bytes, Source>()

  constructor(pool: BytePool) {
    this.#pool = pool
  }

  watch(stream: Stream): void {
    readOnce(stream)
    const source = new Source(stream, this.#pool)
    const dispatch = stream.dispatchEvent.bind(stream)
    // Not a listener: a stream keeps what comes while nobody listens.
    stream.dispatchEvent = (event: Event) => {
      if (isMessage(event)) {
        this.#sources.set(event.data, source)
        source.add(event.data.byteLength)
      }
      return dispatch(event)
    }
    const send = stream.send.bind(stream)
    stream.send = (data) => {
      this.#sources.get(data)?.add(-data.byteLength)
      return send(data)
    }
    stream.addEventListener('close', () => source.ended())
  }
}

const isMessage = (event: Event): event is StreamMessageEvent => event.type === 'message'

/**
 * The relay of libp2p joins two streams with `pipe(source, destination, source)`, and makes a queue of what comes for each mention of a
 * stream. The second queue of the source has no reader: all that was ever relayed would stay in it. So a stream whose messages somebody
 * listens to takes no further listener for them.
 */
function readOnce(stream: Stream): void {
  const listen = stream.addEventListener.bind(stream)
  stream.addEventListener = (type: string, ...rest: unknown[]) => {
    const isSecond = type === 'message' && stream.listenerCount('message') > 0
    if (!isSecond) Reflect.apply(listen, stream, [type, ...rest])
  }
}

/** One end from which bytes come. */
class Source implements Holder {
  readonly #stream: Stream
  readonly #pool: BytePool
  #waiting = 0
  #ended = false

  constructor(stream: Stream, pool: BytePool) {
    this.#stream = stream
    this.#pool = pool
  }

  /** `bytes` more wait for the other end. */
  add(bytes: number): void {
    if (this.#ended) return
    this.#waiting += bytes
    this.#pool.set(this, this.#waiting)
    const { readStatus } = this.#stream
    if (readStatus === 'readable' && this.#waiting > limits.relayBytes) this.#stream.pause()
    if (readStatus === 'paused' && this.#waiting < limits.relayBytes / 2) this.#stream.resume()
  }

  ended(): void {
    this.#ended = true
    this.#pool.set(this, 0)
  }

  giveUp(): void {
    this.#stream.abort(new PeerplaneError('overloaded', 'Too much waits in relayed connections'))
  }
}
