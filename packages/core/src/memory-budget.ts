import { limits } from './limits.ts'

/** One share of the memory of a daemon: its purpose and its largest size. */
export interface MemoryShare {
  readonly what: string
  readonly bytes: number
}

/** For how many seconds gossip keeps a message, to send it to peers that lack it. */
const GOSSIP_KEPT_S = 5

/** Measured memory for one session that a peer says it holds: its ids, its tip, and whether it was requested. */
const CLAIM_BYTES = 1_200

/** The memory for one unfinished response of the page server: a piece of a file, and the bytes in the socket. */
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
