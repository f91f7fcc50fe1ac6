import type { Peer, PeerOptions } from './peer.ts'

/** Opens a peer; `warmUp` loads what it loads late, so that no figure holds the loading of modules. */
interface PeerModule {
  open(options: PeerOptions): Promise<Peer>
  warmUp?(data: string): Promise<void>
}

/** A peer as the table names it. */
export interface PeerEntry {
  readonly load: () => Promise<PeerModule>
  /** What its figures include. */
  readonly note: string
  /** More entities than this would take minutes. */
  readonly maxEntities?: number
}

const SQLITE = 'SQLite WAL synchronous=FULL, one transaction per turn'

/** Every peer by name. */
export const peers: Readonly<Record<string, PeerEntry>> = {
  peerplane: {
    load: () => import('./peers/peerplane.ts'),
    note: `through plane.open: validated commands, signed and verified history, rows, ${SQLITE}; libp2p with Noise; shown when durable`,
  },
  'peerplane-list': {
    load: () => import('./peers/peerplane-list.ts'),
    note: 'like peerplane, but each 100 rows are the elements of one list',
  },
  'peerplane-tree': {
    load: () => import('./peers/peerplane-tree.ts'),
    note: 'like peerplane, but each 100 rows are the nodes of one tree with two levels',
  },
  'signed-turn': {
    load: () => import('./peers/signed-turn.ts'),
    note: `the limit: one Ed25519 signed, hash-chained entry per turn, verified; last-writer-wins rows; ${SQLITE}; WebSocket; shown before durable`,
  },
  loro: {
    load: () => import('./peers/loro.ts'),
    note: `one LoroDoc, a map per entity; history, unsigned; an update per transaction, logged in ${SQLITE}; WebSocket; shown before durable`,
  },
  yjs: {
    load: () => import('./peers/yjs.ts'),
    note: 'one Y.Doc, a Y.Map per entity; overwritten values are dropped, unsigned; y-leveldb, which does not flush; WebSocket; shown before durable',
  },
  'yjs-sqlite': {
    load: () => import('./peers/yjs-sqlite.ts'),
    note: `like yjs, but each update logged in ${SQLITE}`,
  },
  automerge: {
    load: () => import('./peers/automerge.ts'),
    note: `a document per entity by A.change; history, unsigned; changes logged in ${SQLITE}; the log is sent, not the protocol of Automerge per document; WebSocket`,
    maxEntities: 2000,
  },
}
