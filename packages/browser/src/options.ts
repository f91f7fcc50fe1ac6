import {
  describe,
  PeerplaneError,
  takeDeclarations,
  type Entity,
  type Trace,
} from '@peerplane/core'
import { option, takeOptions, waitReaders, type Wait } from '@peerplane/runtime'

/** Options for opening a plane in a browser. */
export interface OpenOptions extends Wait {
  /**
   * The entity types that the application uses. Commits on entities of other types are stored, and passed on to other devices. All tabs should pass
   * the same entity types to `open`.
   */
  readonly entities: readonly Entity[]
  /** The name of the store. An origin can have several stores, each of which holds one space. Default: `default`. */
  readonly space?: string | undefined
  /**
   * The version of the application: a whole number that grows with each release. The tab with the newest version of the application leads, because it
   * knows the commands of all other tabs. Default: 0.
   */
  readonly version?: number | undefined
  /**
   * An invitation, as text or as the address of a page. An address without an invitation has no effect, so `location.href` can always be passed.
   * Without an invitation, `open` opens the space that is in the store. If the store is empty and no invitation is given, the first command founds a
   * new space.
   */
  readonly join?: string | undefined
  /** Whether the plane goes online when it opens. Default: true. */
  readonly online?: boolean | undefined
  /** Whether the plane may use the network at all. Default: true. */
  readonly network?: boolean | undefined
  /**
   * The URLs of STUN and TURN servers. Default: no servers. Without STUN and TURN servers, WebRTC connects only peers in the same local network;
   * other peers stay connected through a relay.
   */
  readonly iceServers?: readonly string[] | undefined
  /**
   * Called when a listener of the application throws. The error has the code `listener-failed` and the thrown value as its `cause`. `onError` must
   * not throw. Default: `reportError`, which shows the error like any uncaught error of the page.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
  /**
   * Called with every event of this plane; the page `docs/events.md` lists all events. See {@link Trace}. Without a `trace` function, no events are
   * created.
   */
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
