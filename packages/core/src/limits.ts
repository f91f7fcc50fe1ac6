const KiB = 1024
const MiB = 1024 * KiB

/** One limit, with its value, its unit and its meaning. */
export interface Limit {
  readonly value: number
  readonly unit: string
  readonly why: string
}

const limit = (value: number, unit: string, why: string): Limit => ({ value, unit, why })

/** Every limit of the product. `docs/limits.md` is generated from this table. */
export const limitTable = {
  frameBytes: limit(
    2 * MiB,
    'bytes',
    'The largest message between two peers. A message has room for the largest run of batches and its framing.',
  ),
  announcementBytes: limit(64 * KiB, 'bytes', 'The largest announcement sent by gossip.'),
  gossipGarbage: limit(
    8,
    'messages',
    'Gossip messages written by no member that one peer may send before it is cut off. Honest peers never forward gossip that no member wrote.',
  ),
  gossipPerSecond: limit(
    100,
    'announcements',
    'Announcements accepted per second from one peer; a burst may be twice as large. Announcements above this rate may be dropped; anti-entropy repairs the loss.',
  ),
  gossipPassedPerSecond: limit(
    400,
    'announcements',
    'Announcements accepted and forwarded per second, from all peers together; a burst may be twice as large.',
  ),
  gossipBytesPerSecond: limit(
    2 * MiB,
    'bytes',
    'Bytes of announcements accepted and forwarded per second, from all peers together; a burst may be twice as large.',
  ),
  gossipFloodPerSecond: limit(
    1_000,
    'announcements',
    'Announcements per second, including invalid ones, that one peer may send before it is cut off; a burst may be twice as large. Honest peers stay below this rate.',
  ),
  gossipOutBytes: limit(
    256 * KiB,
    'bytes',
    'Gossip that may wait to be sent to one peer. Above this limit, the peer gets no new gossip.',
  ),
  commitBytes: limit(
    1 * MiB,
    'bytes',
    'The largest commit, with all its sections. Keep larger content outside entities.',
  ),
  batchBytes: limit(
    1 * MiB,
    'bytes',
    'The largest batch. This limit applies to the bytes sent, and to the bytes that a receiver hashes for a batch. A run must have room for one batch and its proof.',
  ),
  batchCommits: limit(
    1024,
    'commits',
    'Commits in one batch, all covered by one signature. At this limit, the Merkle path of a sparse proof has 10 hashes.',
  ),
  runBytes: limit(
    1 * MiB,
    'bytes',
    'The largest run of batches. This limit applies to the bytes sent, and to the bytes that a receiver hashes for a run. A forged run makes its receiver hash at most this many bytes in vain.',
  ),
  extensionBytes: limit(
    1 * KiB,
    'bytes',
    'The fields of one record that this version does not know.',
  ),
  runsPerMessage: limit(
    64,
    'runs',
    'Runs in one message. The receiver stores all runs of a message in one write.',
  ),
  runsBytes: limit(
    32 * KiB,
    'bytes',
    'Batches and proofs in a message with several runs. A longer run travels in a message of its own.',
  ),
  runBatches: limit(
    4096,
    'batches',
    'Batches in one run, including the batches named by the proof of a fork. Two verified signatures of a session are at most this many batches apart.',
  ),
  forkBytes: limit(
    320 * KiB,
    'bytes',
    'The largest proof of a fork: two branches of `runBatches` batches each, with 40 bytes for each batch.',
  ),
  deps: limit(
    64,
    'dependencies',
    'Dependencies of one commit. Empty merge commits combine further dependencies.',
  ),
  sections: limit(
    256,
    'sections',
    'Sections of one commit. With this limit, a command stays a small unit of work.',
  ),
  parents: limit(
    256,
    'sessions',
    'Earlier sessions of the same device that an opening names as parents.',
  ),
  admissionChain: limit(
    16,
    'admissions',
    'Admissions in the chain from a device back to the creator of the space.',
  ),
  invitationBytes: limit(16 * KiB, 'bytes', 'The largest invitation link.'),
  invitationHours: limit(
    720,
    'hours',
    'The longest validity of an invitation: 30 days. An invitation is a secret that others may find. An invitation with a longer validity was made with a wrong clock.',
  ),
  invitationAddresses: limit(16, 'addresses', 'Addresses in one invitation.'),
  entityNameBytes: limit(
    256,
    'bytes',
    'The longest name of an entity type, and the longest entity id.',
  ),
  valueBytes: limit(64 * KiB, 'bytes', 'The largest value, map key or set element in an entity.'),
  valueDepth: limit(32, 'levels', 'Levels of nesting in one value.'),
  inputSize: limit(
    4 * MiB,
    'values and characters',
    'Values, keys and characters, added up, in the input of a command or in the reply of its handler.',
  ),
  inputDepth: limit(64, 'levels', 'Levels of nesting in the input or the reply of a command.'),
  schemaMs: limit(
    10_000,
    'milliseconds',
    'Time that a schema has to check the input of a command. Later commands on the same entities wait for this check.',
  ),
  opsPerSection: limit(
    10_000,
    'operations',
    'Operations in one section of a commit. This limit exists because a section is folded in one piece. A larger change needs several commands.',
  ),
  entityBytes: limit(
    5 * MiB,
    'bytes',
    'What one entity that is not a document may hold. Each key, each element and each operation that is kept counts 64 bytes, and a text its length. A larger entity is unreadable on this device, so that showing and storing it delays nothing else.',
  ),
  entityCommandBytes: limit(
    2.5 * MiB,
    'bytes',
    'What commands may fill of one entity, about 20,000 keys. A command that goes beyond it is refused. The rest of `entityBytes` is for concurrent commands of other devices.',
  ),
  documentBytes: limit(5 * MiB, 'bytes', 'The largest change of a document, after decompression.'),
  documentOps: limit(
    50_000,
    'operations',
    'Operations in one change of a document. Without this limit, 98 bytes could claim ten million operations.',
  ),
  documentDefaults: limit(
    256,
    'places',
    'Fields in the initial state of a document. Each field is a separate change, so that versions of an application share the changes of their common fields. Making 256 changes takes 100 milliseconds.',
  ),
  documentReplaced: limit(
    100_000,
    'operations',
    'Operations that one change of a document may replace. Deleting text by several authors replaces about one operation per character.',
  ),
  documentOpsAhead: limit(
    1_000_000,
    'operations',
    'Largest gap between the operation numbers of a document change and those of the changes that it depends on. A command on an older version of a document skips all numbers that its author already holds. Without this limit, one change could use up the operation numbers of a document.',
  ),
  documentLastOp: limit(
    2 ** 31 - 1,
    '',
    'The highest operation number in a document. Automerge cannot load a document with higher operation numbers.',
  ),
  documentWaitingBytes: limit(
    64 * MiB,
    'bytes',
    'Changes of one document that wait for missing predecessors. Honest devices never send a change before its predecessors. Above this limit, the device cannot read the document.',
  ),
  waitingCommits: limit(10_000, 'commits', 'Commits of one space that wait for a dependency.'),
  waitingBytes: limit(
    16 * MiB,
    'bytes',
    'Total size of the commits of one space that wait for a dependency.',
  ),
  lostSessions: limit(100_000, 'sessions', 'Sessions whose lost commits a device remembers.'),
  summariesPerMessage: limit(1024, 'summaries', 'Summaries in one message.'),
  tipsPerMessage: limit(1024, 'tips', 'Tips in one message.'),
  tipsPerPage: limit(256, 'tips', 'Tips in one page of a list.'),
  pathsPerMessage: limit(
    64,
    'paths',
    'Paths in one `have` message. Each path asks for up to 16 tips below it.',
  ),
  claimsPerLink: limit(
    512,
    'sessions',
    'Sessions whose claims a device remembers for each link. The device remembers the same number of additional claims for sessions that other commits wait for. Sessions beyond this limit are compared again later.',
  ),
  wantsPerMessage: limit(1024, 'ranges', 'Ranges of commits that one message asks for.'),
  outboxBytes: limit(
    4 * MiB,
    'bytes',
    'Data that waits to be sent over one link. Commits beyond this limit are not pushed; the peer asks for them later.',
  ),
  connections: limit(
    100,
    'connections',
    'Connections of members at the same time. If all connections are in use, the device with the most connections loses one.',
  ),
  linksPerDevice: limit(
    4,
    'connections',
    'Connections of one device at the same time. Above this limit, the oldest connection of the device is closed. Two devices that dial each other need two connections, a relay needs one, and the link that replaces the relay needs one.',
  ),
  linksPerAddress: limit(
    50,
    'connections',
    'Connections from one address at the same time. This limit stops an office behind one router from taking all connections.',
  ),
  deviceArrivals: limit(
    60,
    'connections',
    'New connections of one device per minute; all may come at once. A device that restarts reconnects quickly.',
  ),
  shutOutFirstMs: limit(
    1_000,
    'milliseconds',
    'Time for which a device is shut out after it breaks a rule for the first time. The time doubles with each further violation.',
  ),
  shutOutMostMs: limit(600_000, 'milliseconds', 'The longest time for which a device is shut out.'),
  shutOutMemory: limit(
    1_000,
    'devices',
    'Devices remembered as shut out or as recently connected.',
  ),
  peersPerMessage: limit(64, 'peers', 'Peers introduced in one message.'),
  relayReservations: limit(
    64,
    'reservations',
    'Relay reservations that members hold at one anchor.',
  ),
  handshakeMs: limit(
    10_000,
    'milliseconds',
    'Time after which a connection without proof of membership is closed.',
  ),
  handshakeBytes: limit(
    16 * KiB,
    'bytes',
    'The largest message of the handshake. A handshake message has room for a full chain of admissions, but takes little memory.',
  ),
  pendingConnections: limit(
    64,
    'connections',
    'Open connections whose peers have not proved that they know the secret. Above this limit, the address with the most such connections loses one of them. As many more may have proved the secret, and not yet membership.',
  ),
  connectionsPerSecond: limit(
    50,
    'connections',
    'Connections accepted per second from one address. After a restart, all devices of an office behind one router reconnect at once.',
  ),
  strangerBytes: limit(
    64 * KiB,
    'bytes',
    'Data received over one connection before membership is proved: Noise and three messages of the handshake.',
  ),
  streams: limit(
    128,
    'streams',
    'Streams over one connection at the same time. A relay carries one stream for each peer.',
  ),
  streamsPerSecond: limit(
    50,
    'streams',
    'Streams opened per second over one connection; a burst may be as large as `streams`.',
  ),
  streamWindowBytes: limit(
    512 * KiB,
    'bytes',
    'Data in flight in one stream, and the largest frame of the multiplexer. If a frame announces a greater length, the connection is closed before any byte of the frame is stored.',
  ),
  youngStreamBytes: limit(
    128 * KiB,
    'bytes',
    'The most data that one connection may receive on streams whose protocol is still unknown.',
  ),
  pingsPerSecond: limit(
    10,
    'pings',
    'Pings answered per second over one connection; a burst may be ten times as large.',
  ),
  connectionReadBytes: limit(
    256 * KiB,
    'bytes',
    'Data that one connection buffers before any code reads it.',
  ),
  relayBytes: limit(
    256 * KiB,
    'bytes',
    'Data received from one end of a relayed connection and not yet sent to the other. Above this limit, the sender waits.',
  ),
  relaysBytes: limit(
    32 * MiB,
    'bytes',
    'Data that waits in all relayed connections together. Above this limit, the relayed connection with the most waiting data is closed.',
  ),
  linksBytes: limit(
    80 * MiB,
    'bytes',
    'Data that waits in the links of all peers together, in both directions. Above this limit, the link with the most waiting data is closed.',
  ),
  sessionsPerMinute: limit(
    120,
    'sessions',
    'Sessions accepted per minute from the device that began them; a burst may be as large as `sessionsAtOnce`. Sessions that a peer passes on for others do not count.',
  ),
  sessionsAtOnce: limit(
    50,
    'sessions',
    'Sessions accepted in a burst from the device that began them. A device that was offline for a long time may send many sessions at once. Storing sessions delays data from other devices.',
  ),
  webSocketBytes: limit(
    16 * KiB,
    'bytes',
    'The largest WebSocket message. Peers split their data into messages of at most this size. If a message announces a greater length, the socket is closed before any byte of the message is stored.',
  ),
  webRtcBytes: limit(
    16 * KiB,
    'bytes',
    'The largest message in a WebRTC channel. If a message announces a greater length, the connection is closed before any byte of the message is stored.',
  ),
  webSocketOutBytes: limit(
    128 * KiB,
    'bytes',
    'Data that waits in one WebSocket. Above this limit, the sender waits.',
  ),
  httpSockets: limit(
    100,
    'sockets',
    'Open sockets of the page server. One address gets at most half of these sockets.',
  ),
  httpRequestMs: limit(
    10_000,
    'milliseconds',
    'Time that an HTTP client has to send a complete request.',
  ),
  httpHeaderBytes: limit(8 * KiB, 'bytes', 'All headers of one HTTP request together.'),
  httpAnswerMs: limit(
    60_000,
    'milliseconds',
    'Time that a client of the page server may pause while it reads an answer.',
  ),
  spareHandles: limit(
    128,
    'file handles',
    'File handles kept free for the store, the control socket, outgoing connections and the JavaScript runtime.',
  ),
  linkWindowBytes: limit(
    512 * KiB,
    'bytes',
    'Data sent over one link and not yet processed by the peer. Above this limit, the next frame waits.',
  ),
  openEntities: limit(
    1_000,
    'entities',
    'Entities kept folded in memory. Other entities are read from their rows.',
  ),
  refoldedEntities: limit(
    250,
    'entities',
    'Entities that are folded again together after a fork. Their new states are in memory next to the old states, which are still shown.',
  ),
  refoldPauseMs: limit(
    1_000,
    'milliseconds',
    'Pause after entities were folded again because of forks. All forks that arrive during this pause are handled together.',
  ),
  unflushedEntities: limit(
    20_000,
    'entities',
    'Entities changed in memory whose rows are not yet written. Above this limit, folding waits until the rows are written. Up to this limit, a device that catches up writes each row only once.',
  ),
  pendingCommands: limit(10_000, 'commands', 'Commands that are accepted and not yet durable.'),
  operations: limit(
    10_000,
    'operations',
    'Operation ids whose outcomes a device remembers. Repeating a command with an older operation id runs it again.',
  ),
  pendingBytes: limit(
    64 * MiB,
    'bytes',
    'Commits of this device that wait for the store, per space.',
  ),
  queuedRuns: limit(
    64,
    'messages',
    'Received messages with runs that are not yet checked, per space. All received messages in this queue take at most 64 MiB.',
  ),
  tabBeatMs: limit(1_000, 'milliseconds', 'Time between two checks that the leading tab is alive.'),
  tabSilentBeats: limit(
    10,
    'beats',
    'Number of checks without an answer from the leading tab before another tab takes over. Each tab adds a random number of up to three checks.',
  ),
  tabQueue: limit(
    1_000,
    'requests',
    'Requests of one following tab that wait for the leading tab.',
  ),
  tabAnswerMs: limit(
    30_000,
    'milliseconds',
    'Time after which a request to the leading tab fails. The time is long enough for another tab to take over.',
  ),
  cachedKeys: limit(
    1_000,
    'keys',
    'Public keys of other devices that are kept in memory to verify signatures.',
  ),
  compressedFileBytes: limit(
    16 * MiB,
    'bytes',
    'The largest file that the page server compresses in memory. Larger files are sent uncompressed.',
  ),
  compressedCacheBytes: limit(32 * MiB, 'bytes', 'Compressed files that the page server keeps.'),
  idleBytes: limit(
    144 * MiB,
    'bytes',
    'Resident memory of an idle daemon, including garbage that is not yet collected.',
  ),
  daemonMemoryBytes: limit(
    832 * MiB,
    'bytes',
    'The most resident memory that a daemon needs, even under attack. The sum of `memoryBudget` is below this limit. The attack harness compares the memory of a daemon with this limit.',
  ),
  controlBytes: limit(
    2 * MiB,
    'bytes',
    'The largest request to a daemon over its control socket: a command with its input. Only the user who runs the daemon may open this socket.',
  ),
  controlReplyBytes: limit(
    64 * MiB,
    'bytes',
    'The largest answer of a daemon over its control socket: a complete list.',
  ),
  controlRepliesBytes: limit(
    96 * MiB,
    'bytes',
    'Total size of the answers that wait for clients of the control socket. This limit has room for one and a half complete lists. Above this limit, the connection with the most waiting data is closed.',
  ),
  controlConnections: limit(
    16,
    'connections',
    'Connections to the control socket of a daemon at the same time. Above this limit, the oldest connection without a request is closed.',
  ),
  logLines: limit(
    100,
    'lines',
    'Lines that a daemon logs per second. Further log lines are only counted.',
  ),
  controlMs: limit(
    5_000,
    'milliseconds',
    'Time within which a complete request must reach the control socket of a daemon. The client has the same time to read the answer.',
  ),
  conformanceMs: limit(
    60_000,
    'milliseconds',
    'Time for all checks of `peerplane conformance`. After this time, the command fails.',
  ),
} as const satisfies Record<string, Limit>

/** The values of all limits, by name. */
export const limits: { readonly [Name in keyof typeof limitTable]: number } = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as { [Name in keyof typeof limitTable]: number }
