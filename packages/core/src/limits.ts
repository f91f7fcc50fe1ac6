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
    'The largest message between two peers. One message has room for the largest run of batches and for its framing.',
  ),
  announcementBytes: limit(64 * KiB, 'bytes', 'The largest announcement that gossip carries.'),
  gossipGarbage: limit(
    8,
    'messages',
    'A peer is disconnected if it sends more than this number of gossip messages that no member wrote. Honest peers never forward gossip that no member wrote.',
  ),
  gossipPerSecond: limit(
    100,
    'announcements',
    'The maximum number of announcements per second that are accepted from one peer; a burst may be twice as large. A device may drop announcements that arrive faster; it later finds out what they announced, when it compares digests with its peers.',
  ),
  gossipPassedPerSecond: limit(
    400,
    'announcements',
    'A device accepts and forwards at most this number of announcements per second, counted over all peers together; a burst may be twice as large.',
  ),
  gossipBytesPerSecond: limit(
    2 * MiB,
    'bytes',
    'A device accepts and forwards at most this many bytes of announcements per second, counted over all peers together; a burst may be twice as large.',
  ),
  gossipFloodPerSecond: limit(
    1_000,
    'announcements',
    'The number of announcements per second, including invalid ones, above which a peer is disconnected; a burst may be twice as large. Honest peers send fewer announcements than this limit allows.',
  ),
  gossipOutBytes: limit(
    256 * KiB,
    'bytes',
    'The maximum size of the gossip that may wait to be sent to one peer. While this much gossip waits for a peer, new gossip is not sent to the peer.',
  ),
  commitBytes: limit(
    1 * MiB,
    'bytes',
    'The largest commit, with all its sections. Store larger content outside entities.',
  ),
  batchBytes: limit(
    1 * MiB,
    'bytes',
    'The largest batch. This limit applies to the bytes that are sent, and to the bytes that a receiver hashes for a batch. A run of batches must have room for at least one batch and its proof.',
  ),
  batchCommits: limit(
    1024,
    'commits',
    'The maximum number of commits in one batch; one signature covers all of them. In a batch with the maximum number of commits, the Merkle path of a sparse proof has 10 hashes.',
  ),
  runBytes: limit(
    1 * MiB,
    'bytes',
    'The largest run of batches. This limit applies to the bytes that are sent, and to the bytes that a receiver hashes for a run. A forged run of batches can make its receiver hash only this many bytes in vain.',
  ),
  extensionBytes: limit(
    1 * KiB,
    'bytes',
    'The maximum size of the extensions of one record. An extension is a field that this version of Peerplane does not know.',
  ),
  runsPerMessage: limit(
    64,
    'runs',
    'The maximum number of runs of batches in one message. The receiver stores all runs of one message in a single write.',
  ),
  runsBytes: limit(
    32 * KiB,
    'bytes',
    'The maximum size of the batches and proofs in a message with several runs of batches. A run of batches that is larger than this limit is sent in a message of its own.',
  ),
  runBatches: limit(
    4096,
    'batches',
    'The maximum number of batches in one run, including the batches that the proof of a fork names. Two consecutive verified signatures of a session are at most this many batches apart.',
  ),
  forkBytes: limit(
    352 * KiB,
    'bytes',
    'The largest proof of a fork: two branches of `runBatches` batches each, with 40 bytes for each batch, and two openings.',
  ),
  deps: limit(
    64,
    'dependencies',
    'The maximum number of dependencies of one commit. If a commit would need more dependencies, the device first combines some of them in an empty merge commit.',
  ),
  sections: limit(
    256,
    'sections',
    'The maximum number of sections of one commit. The number of sections is limited so that a command stays a small unit of work.',
  ),
  parents: limit(
    256,
    'sessions',
    'The maximum number of earlier sessions of the same device that the opening of a session names as parents.',
  ),
  admissionChain: limit(
    16,
    'admissions',
    'The maximum number of admissions in the chain that leads from a device back to the creator of the space.',
  ),
  invitationBytes: limit(16 * KiB, 'bytes', 'The largest invitation link.'),
  invitationHours: limit(
    720,
    'hours',
    'The longest validity of an invitation: 30 days. The validity of an invitation is limited because an invitation is a secret that other people may find. If an invitation expires later than 31 days from now, it is refused: the clock of the inviting device or of the joining device must be wrong.',
  ),
  invitationAddresses: limit(16, 'addresses', 'The maximum number of addresses in one invitation.'),
  entityNameBytes: limit(
    256,
    'bytes',
    'The maximum length of the name of an entity type, and of an entity id.',
  ),
  valueBytes: limit(64 * KiB, 'bytes', 'The largest value, map key or set element in an entity.'),
  valueDepth: limit(32, 'levels', 'The maximum number of levels of nesting in one value.'),
  inputSize: limit(
    4 * MiB,
    'values and characters',
    'The maximum for the input of a command and for the reply of its handler: the total number of their values, keys and characters.',
  ),
  inputDepth: limit(
    64,
    'levels',
    'The maximum number of levels of nesting in the input or the reply of a command.',
  ),
  schemaMs: limit(
    10_000,
    'milliseconds',
    'The maximum time that a schema may take to check the input of a command. Until the schema has checked an input, later commands on the same entities wait.',
  ),
  opsPerSection: limit(
    10_000,
    'operations',
    'The maximum number of operations in one section of a commit. A device folds all operations of a section without a pause, so a section with more operations would delay everything else. Split a larger change into several commands.',
  ),
  namesPerOp: limit(
    100,
    'commits',
    'The maximum number of commits that one operation of an honest device names, so that no operation of its own takes more than 4 KB. To remove an entry that more devices keep, a device closes the generation of the entry. A write to a register that has been written by more devices supersedes the latest of their values.',
  ),
  treeLevels: limit(
    64,
    'levels',
    'The maximum number of levels of a tree that a command makes. If concurrent moves make a tree deeper, the nodes below this level are shown on this level.',
  ),
  entityBytes: limit(
    5 * MiB,
    'bytes',
    'The maximum size of one entity that is not a document. Each key, each element and each kept operation counts as 64 bytes, and a value counts as its length. A state of kind `text` counts as a quarter of its length, 6 bytes for each run, and 4 bytes for each commit. A larger entity is unreadable on this device, because showing and storing the entity would delay everything else.',
  ),
  entityCommandBytes: limit(
    2.5 * MiB,
    'bytes',
    'The size up to which commands may fill one entity: room for about 20,000 keys. A command that would make an entity larger than this size is refused. The limit `entityBytes` is larger, so that an entity that is nearly full still has room for concurrent commands of other devices.',
  ),
  documentBytes: limit(5 * MiB, 'bytes', 'The largest change of a document, after decompression.'),
  documentOps: limit(
    8_192,
    'operations',
    'The maximum number of operations in one change of a document. A device applies a change without a pause, in about 10 milliseconds for the maximum number of operations. A command with more operations makes several changes.',
  ),
  documentFreeOps: limit(
    256,
    'operations',
    'The number of operations that the changes in one body of a document may have together, however few bytes the body has.',
  ),
  documentOpsPerByte: limit(
    4,
    'operations',
    'The number of operations that the changes in one body of a document may have together, in addition to `documentFreeOps`, for each byte of the body. Operations are run-length encoded, so without this limit a few kilobytes could keep all devices busy for minutes. Typed text has at most one operation for each byte. A body that needs more operations, for example because it deletes a long text, is padded with zeros.',
  ),
  documentCommandOps: limit(
    1_048_576,
    'operations',
    'The maximum number of operations of one command on a document: inserting or deleting one character is one operation. A command with more operations than `documentOps` makes several changes, which take effect together. Make a larger change with several commands: each command blocks its thread while it runs, for about 50 milliseconds per 50,000 inserted characters and 250 milliseconds per 50,000 deleted characters.',
  ),
  documentBranches: limit(
    63,
    'changes',
    'The number of concurrent changes that one session may make to a document, in addition to its last one. Two commands of a session are concurrent if both refer to a version without the other. If a session could make any number of concurrent changes, the next change of an honest device would have to name them all.',
  ),
  documentSessionOps: limit(
    16_000_000,
    'operations',
    'The number of operations that one session may make in a document; later changes of the session to this document are void. Commands are refused if the document holds nearly as many operations. Pasting and deleting five million characters takes ten million operations.',
  ),
  documentAllOps: limit(
    32_000_000,
    'operations',
    'The number of operations that a document may hold, with those that were replaced or deleted. A document with more operations is unreadable, because reading it would take too much time and memory.',
  ),
  documentDefaults: limit(
    256,
    'places',
    'The maximum number of fields in the initial state of a document. Each field of an initial state is made by a change of its own, so two versions of an application that declare the same field make the same change for it. Making 256 of these changes takes about 100 milliseconds.',
  ),
  documentReplaced: limit(
    100_000,
    'operations',
    'The maximum number of operations that one change of a document may replace. Deleting text that several authors wrote replaces about one operation for each deleted character.',
  ),
  documentOpsAhead: limit(
    4_194_304,
    'operations',
    'The largest gap between the operation numbers of a document change and the operation numbers of the changes on which it depends. If a command changes an older version of a document, the author numbers the new operations from the highest operation number that it holds. So there is a gap between the numbers in the older version and the new numbers. The gap is limited because otherwise one change could use up all operation numbers of a document.',
  ),
  documentLastOp: limit(
    2 ** 31 - 1,
    '',
    'The highest operation number in a document. Automerge cannot load a document with higher operation numbers.',
  ),
  documentWaitingBytes: limit(
    64 * MiB,
    'bytes',
    'The maximum size of the changes of one document that wait for missing predecessors. Honest devices never send a change before its predecessors. If the waiting changes of a document exceed this size, the device cannot read the document.',
  ),
  waitingCommits: limit(
    10_000,
    'commits',
    'The maximum number of commits of one space that wait for a dependency.',
  ),
  waitingBytes: limit(
    16 * MiB,
    'bytes',
    'The maximum total size of the commits of one space that wait for a dependency.',
  ),
  lostSessions: limit(
    100_000,
    'sessions',
    'The maximum number of sessions in the list of lost commits. A device keeps this list after its store has lost commits.',
  ),
  summariesPerMessage: limit(
    1024,
    'summaries',
    'The maximum number of summaries of sessions in one message.',
  ),
  tipsPerMessage: limit(1024, 'tips', 'The maximum number of tips of sessions in one message.'),
  tipsPerPage: limit(256, 'tips', 'The maximum number of tips of sessions in one page of a list.'),
  pathsPerMessage: limit(
    64,
    'paths',
    'The maximum number of paths of the trie in one `have` message. For each path, the sender of the message asks for up to 16 tips below this path.',
  ),
  claimsPerLink: limit(
    512,
    'sessions',
    'The maximum number of claims (statements of a peer that it holds a session up to a certain commit) that a device remembers for each link. The device remembers the same number of additional claims for sessions on which waiting commits depend. A claim that is not remembered is found again later, when the two devices compare their digests.',
  ),
  wantsPerMessage: limit(
    1024,
    'ranges',
    'The maximum number of ranges of commits that one message asks for.',
  ),
  outboxBytes: limit(
    4 * MiB,
    'bytes',
    'The maximum size of the data that waits to be sent over one link. Commits for which there is no room are not pushed; the peer asks for them later.',
  ),
  connections: limit(
    100,
    'connections',
    'The maximum number of simultaneous connections of members. If all connections are in use, the device with the most connections loses one of them.',
  ),
  linksPerDevice: limit(
    4,
    'connections',
    'The maximum number of simultaneous connections of one device. If a device opens more connections, its oldest connection is closed. Two devices use at most four connections with each other: two if both devices dial, one through a relay, and the direct connection that replaces the relayed connection.',
  ),
  linksPerAddress: limit(
    50,
    'connections',
    'The maximum number of simultaneous connections from one address. Because connections per address are limited, an office behind one router cannot take all connections.',
  ),
  deviceArrivals: limit(
    60,
    'connections',
    'The maximum number of new connections of one device per minute; all of them may come at once. A device that restarts makes several connections within a short time.',
  ),
  shutOutFirstMs: limit(
    1_000,
    'milliseconds',
    'The time for which a device is shut out after it breaks a rule for the first time. With each further violation, the device is shut out for twice as long.',
  ),
  shutOutMostMs: limit(600_000, 'milliseconds', 'The longest time for which a device is shut out.'),
  shutOutMemory: limit(
    1_000,
    'devices',
    'A device keeps one list of the devices that it has shut out, and one of the devices that have recently connected. Each list has at most this number of entries.',
  ),
  peersPerMessage: limit(64, 'peers', 'The maximum number of peers that one message introduces.'),
  relayReservations: limit(
    64,
    'reservations',
    'The maximum number of relay reservations that members hold at one anchor.',
  ),
  handshakeMs: limit(
    10_000,
    'milliseconds',
    'The time after which a connection without a proof of membership is closed.',
  ),
  handshakeBytes: limit(
    16 * KiB,
    'bytes',
    'The largest message of the handshake. A handshake message of this size has room for a full chain of admissions, but takes little memory.',
  ),
  pendingConnections: limit(
    64,
    'connections',
    'The maximum number of open connections whose peers have not proved that they know the secret. If there are more of these connections, one of them is closed, at the address that has the most of them. A separate limit of the same size applies to peers that have proved that they know the secret, but have not proved yet that they are members.',
  ),
  connectionsPerSecond: limit(
    50,
    'connections',
    'The maximum number of connections per second that are accepted from one address. After a restart of an anchor, all devices of an office behind one router reconnect at once.',
  ),
  strangerBytes: limit(
    64 * KiB,
    'bytes',
    'The maximum size of the data that is received over one connection before membership is proved: Noise and three messages of the handshake.',
  ),
  streams: limit(
    128,
    'streams',
    'The maximum number of simultaneous streams over one connection. A connection to a relay carries one stream for each peer.',
  ),
  streamsPerSecond: limit(
    50,
    'streams',
    'The maximum number of streams that are opened per second over one connection; a burst may be as large as `streams`.',
  ),
  streamWindowBytes: limit(
    512 * KiB,
    'bytes',
    'The maximum size of the data in flight in one stream, and of a frame of the multiplexer. If a frame announces a greater length, the connection is closed before any byte of the frame is stored.',
  ),
  youngStreamBytes: limit(
    128 * KiB,
    'bytes',
    'The maximum size of the data that one connection may receive on streams whose protocol is still unknown.',
  ),
  pingsPerSecond: limit(
    10,
    'pings',
    'The maximum number of pings that are answered per second over one connection; a burst may be ten times as large.',
  ),
  connectionReadBytes: limit(
    256 * KiB,
    'bytes',
    'The maximum size of the data that one connection buffers before any code reads it.',
  ),
  relayBytes: limit(
    256 * KiB,
    'bytes',
    'The maximum size of the data that a relay has received from one end of a connection and not yet sent to the other end. While a relay holds this much unsent data of a sender, the sender waits.',
  ),
  relaysBytes: limit(
    32 * MiB,
    'bytes',
    'The maximum size of the data that waits in all relayed connections together. If more data waits, the relayed connection with the most waiting data is closed.',
  ),
  linksBytes: limit(
    80 * MiB,
    'bytes',
    'The maximum size of the data that waits in the links of all peers together, in both directions. If more data waits, the link with the most waiting data is closed.',
  ),
  sessionsPerMinute: limit(
    120,
    'sessions',
    'The maximum number of sessions of its own that a device may send to another device per minute; a burst may be as large as `sessionsAtOnce`. Sessions that a peer forwards for other devices do not count towards this limit.',
  ),
  sessionsAtOnce: limit(
    16,
    'sessions',
    'The maximum number of sessions of its own that a device may send to another device at once. A device that was offline for a long time may have begun many sessions; other devices request them, and requested sessions do not count. A burst is limited because commits of other devices wait for the sessions on which they depend.',
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
    'The maximum size of the data that waits in one WebSocket. While this much data waits in a WebSocket, the sender of further data waits.',
  ),
  httpSockets: limit(
    100,
    'sockets',
    'The maximum number of open sockets of the page server. One address gets at most half of the sockets of the page server.',
  ),
  httpRequestMs: limit(
    10_000,
    'milliseconds',
    'The time that an HTTP client has to send a complete request.',
  ),
  httpHeaderBytes: limit(
    8 * KiB,
    'bytes',
    'The maximum size of all headers of one HTTP request together.',
  ),
  httpAnswerMs: limit(
    60_000,
    'milliseconds',
    'The longest time for which a client of the page server may pause while it reads an answer.',
  ),
  spareHandles: limit(
    128,
    'file handles',
    'The number of file handles that are kept free for the store, the control socket, outgoing connections and the JavaScript runtime.',
  ),
  linkWindowBytes: limit(
    512 * KiB,
    'bytes',
    'The maximum size of the data that is sent over one link and not yet processed by the peer. If the next frame would exceed this limit, the frame waits.',
  ),
  openEntities: limit(
    1_000,
    'entities',
    'The maximum number of entities whose folded state is kept in memory. The state of an entity that is not in memory is read from its stored row.',
  ),
  openEntitiesBytes: limit(
    64 * MiB,
    'bytes',
    'The maximum size of all entities in memory together, as their status states it. If they are larger, the entities used least recently leave memory, except entities that are watched, changed at the moment, or not yet stored.',
  ),
  idleEntityMs: limit(
    300_000,
    'ms',
    'An entity that nobody has used for this time leaves memory, except an entity that is watched. An entity may stay in memory up to twice this time.',
  ),
  expiryLeastMs: limit(
    60_000,
    'ms',
    'The smallest time after which the entities of a type may expire.',
  ),
  expiredPerCommit: limit(
    100,
    'entities',
    'The maximum number of expired entities that a device deletes in one commit.',
  ),
  refoldedEntities: limit(
    250,
    'entities',
    'After forks, entities are folded again in groups: at most this number of entities at a time. While entities are folded again, memory holds both their new states and their old states, which are still shown.',
  ),
  refoldPauseMs: limit(
    1_000,
    'milliseconds',
    'The pause after entities were folded again because of forks. All forks that arrive during the pause are handled together when it ends.',
  ),
  refoldsPerMinute: limit(
    30,
    'times',
    'How often per minute entities are folded again because of the forks of one device. Further forks of this device wait, and delay neither commands nor the forks of other devices.',
  ),
  eventsPerSection: limit(
    250,
    'events',
    'The maximum number of events in one section of a commit. A device folds all events of a section without a pause, with functions of the application. Split a larger change into several commands.',
  ),
  branchesPerDevice: limit(
    8,
    'sessions',
    'The maximum number of sessions of one device whose state an entity with a single writer keeps. The sessions that began to write the entity last are kept; what earlier sessions write afterwards has no effect.',
  ),
  branchNames: limit(
    128,
    'commits',
    'The maximum number of commits of other sessions that a session names when it begins to write an entity with a single writer: the commits take at most 4 KB.',
  ),
  unflushedEntities: limit(
    20_000,
    'entities',
    'The maximum number of entities that have changed in memory and whose rows are not yet written. At this limit, folding waits until rows are written. A device that has fallen behind, and catches up with changes of fewer entities than this limit, writes each row only once.',
  ),
  pendingCommands: limit(
    10_000,
    'commands',
    'The maximum number of commands that are accepted and not yet durable.',
  ),
  operations: limit(
    10_000,
    'operations',
    'The maximum number of operation ids whose outcomes a device remembers. If a command is repeated with an operation id whose outcome the device has forgotten, the command runs again.',
  ),
  pendingBytes: limit(
    64 * MiB,
    'bytes',
    'The maximum size of the commits of this device that wait for the store, per space.',
  ),
  queuedRuns: limit(
    64,
    'messages',
    'The maximum number of received messages per space that contain runs of batches and are not yet checked. All messages that wait to be checked take at most 64 MiB.',
  ),
  tabBeatMs: limit(
    1_000,
    'milliseconds',
    'The time between two checks that the leading tab is alive.',
  ),
  tabSilentBeats: limit(
    10,
    'beats',
    'Another tab takes over when the leading tab has not answered this many checks. Each tab adds a random number from zero to three to this number of checks.',
  ),
  tabQueue: limit(
    1_000,
    'requests',
    'The maximum number of requests of one following tab that wait for the leading tab.',
  ),
  tabAnswerMs: limit(
    30_000,
    'milliseconds',
    'The time after which a request to the leading tab fails. Within this time, another tab can take over from a leading tab that hangs.',
  ),
  cachedKeys: limit(
    1_000,
    'keys',
    'The maximum number of public keys of other devices that are kept in memory to verify signatures.',
  ),
  compressedFileBytes: limit(
    16 * MiB,
    'bytes',
    'The largest file that the page server compresses in memory. The page server sends files above this size uncompressed.',
  ),
  compressedCacheBytes: limit(
    32 * MiB,
    'bytes',
    'The maximum size of the compressed files that the page server keeps.',
  ),
  idleBytes: limit(
    144 * MiB,
    'bytes',
    'The resident memory of an idle daemon, including garbage that is not yet collected.',
  ),
  daemonMemoryBytes: limit(
    832 * MiB,
    'bytes',
    'The most resident memory that a daemon needs, even under attack. The sum of all entries of `memoryBudget` is below this limit. The attack harness compares the memory of a daemon with this limit.',
  ),
  controlBytes: limit(
    2 * MiB,
    'bytes',
    'The largest request to a daemon over its control socket: a command with its input. Only the user who runs the daemon may open the control socket.',
  ),
  controlReplyBytes: limit(
    64 * MiB,
    'bytes',
    'The largest answer that a daemon sends over its control socket. The largest answers are lists of all entities of a type.',
  ),
  controlRepliesBytes: limit(
    96 * MiB,
    'bytes',
    'The maximum total size of the answers that wait for clients of the control socket. This size has room for one and a half answers of the maximum size `controlReplyBytes`. If more data waits in the control socket, the connection with the most waiting data is closed.',
  ),
  controlConnections: limit(
    16,
    'connections',
    'The maximum number of simultaneous connections to the control socket of a daemon. If there are more connections, the oldest connection without a request is closed.',
  ),
  logLines: limit(
    100,
    'lines',
    'The maximum number of lines that a daemon logs per second. If there are more lines in a second, the daemon logs only how many it left out.',
  ),
  controlMs: limit(
    5_000,
    'milliseconds',
    'The time within which a complete request must reach the control socket of a daemon. The client of the control socket has the same time to read the answer.',
  ),
  conformanceMs: limit(
    60_000,
    'milliseconds',
    'The time for all checks of `peerplane conformance`. If the checks take longer, `peerplane conformance` fails.',
  ),
  journalGroupRows: limit(
    256,
    'rows',
    'The maximum number of events, of outcomes, of watermarks or of snapshots that one append to a journal writes.',
  ),
  journalGroupBytes: limit(
    16 * MiB,
    'bytes',
    'The maximum size of all records that one append to a journal writes. The limit has room for a snapshot of the largest entity and for several of the largest commands.',
  ),
  journalPageBytes: limit(
    4 * MiB,
    'bytes',
    'The maximum size of the events that one read from a journal returns, unless a single event is larger.',
  ),
  journalMs: limit(
    5_000,
    'milliseconds',
    'The time within which a journal on PostgreSQL must answer one statement. After this time, the connection is closed, and the outcome of an append is unknown.',
  ),
  homeQueue: limit(
    1_024,
    'questions',
    'The maximum number of commands and fresh reads that wait for the home of one shard. The home answers further ones as unavailable.',
  ),
  homeGroup: limit(
    64,
    'questions',
    'The maximum number of commands and fresh reads that a home answers with one append to its journal.',
  ),
  homeEntities: limit(
    256,
    'entities',
    'The number of entities of one shard that a home keeps in memory, besides those of the group that it decides.',
  ),
  homeCallers: limit(
    1_024,
    'outboxes',
    'The number of outboxes of one shard that a home keeps in memory, besides those of the group that it decides.',
  ),
  unconfirmedOutcomes: limit(
    256,
    'outcomes',
    'The maximum number of outcomes in one shard that a caller may leave unconfirmed. The home answers further commands of the caller as unavailable.',
  ),
  snapshotEvents: limit(
    100,
    'events',
    'A home stores a snapshot of a strong entity each time the number of its events is divisible by this number.',
  ),
  leaseMs: limit(
    10_000,
    'milliseconds',
    'The time for which a home holds the lease of a shard without renewing it.',
  ),
} as const satisfies Record<string, Limit>

/** The values of all limits, by name. */
export const limits: { readonly [Name in keyof typeof limitTable]: number } = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as { [Name in keyof typeof limitTable]: number }
