const KiB = 1024
const MiB = 1024 * KiB

/** One bound: its value, its unit and why it is that. */
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
  announcementBytes: limit(
    64 * KiB,
    'bytes',
    'one frontier announcement by gossip: a thousand sessions',
  ),
  gossipGarbage: limit(
    8,
    'messages',
    'of gossip that no member wrote, from one peer, until it is cut off: honest peers pass none on',
  ),
  gossipPerSecond: limit(
    100,
    'announcements',
    'taken from one peer; more may get lost, which anti-entropy repairs. Twice that may come at once',
  ),
  gossipPassedPerSecond: limit(
    400,
    'announcements',
    'taken from all peers together, and so passed on. Twice that may come at once',
  ),
  gossipBytesPerSecond: limit(
    2 * MiB,
    'bytes',
    'of announcements taken from all peers together, and so passed on. Twice that may come at once',
  ),
  gossipFloodPerSecond: limit(
    1_000,
    'announcements',
    'from one peer, good or not, beyond which it is cut off: more than an honest peer passes on. Twice that may come at once',
  ),
  gossipOutBytes: limit(
    256 * KiB,
    'bytes',
    'of gossip waiting to leave to one peer; beyond it the peer gets no more gossip',
  ),
  commitBytes: limit(
    1 * MiB,
    'bytes',
    'one commit, all its sections: larger content belongs outside entities',
  ),
  batchBytes: limit(1 * MiB, 'bytes', 'one batch: it must fit into a run together with its proof'),
  batchCommits: limit(
    1024,
    'commits',
    'one signature covers at most this many; the Merkle path of a sparse proof stays at 10 hashes',
  ),
  runBytes: limit(
    1 * MiB,
    'bytes',
    'a run of batches under one signature: what a forger can make a receiver hash for nothing',
  ),
  runBatches: limit(
    4096,
    'batches',
    'in a run, with those that the proof of a fork names: what lies between two signatures that were verified',
  ),
  forkBytes: limit(
    320 * KiB,
    'bytes',
    'the proof of a fork: two branches of so many batches, 40 bytes each',
  ),
  deps: limit(64, 'dependencies', 'of one commit; more are folded by an empty merge commit'),
  sections: limit(256, 'sections', 'of one commit, so that one command stays a small unit'),
  parents: limit(256, 'sessions', 'named by an opening record'),
  admissionChain: limit(16, 'admissions', 'from a device back to the creator of the space'),
  invitationBytes: limit(16 * KiB, 'bytes', 'one invitation link'),
  invitationHours: limit(
    720,
    'hours',
    'an invitation lasts, 30 days: it is a secret that lies about; one that ends later was made with a wrong clock',
  ),
  invitationAddresses: limit(16, 'addresses', 'in one invitation'),
  entityNameBytes: limit(256, 'bytes', 'of an entity type, and of an entity id'),
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
    'until a schema has judged an input: later commands on the same entities wait for it',
  ),
  opsPerSection: limit(50_000, 'operations', 'folding them stays below a fifth of a second'),
  documentBytes: limit(5 * MiB, 'bytes', 'one inflated change of a document'),
  documentOps: limit(
    50_000,
    'operations',
    'in one change of a document; 98 bytes can claim ten million',
  ),
  documentDefaults: limit(
    256,
    'places',
    'in the initial state of a document: each is a change of its own, so that versions of an application share what they have in common; making 256 takes a tenth of a second',
  ),
  documentReplaced: limit(
    100_000,
    'operations',
    'replaced by one change of a document: one who deletes a text that several have written replaces about one per character',
  ),
  documentOpsAhead: limit(
    1_000_000,
    'operations',
    'by which the numbers in a change of a document may run ahead of the changes it names: a command at an older version counts on from all that its author holds; without a bound one change could use up the numbers of a document',
  ),
  documentLastOp: limit(
    2 ** 31 - 1,
    '',
    'the highest number of an operation: Automerge cannot load a document with higher ones',
  ),
  documentWaitingBytes: limit(
    64 * MiB,
    'bytes',
    'of changes of one document that build upon changes nobody has sent; honest devices make none, and beyond it the document is unreadable here',
  ),
  waitingCommits: limit(10_000, 'commits', 'that wait for a dependency, per space'),
  waitingBytes: limit(16 * MiB, 'bytes', 'of commits that wait for a dependency, per space'),
  frontierSessions: limit(100_000, 'sessions', 'in one frontier message'),
  claimedSessions: limit(
    120_000,
    'sessions',
    'of which is remembered how far peers hold them, of all peers together; beyond it whoever claims most is cut off',
  ),
  wantsPerMessage: limit(1024, 'ranges', 'asked for in one message'),
  outboxBytes: limit(
    4 * MiB,
    'bytes',
    'waiting to leave over one link; live pushes beyond it are left to repair',
  ),
  connections: limit(
    100,
    'connections',
    'at once of members; when all are taken, the device with most gives one up',
  ),
  linksPerDevice: limit(
    4,
    'connections',
    'of one device at once, the oldest gives way: two that dial each other, a relay, and what comes after it',
  ),
  linksPerAddress: limit(
    50,
    'connections',
    'from one address at once: an office behind one router leaves room for others',
  ),
  deviceArrivals: limit(
    60,
    'connections',
    'of one device in a minute, which may come all at once: a device that restarts comes back quickly',
  ),
  shutOutFirstMs: limit(
    1_000,
    'milliseconds',
    'for which a device is shut out after it broke a rule, doubled each time it does so again',
  ),
  shutOutMostMs: limit(600_000, 'milliseconds', 'for which a device is shut out at most'),
  shutOutMemory: limit(1_000, 'devices', 'remembered as shut out or as having come lately'),
  peersPerMessage: limit(64, 'peers', 'introduced in one message'),
  relayReservations: limit(64, 'reservations', 'of members at one anchor'),
  handshakeMs: limit(
    10_000,
    'milliseconds',
    'until a connection that has not proved membership is closed',
  ),
  handshakeBytes: limit(
    16 * KiB,
    'bytes',
    'one message of the handshake: a full chain of admissions fits, and a stranger fills no memory',
  ),
  pendingConnections: limit(
    64,
    'connections',
    'that have not proved membership yet, at once; the oldest of the address with most gives way',
  ),
  pendingPerAddress: limit(
    16,
    'connections',
    'from one address that have not proved membership yet, at once; the oldest gives way',
  ),
  connectionsPerSecond: limit(
    50,
    'connections',
    'accepted from one address: an office behind one router comes back at once after a restart',
  ),
  strangerBytes: limit(
    64 * KiB,
    'bytes',
    'received before membership is proved: Noise and three messages of the handshake',
  ),
  streams: limit(128, 'streams', 'over one connection at once: a relay carries one for each peer'),
  streamsPerSecond: limit(
    50,
    'streams',
    'opened over one connection; all it may have come at once',
  ),
  streamWindowBytes: limit(
    512 * KiB,
    'bytes',
    'under way in one stream, and so one frame of the multiplexer; an announced length beyond it closes the connection before a byte of it is kept',
  ),
  youngStreamBytes: limit(
    128 * KiB,
    'bytes',
    'over all streams of one connection that have not said yet what they are for',
  ),
  pingsPerSecond: limit(
    10,
    'pings',
    'answered over one connection; ten times that may come at once',
  ),
  connectionReadBytes: limit(256 * KiB, 'bytes', 'come over a connection that nobody reads yet'),
  relayBytes: limit(
    256 * KiB,
    'bytes',
    'come from one end of a relayed connection and not sent to the other; the sender waits beyond it',
  ),
  relaysBytes: limit(
    32 * MiB,
    'bytes',
    'the same of all relayed connections together; beyond it the one that holds most is closed',
  ),
  linksBytes: limit(
    80 * MiB,
    'bytes',
    'waiting in the links of all peers together, in both directions; beyond it the link that holds most is closed',
  ),
  sessionsPerMinute: limit(
    120,
    'sessions',
    'taken from the device that began them; `sessionsAtOnce` may come together',
  ),
  sessionsAtOnce: limit(
    50,
    'sessions',
    'of a device that was without a network for long and brings what it began; each is stored by itself, and others wait meanwhile',
  ),
  webSocketBytes: limit(
    16 * KiB,
    'bytes',
    'one WebSocket message: peers cut what they send to this, and an announced length beyond it closes the socket before a byte of it is kept',
  ),
  webRtcBytes: limit(
    16 * KiB,
    'bytes',
    'one message in a WebRTC channel; an announced length beyond it closes the connection before a byte of it is kept',
  ),
  webSocketOutBytes: limit(
    128 * KiB,
    'bytes',
    'waiting in one WebSocket before its sender is told to wait',
  ),
  httpSockets: limit(
    100,
    'sockets',
    'of the page server at once; one address has at most a half of them',
  ),
  httpRequestMs: limit(10_000, 'milliseconds', 'until a request must have come in whole'),
  httpHeaderBytes: limit(8 * KiB, 'bytes', 'of the headers of one HTTP request'),
  httpAnswerMs: limit(
    60_000,
    'milliseconds',
    'for which a client of the page server may take nothing of its answer',
  ),
  spareHandles: limit(
    128,
    'file handles',
    'left to the store, the control socket, outgoing connections and the runtime of the process',
  ),
  linkWindowBytes: limit(
    512 * KiB,
    'bytes',
    'sent over one link and not yet processed by the peer; a frame may begin below it',
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
    'whose outcomes are remembered by their ids; a repetition of an older one runs again',
  ),
  pendingBytes: limit(64 * MiB, 'bytes', 'of own commits that queue for the store, per space'),
  queuedRuns: limit(64, 'runs', 'received and not yet checked, per space: 64 MiB at most'),
  tabBeatMs: limit(1_000, 'milliseconds', 'between two questions whether the leading tab lives'),
  tabSilentBeats: limit(
    10,
    'beats',
    'without a sign of life until another tab takes over from the one that leads; up to three more by chance',
  ),
  tabQueue: limit(1_000, 'requests', 'of one following tab that wait for the leader'),
  tabAnswerMs: limit(
    30_000,
    'milliseconds',
    'until a request to the leading tab fails; long enough for another tab to take over in between',
  ),
  cachedKeys: limit(1_000, 'keys', 'of other devices kept ready for verifying'),
  compressedFileBytes: limit(
    16 * MiB,
    'bytes',
    'one file that the page server compresses, which takes it into memory; larger ones go out as they are',
  ),
  compressedCacheBytes: limit(32 * MiB, 'bytes', 'of compressed files that the page server keeps'),
  idleBytes: limit(
    144 * MiB,
    'bytes',
    'of resident memory of a daemon that does nothing, with room for what is being collected',
  ),
  daemonMemoryBytes: limit(
    736 * MiB,
    'bytes',
    'of resident memory that a daemon needs at most, whoever attacks it: the sum of `memoryBudget`, which the harness of attacks measures',
  ),
  controlBytes: limit(
    2 * MiB,
    'bytes',
    'one request to a daemon over its socket, which only its user may open: a command with its input',
  ),
  controlReplyBytes: limit(64 * MiB, 'bytes', 'one answer of a daemon: a whole list'),
  controlConnections: limit(
    16,
    'connections',
    'to the socket of a daemon at once; the oldest that has asked nothing yet gives way',
  ),
  logLines: limit(
    100,
    'lines',
    'that a daemon logs in a second; of more it logs how many they were',
  ),
  controlMs: limit(
    5_000,
    'milliseconds',
    'until a request to the socket of a daemon must have come whole, and its answer be taken',
  ),
} as const satisfies Record<string, Limit>

/** The bounds by name. */
export const limits: { readonly [Name in keyof typeof limitTable]: number } = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as { [Name in keyof typeof limitTable]: number }
