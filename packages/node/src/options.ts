import { isIP } from 'node:net'

import { describe, PeerplaneError, takeDeclarations } from '@peerplane/core'
import type { Entity, Trace } from '@peerplane/core'
import {
  checkInvitation,
  option,
  systemPlatform,
  takeOptions,
  waitReaders,
  type Wait,
} from '@peerplane/runtime'

/** Options for opening a plane in Node. */
export interface OpenOptions extends Wait {
  /** The entity types that the program uses. Commits on entities of other types are stored, and passed on to other devices. */
  readonly entities: readonly Entity[]
  /** The name of the store in the data directory; each store holds one space. Default: `default`. */
  readonly space?: string | undefined
  /**
   * An invitation, as a link or as text. Without an invitation, `open` opens the space that is in the store. If the store is empty and no invitation
   * is given, the first command founds a new space; a plane that listens for connections founds its space when it opens.
   */
  readonly join?: string | undefined
  /** The data directory, which contains the stores. Default: `.peerplane` in the working directory. */
  readonly data?: string | undefined
  /** The multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/7420/ws`. Default: no addresses, so the plane only dials other peers. */
  readonly listen?: readonly string[] | undefined
  /** The multiaddresses of a proxy or router through which peers reach this device. */
  readonly announce?: readonly string[] | undefined
  /**
   * The IP addresses of proxies in front of this device. Limits per address do not apply to proxies, because each proxy carries the connections of
   * many clients. Default: 127.0.0.1 and ::1, the addresses of this machine.
   */
  readonly proxies?: readonly string[] | undefined
  /**
   * Whether this device becomes an anchor when it founds a space. An anchor is an always-on device that introduces and relays members. If the device
   * joins a space, the invitation decides whether the device becomes an anchor. Default: false.
   */
  readonly anchor?: boolean | undefined
  /** Whether the plane uses the network. Default: true. */
  readonly network?: boolean | undefined
  /**
   * Called when a listener of the application throws. The error has the code `listener-failed` and the thrown value as its `cause`. `onError` must
   * not throw. Default: the error is printed, and the process continues.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
  /**
   * Called with every event of this plane; the page `docs/events.md` lists all events. See {@link Trace}. Without a `trace` function, no events are
   * created.
   */
  readonly trace?: Trace | undefined
}

/**
 * A copy of what was passed, checked before anything is made. Rejects with `invalid-declaration`, `invalid-input`, `invalid-configuration`,
 * `invalid-invitation` or `expired-invitation`.
 */
export async function takeOpening(given: OpenOptions): Promise<OpenOptions> {
  const { entities = takeDeclarations(undefined), ...rest } = takeOptions<OpenOptions>(given, {
    entities: takeDeclarations,
    space: option.text,
    join: option.text,
    data: option.text,
    listen: option.texts,
    announce: option.texts,
    proxies: option.texts,
    anchor: option.switch,
    network: option.switch,
    ...waitReaders,
    onError: option.callback<NonNullable<OpenOptions['onError']>>(),
    trace: option.callback<Trace>(),
  })
  const { join, data, listen = [], announce = [], proxies = [], network = true } = rest
  if (data === '') throw invalid('the directory of the stores has a name')
  const other = proxies.find((each) => !isIP(each))
  if (other !== undefined) throw invalid(`a proxy is an IP address, not ${describe(other)}`)
  const addresses = [...listen, ...announce]
  if (network && addresses.length > 0) (await import('./libp2p.ts')).checkAddresses(addresses)
  if (join !== undefined) await checkInvitation(join, systemPlatform())
  return { entities, ...rest }
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
