import { WebSocket, WebSocketServer } from 'ws'

import type { Change, Peer, PeerOptions } from '../peer.ts'

/** A state that products of this kind leave to the application to store and to send. */
export interface Engine {
  /** Makes changes; the result is what is stored and sent of them. */
  write(turn: readonly Change[]): readonly Uint8Array[]
  /** Takes in what another device or an earlier process wrote. */
  apply(records: readonly Uint8Array[]): void
  rank(id: string): number | undefined
  ranks(): ReadonlyMap<string, number>
  /** `apply` calls `seen` with each row that changes. */
  onRank(seen: (id: string, rank: number) => void): void
  /** Whether the state was stored beside the records: then opening reads none of them. */
  readonly holdsState?: boolean
  /** What a fresh peer is sent; without it all records. */
  catchUp?(): readonly Uint8Array[]
}

/** Where records are stored. */
export interface Journal {
  read(): Promise<readonly Uint8Array[]> | readonly Uint8Array[]
  append(records: readonly Uint8Array[]): Promise<void> | void
  close(): Promise<void> | void
}

/** A peer of an engine and a journal; frames of records over a WebSocket. A fresh peer is sent everything, then both send what they write. */
export async function openDiy(
  engine: Engine,
  journal: Journal,
  { join }: PeerOptions,
): Promise<Peer> {
  const sockets = new Set<WebSocket>()
  let server: WebSocketServer | undefined
  let storing: Promise<void> = Promise.resolve()
  if (!engine.holdsState) engine.apply(await journal.read())

  const store = (records: readonly Uint8Array[]): void => {
    const stored = journal.append(records)
    if (stored) storing = Promise.all([storing, stored]).then(() => undefined)
  }
  const attach = (socket: WebSocket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (frame: Buffer) => {
      const records = unpack(frame)
      engine.apply(records)
      store(records)
    })
  }
  const welcome = async (socket: WebSocket): Promise<void> => {
    const records = engine.catchUp?.() ?? (await journal.read())
    attach(socket)
    for (const frame of frames(records)) socket.send(frame)
  }
  if (join) {
    const socket = new WebSocket(join, { perMessageDeflate: false })
    attach(socket)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  }
  return {
    write(turn) {
      const records = engine.write(turn)
      for (const socket of sockets) socket.send(pack(records))
      store(records)
    },
    settled: () => storing,
    rank: (id) => engine.rank(id),
    ranks: () => engine.ranks(),
    watch(ids, seen) {
      const watched = new Set(ids)
      engine.onRank((id, rank) => {
        if (watched.has(id)) seen(id, rank)
      })
    },
    async address() {
      server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
      server.on('connection', (socket) => void welcome(socket))
      await new Promise((resolve) => server!.once('listening', resolve))
      return `ws://127.0.0.1:${(server.address() as { port: number }).port}`
    },
    async close() {
      for (const socket of sockets) socket.terminate()
      server?.close()
      await storing
      await journal.close()
    },
  }
}

const FRAME_RECORDS = 4096

function* frames(records: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (let from = 0; from < records.length; from += FRAME_RECORDS) {
    yield pack(records.slice(from, from + FRAME_RECORDS))
  }
}

/** Each record after its length in four bytes. */
function pack(records: readonly Uint8Array[]): Uint8Array {
  const frame = Buffer.allocUnsafe(records.reduce((size, { length }) => size + 4 + length, 0))
  let at = 0
  for (const record of records) {
    at = frame.writeUInt32BE(record.length, at)
    frame.set(record, at)
    at += record.length
  }
  return frame
}

function unpack(frame: Buffer): Uint8Array[] {
  const records: Uint8Array[] = []
  for (let at = 0; at < frame.length;) {
    const end = at + 4 + frame.readUInt32BE(at)
    records.push(frame.subarray(at + 4, end))
    at = end
  }
  return records
}
