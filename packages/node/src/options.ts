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

/** How to open a plane in Node. */
export interface OpenOptions extends Wait {
  /** The entity types that the program uses; commits of others are kept and passed on. */
  readonly entities: readonly Entity[]
  /** Which store of this machine; one store holds one space. Default `default`. */
  readonly space?: string | undefined
  /**
   * An invitation, as link or text. Without it, the space in the store is opened; if the store is empty, the first command founds a new
   * space, and a plane that listens founds it at once.
   */
  readonly join?: string | undefined
  /** Directory of the stores. Default `.peerplane`, below the working directory. */
  readonly data?: string | undefined
  /** Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/7420/ws`. Default none: the plane only dials others. */
  readonly listen?: readonly string[] | undefined
  /** Multiaddresses at which a proxy or router makes this device reachable. */
  readonly announce?: readonly string[] | undefined
  /**
   * IP addresses of proxies in front of this device, each of which carries the connections of many clients: they are exempt from limits per
   * address. Default this machine, 127.0.0.1 and ::1.
   */
  readonly proxies?: readonly string[] | undefined
  /**
   * Whether to be an anchor of the space that this plane founds: always on, introduces and relays members. A plane that joins is what its
   * invitation makes of it. Default false.
   */
  readonly anchor?: boolean | undefined
  /** Whether to use the network. Default true. */
  readonly network?: boolean | undefined
  /**
   * Called with what listeners of the application throw, as `listener-failed` with the thrown error as its `cause`; it must not throw. Default:
   * it is printed, and the process continues.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
  /** Called with every event of this plane, as in the table of events; see {@link Trace}. Default: none, which costs nothing. */
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
