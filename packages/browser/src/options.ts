import {
  describe,
  PeerplaneError,
  takeDeclarations,
  type Entity,
  type Trace,
} from '@peerplane/core'
import { option, takeOptions, waitReaders, type Wait } from '@peerplane/runtime'

/** How to open a plane in a browser. */
export interface OpenOptions extends Wait {
  /** The entity types that the application uses; commits of others are kept and passed on. All tabs should pass the same. */
  readonly entities: readonly Entity[]
  /** Which store of this origin; one store holds one space. Default `default`. */
  readonly space?: string | undefined
  /**
   * Version of the application, a whole number that goes up with each release. Of several tabs the one with the newest leads: it knows the
   * commands of all. Default 0.
   */
  readonly version?: number | undefined
  /**
   * An invitation, as text or as the address of a page; an address without an invitation counts as none, so that `location.href` can always
   * be passed. Without it, the space in the store is opened; if the store is empty, the first command founds a new space.
   */
  readonly join?: string | undefined
  /** Whether to go online at once. Default true. */
  readonly online?: boolean | undefined
  /** Whether to use the network at all. Default true. */
  readonly network?: boolean | undefined
  /** STUN and TURN servers, as URLs. Default none: WebRTC then connects peers of one local network, and others stay on the relay. */
  readonly iceServers?: readonly string[] | undefined
  /**
   * Called with what listeners of the application throw, as `listener-failed` with the thrown error as its `cause`; it must not throw. Default:
   * `reportError`, which shows it like any uncaught error of the page.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
  /** Called with every event of this plane, as in the table of events; see {@link Trace}. Default: none, which costs nothing. */
  readonly trace?: Trace | undefined
}

/** A copy of what was passed. Throws `invalid-declaration` or `invalid-input`. */
export function takeOpening(given: OpenOptions): OpenOptions {
  const { entities = takeDeclarations(undefined), ...rest } = takeOptions<OpenOptions>(given, {
    entities: takeDeclarations,
    space: option.name,
    version: option.whole,
    join: option.text,
    online: option.switch,
    network: option.switch,
    iceServers: option.texts,
    ...waitReaders,
    onError: option.callback<NonNullable<OpenOptions['onError']>>(),
    trace: option.callback<Trace>(),
  })
  const other = rest.iceServers?.find((each) => !/^(stun|turn)s?:\S+$/.test(each))
  if (other === undefined) return { entities, ...rest }
  const reason = `an ICE server is a URL like stun:stun.example:3478, not ${describe(other)}`
  throw new PeerplaneError('invalid-input', reason)
}
