import { limits } from './limits.ts'

/** One share of the memory of a daemon: its purpose and its largest size. */
export interface MemoryShare {
  readonly what: string
  readonly bytes: number
}

/** How long gossip keeps a message, in seconds, to give it to those who lack it. */
const GOSSIP_KEPT_S = 5

/** Of a session that a peer says it holds: its names, how far it goes, and whether it is asked for; measured. */
const CLAIM_BYTES = 1_200

/** What one unfinished answer of the page server takes: a piece of a file, and what the socket holds. */
const PAGE_BYTES = 128 * 1024

/**
 * The most memory that other devices can make a daemon use at the same time, as a list of shares. The sum of all shares is below
 * `limits.daemonMemoryBytes`. The shares do not include the states of entities that the daemon itself keeps in memory. A daemon keeps the states of
 * at most `limits.openEntities` entities.
 */
export const memoryBudget: readonly MemoryShare[] = [
  { what: 'the process without peers', bytes: limits.idleBytes },
  {
    what: 'strangers before the door',
    bytes: 2 * limits.pendingConnections * (limits.strangerBytes + limits.webSocketBytes),
  },
  {
    what: 'frames that the multiplexers of members collect',
    bytes: limits.connections * limits.streamWindowBytes,
  },
  {
    what: 'streams that have not said what they are for',
    bytes: limits.connections * limits.youngStreamBytes,
  },
  { what: 'what waits in sockets', bytes: limits.connections * limits.webSocketOutBytes },
  { what: 'what waits in links, both ways', bytes: limits.linksBytes },
  { what: 'what waits in relayed connections', bytes: limits.relaysBytes },
  { what: 'gossip that waits to leave', bytes: limits.connections * limits.gossipOutBytes },
  {
    what: 'gossip that is kept for others',
    bytes: (GOSSIP_KEPT_S + 2) * limits.gossipBytesPerSecond,
  },
  {
    what: 'what peers say that they hold',
    bytes: limits.connections * 2 * limits.claimsPerLink * CLAIM_BYTES,
  },
  { what: 'runs that wait to be checked', bytes: limits.queuedRuns * limits.runBytes },
  { what: 'commits that wait for others', bytes: limits.waitingBytes },
  { what: 'commits of this device that wait for the store', bytes: limits.pendingBytes },
  { what: 'pages being sent', bytes: limits.httpSockets * PAGE_BYTES },
  { what: 'compressed pages', bytes: limits.compressedCacheBytes },
  { what: 'requests of the command', bytes: limits.controlConnections * limits.controlBytes },
  { what: 'answers to the command', bytes: limits.controlRepliesBytes },
]
