const KiB = 1024
const MiB = 1024 * KiB

/** One bound: its value, its unit, and what it bounds or why. */
export interface Limit {
  readonly value: number
  readonly unit: string
  readonly why: string
}

const limit = (value: number, unit: string, why: string): Limit => ({ value, unit, why })

/** Every bound of the product. `docs/limits.md` is generated from it. */
export const limitTable = {
  frameBytes: limit(
    2 * MiB,
    'bytes',
    'one message between two peers: a whole run of batches and its framing, small enough to be held 100 times',
  ),
  announcementBytes: limit(64 * KiB, 'bytes', 'one announcement by gossip'),
  gossipGarbage: limit(
    8,
    'messages',
    'of gossip that no member wrote, from one peer, before it is cut off; honest peers forward none',
  ),
  gossipPerSecond: limit(
    100,
    'announcements',
    'accepted from one peer; more may be dropped, which anti-entropy repairs. Bursts may be twice as large',
  ),
  gossipPassedPerSecond: limit(
    400,
    'announcements',
    'accepted from all peers together, and so forwarded. Bursts may be twice as large',
  ),
  gossipBytesPerSecond: limit(
    2 * MiB,
    'bytes',
    'of announcements accepted from all peers together, and so forwarded. Bursts may be twice as large',
  ),
  gossipFloodPerSecond: limit(
    1_000,
    'announcements',
    'from one peer, valid or not, before it is cut off: more than an honest peer forwards. Bursts may be twice as large',
  ),
  gossipOutBytes: limit(
    256 * KiB,
    'bytes',
    'of gossip waiting to be sent to one peer; beyond it the peer gets no gossip',
  ),
  commitBytes: limit(
    1 * MiB,
    'bytes',
    'one commit with all its sections; larger content belongs outside entities',
  ),
  batchBytes: limit(
    1 * MiB,
    'bytes',
    'one batch, as sent and by what a receiver hashes of it: it must fit into a run together with its proof',
  ),
  batchCommits: limit(
    1024,
    'commits',
    'one signature covers at most this many; the Merkle path of a sparse proof stays at 10 hashes',
  ),
  runBytes: limit(
    1 * MiB,
    'bytes',
    'a run of batches under one signature, as sent and by what it stands for: the most that a forger can make a receiver hash in vain',
  ),
  extensionBytes: limit(
    1 * KiB,
    'bytes',
    'what one record holds beyond the fields that this version knows',
  ),
  runsPerMessage: limit(64, 'runs', 'in one message; they are stored in one write'),
  runsBytes: limit(
    32 * KiB,
    'bytes',
    'batches and proofs of a message with several runs; longer runs travel alone',
  ),
  runBatches: limit(
    4096,
    'batches',
    'in a run, including those that the proof of a fork names: the distance between two verified signatures',
  ),
  forkBytes: limit(
    320 * KiB,
    'bytes',
    'the proof of a fork: two branches of `runBatches` batches, 40 bytes each',
  ),
  deps: limit(64, 'dependencies', 'of one commit; more are folded by an empty merge commit'),
  sections: limit(256, 'sections', 'of one commit, so that one command stays a small unit'),
  parents: limit(256, 'sessions', 'named by an opening record'),
  admissionChain: limit(16, 'admissions', 'from a device back to the creator of the space'),
  invitationBytes: limit(16 * KiB, 'bytes', 'one invitation link'),
  invitationHours: limit(
    720,
    'hours',
    'that an invitation lasts, 30 days: it is a secret that others may find; one that ends later was made with a wrong clock',
  ),
  invitationAddresses: limit(16, 'addresses', 'in one invitation'),
  entityNameBytes: limit(256, 'bytes', 'in the name of an entity type, and in an entity id'),
  valueBytes: limit(64 * KiB, 'bytes', 'one value of a register, set or map key'),
  valueDepth: limit(32, 'levels', 'of nesting in one value'),
  inputSize: limit(
    4 * MiB,
    'values and characters',
    'in the input of a command, and in what its handler returns',
  ),
  inputDepth: limit(64, 'levels', 'of nesting in an input or a reply'),
  schemaMs: limit(
    10_000,
    'milliseconds',
    'for a schema to check an input; later commands on the same entities wait for it',
  ),
  opsPerSection: limit(
    10_000,
    'operations',
    'in one section of a commit, because it is folded in one piece; more are several commands',
  ),
  documentBytes: limit(5 * MiB, 'bytes', 'one decompressed change of a document'),
  documentOps: limit(
    50_000,
    'operations',
    'in one change of a document; 98 bytes can claim ten million',
  ),
  documentDefaults: limit(
    256,
    'places',
    'in the initial state of a document: each is a separate change, so that versions of an application share what they have in common; making 256 takes 100 milliseconds',
  ),
  documentReplaced: limit(
    100_000,
    'operations',
    'replaced by one change of a document; deleting a text of several authors replaces about one per character',
  ),
  documentOpsAhead: limit(
    1_000_000,
    'operations',
    'by which the numbers in a change of a document may run ahead of the changes it names; a command at an older version counts on from everything its author holds. Without a bound, one change could use up the numbers of a document',
  ),
  documentLastOp: limit(
    2 ** 31 - 1,
    '',
    'the highest number of an operation; Automerge cannot load a document with higher ones',
  ),
  documentWaitingBytes: limit(
    64 * MiB,
    'bytes',
    'of changes of one document whose predecessors are missing; honest devices make none, and beyond it the document is unreadable here',
  ),
  waitingCommits: limit(10_000, 'commits', 'that wait for a dependency, per space'),
  waitingBytes: limit(16 * MiB, 'bytes', 'of commits that wait for a dependency, per space'),
  lostSessions: limit(100_000, 'sessions', 'remembered as lost'),
  summariesPerMessage: limit(1024, 'summaries', 'in one message'),
  tipsPerMessage: limit(1024, 'tips', 'in one message'),
  tipsPerPage: limit(256, 'tips', 'in one page of a list'),
  pathsPerMessage: limit(64, 'paths', 'below which one message asks for tips, 16 for each'),
  claimsPerLink: limit(
    512,
    'sessions',
    'whose claims are kept for each link, and as many again for sessions that other commits wait for; the rest are compared again later',
  ),
  wantsPerMessage: limit(1024, 'ranges', 'asked for in one message'),
  outboxBytes: limit(
    4 * MiB,
    'bytes',
    'waiting to be sent over one link; commits beyond it are not pushed, and the peer asks for them later',
  ),
  connections: limit(
    100,
    'connections',
    'of members at once; when all are taken, the device with the most loses one',
  ),
  linksPerDevice: limit(
    4,
    'connections',
    'of one device at once; beyond it the oldest is closed. Two devices that dial each other need two, a relay one, and the link that replaces it one',
  ),
  linksPerAddress: limit(
    50,
    'connections',
    'from one address at once, so that an office behind one router leaves room for others',
  ),
  deviceArrivals: limit(
    60,
    'connections',
    'of one device per minute, possibly all at once: a device that restarts reconnects quickly',
  ),
  shutOutFirstMs: limit(
    1_000,
    'milliseconds',
    'for which a device is shut out the first time it breaks a rule; doubled each time after that',
  ),
  shutOutMostMs: limit(600_000, 'milliseconds', 'for which a device is shut out at the longest'),
  shutOutMemory: limit(1_000, 'devices', 'remembered as shut out or as recently connected'),
  peersPerMessage: limit(64, 'peers', 'introduced in one message'),
  relayReservations: limit(64, 'reservations', 'that members hold at one anchor'),
  handshakeMs: limit(
    10_000,
    'milliseconds',
    'until a connection without proof of membership is closed',
  ),
  handshakeBytes: limit(
    16 * KiB,
    'bytes',
    'one message of the handshake: a full chain of admissions fits, and a stranger takes little memory',
  ),
  pendingConnections: limit(
    64,
    'connections',
    'open at once without proof of membership; above the limit, the address with the most connections loses its oldest',
  ),
  pendingPerAddress: limit(
    16,
    'connections',
    'open at once from one address without proof of membership; above the limit, the oldest is closed',
  ),
  connectionsPerSecond: limit(
    50,
    'connections',
    'accepted from one address: an office behind one router reconnects all at once after a restart',
  ),
  strangerBytes: limit(
    64 * KiB,
    'bytes',
    'received before membership is proved: Noise and three messages of the handshake',
  ),
  streams: limit(128, 'streams', 'over one connection at once; a relay carries one for each peer'),
  streamsPerSecond: limit(
    50,
    'streams',
    'opened over one connection; a burst may be as large as `streams`',
  ),
  streamWindowBytes: limit(
    512 * KiB,
    'bytes',
    'in flight in one stream, which also bounds one frame of the multiplexer; an announced length beyond it closes the connection before a byte of it is kept',
  ),
  youngStreamBytes: limit(
    128 * KiB,
    'bytes',
    'over all streams of one connection that have not yet named their protocol',
  ),
  pingsPerSecond: limit(
    10,
    'pings',
    'answered over one connection; bursts may be ten times as large',
  ),
  connectionReadBytes: limit(
    256 * KiB,
    'bytes',
    'received over a connection that nobody reads yet',
  ),
  relayBytes: limit(
    256 * KiB,
    'bytes',
    'received from one end of a relayed connection and not yet sent to the other; beyond it the sender waits',
  ),
  relaysBytes: limit(
    32 * MiB,
    'bytes',
    'the same for all relayed connections together; beyond it the one that holds the most is closed',
  ),
  linksBytes: limit(
    80 * MiB,
    'bytes',
    'waiting in the links of all peers together, in both directions; beyond it the link that holds the most is closed',
  ),
  sessionsPerMinute: limit(
    120,
    'sessions',
    'begun by the peer that sends them; sessions that it passes on for others do not count. A burst may be as large as `sessionsAtOnce`',
  ),
  sessionsAtOnce: limit(
    50,
    'sessions',
    'accepted in a burst from the device that began them, which may have been offline for a long time; each is stored on its own, which delays what others send',
  ),
  webSocketBytes: limit(
    16 * KiB,
    'bytes',
    'one WebSocket message: peers split what they send to fit, and an announced length beyond it closes the socket before a byte of it is kept',
  ),
  webRtcBytes: limit(
    16 * KiB,
    'bytes',
    'one message in a WebRTC channel; an announced length beyond it closes the connection before a byte of it is kept',
  ),
  webSocketOutBytes: limit(
    128 * KiB,
    'bytes',
    'waiting in one WebSocket before its sender must wait',
  ),
  httpSockets: limit(
    100,
    'sockets',
    'of the page server at once; one address gets at most half of them',
  ),
  httpRequestMs: limit(10_000, 'milliseconds', 'until a request must be complete'),
  httpHeaderBytes: limit(8 * KiB, 'bytes', 'of the headers of one HTTP request'),
  httpAnswerMs: limit(
    60_000,
    'milliseconds',
    'that a client of the page server may pause reading its answer',
  ),
  spareHandles: limit(
    128,
    'file handles',
    'kept free for the store, the control socket, outgoing connections and the JavaScript runtime',
  ),
  linkWindowBytes: limit(
    512 * KiB,
    'bytes',
    'sent over one link and not yet processed by the peer; another frame is sent only while it is less than this',
  ),
  openEntities: limit(1_000, 'entities', 'kept folded in memory; others are read from their rows'),
  unflushedEntities: limit(
    20_000,
    'entities',
    'changed in memory before folding waits for their rows: catching up writes each row once',
  ),
  pendingCommands: limit(10_000, 'commands', 'accepted and not yet durable'),
  operations: limit(
    10_000,
    'operations',
    'whose outcomes are remembered by their ids; repeating an older one runs it again',
  ),
  pendingBytes: limit(
    64 * MiB,
    'bytes',
    'of commits of this device that queue for the store, per space',
  ),
  queuedRuns: limit(
    64,
    'messages',
    'with runs, received and not yet checked, per space: 64 MiB at most',
  ),
  tabBeatMs: limit(1_000, 'milliseconds', 'between two checks that the leading tab is alive'),
  tabSilentBeats: limit(
    10,
    'beats',
    'without an answer from the leading tab before another takes over; a random number up to three is added',
  ),
  tabQueue: limit(1_000, 'requests', 'of one following tab that wait for the leading tab'),
  tabAnswerMs: limit(
    30_000,
    'milliseconds',
    'until a request to the leading tab fails; long enough for another tab to take over meanwhile',
  ),
  cachedKeys: limit(1_000, 'keys', 'of other devices kept ready for verifying signatures'),
  compressedFileBytes: limit(
    16 * MiB,
    'bytes',
    'one file that the page server compresses, in memory; larger ones are sent uncompressed',
  ),
  compressedCacheBytes: limit(32 * MiB, 'bytes', 'of compressed files that the page server keeps'),
  idleBytes: limit(
    144 * MiB,
    'bytes',
    'of resident memory of an idle daemon, with room for uncollected garbage',
  ),
  daemonMemoryBytes: limit(
    832 * MiB,
    'bytes',
    'of resident memory that a daemon needs at most, also under attack: the sum of `memoryBudget`, which the attack harness measures',
  ),
  controlBytes: limit(
    2 * MiB,
    'bytes',
    'one request to a daemon over its control socket, which only its user may open: a command with its input',
  ),
  controlReplyBytes: limit(
    64 * MiB,
    'bytes',
    'one answer of a daemon over its control socket: a whole list',
  ),
  controlRepliesBytes: limit(
    96 * MiB,
    'bytes',
    'of answers that wait for the clients of the control socket, all together: a whole list, and half of another; beyond it the connection for which the most waits is closed',
  ),
  controlConnections: limit(
    16,
    'connections',
    'to the control socket of a daemon at once; beyond it the oldest without a request is closed',
  ),
  logLines: limit(100, 'lines', 'that a daemon logs per second; it only counts the rest'),
  controlMs: limit(
    5_000,
    'milliseconds',
    'for a request to the control socket of a daemon to arrive in full, and for the client to read the answer',
  ),
} as const satisfies Record<string, Limit>

/** The bounds by name. */
export const limits: { readonly [Name in keyof typeof limitTable]: number } = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as { [Name in keyof typeof limitTable]: number }
