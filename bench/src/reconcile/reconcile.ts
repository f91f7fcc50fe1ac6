import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { encodeCanonical, hash, type Frontier } from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { createSync, type Sync } from '@peerplane/sync'
import { createLibp2pNetwork } from '@peerplane/sync/libp2p'
import { tcp } from '@libp2p/tcp'

import { readArguments } from '../arguments.ts'
import { LOCAL } from '../sessions/item.ts'
import { measured, Meter } from './measured-network.ts'
import { negentropy, riblt } from './peers.ts'
import { makeTwins, type Device, type Twins } from './replicas.ts'

/** Messages that look for differences. */
const COMPARING = ['summary', 'have', 'list', 'page'] as const

/** One way, as between two homes. */
const ONE_WAY_MS = 25
const AT_REST_MS = 30_000

/** The most that finding one difference may take. */
const LIMIT = { bytes: 2048, roundTrips: 3 }

/**
 * Reconciling: what two devices with many sessions send to each other over libp2p when they hold the same, and until one commit that one of
 * them lacks has arrived. Beside it, what other algorithms need for the same tips. Exits with 1 beyond the limit.
 */
export async function benchReconcile(args: readonly string[]): Promise<number> {
  const usage = 'usage: npm run bench -- reconcile [--sessions 10000] [--commits 100]'
  const { values } = await readArguments(usage, {
    args: [...args],
    options: {
      sessions: { type: 'string', default: '10000' },
      commits: { type: 'string', default: '100' },
    },
  })
  const [sessions, commits] = [Number(values.sessions), Number(values.commits)]
  if (!(sessions >= 1) || !(commits >= 1)) {
    console.error(usage)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-reconcile-'))
  try {
    const twins = await makeTwins(folder, sessions, commits)
    const machine = `${availableParallelism()} cores, Node ${process.versions.node}`
    const figures = await measure(twins)
    console.log(
      JSON.stringify(
        { machine, sessions, commits: sessions * commits, ...figures, limit: LIMIT },
        null,
        2,
      ),
    )
    await Promise.all([twins.author.close(), twins.reader.close()])
    const { comparingBytes, roundTrips } = figures.one
    return comparingBytes <= LIMIT.bytes && roundTrips <= LIMIT.roundTrips ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure({ author, reader, extra }: Twins) {
  const meter = new Meter(ONE_WAY_MS)
  const before = itemsOf(author.log.delivered())
  const equal = await online(author, reader, meter, async () => {
    await pause(2_000)
    const openingBytes = meter.bytes()
    meter.reset()
    await pause(AT_REST_MS)
    return { openingBytes, bytesPerMinuteAtRest: (meter.bytes() * 60_000) / AT_REST_MS }
  })
  meter.reset()
  await author.log.admit(extra)
  const after = itemsOf(author.log.delivered())
  const one = await online(author, reader, meter, async () => {
    const { session, from } = extra
    while ((reader.log.delivered().get(session)?.seq ?? 0) < from) await pause(1)
    return {
      comparingBytes: meter.bytes(...COMPARING),
      wantBytes: meter.bytes('want'),
      runsBytes: meter.bytes('runs'),
      roundTrips: meter.roundTripsBefore('want'),
      messages: meter.sent.map(({ kind, bytes }) => `${kind} ${bytes}`),
    }
  })
  return {
    equal,
    one,
    listOfTipsBytes: encodeCanonical([...author.log.delivered()].map(([id, tip]) => [id, tip.seq]))
      .length,
    negentropy: negentropy(after, before),
    riblt: await riblt(after, before),
  }
}

/** The tips of a frontier, as items of 32 bytes. */
const itemsOf = (frontier: Frontier): Uint8Array[] =>
  [...frontier].map(([session, { seq, mark }]) =>
    hash('item', encodeCanonical([session, seq, mark])),
  )

/** Runs `work` while both are connected. */
async function online<T>(
  author: Device,
  reader: Device,
  meter: Meter,
  work: () => Promise<T>,
): Promise<T> {
  const listening = await syncOf(author, meter, true, [])
  await listening.sync.start()
  const dialling = await syncOf(reader, meter, false, listening.addresses())
  try {
    await dialling.sync.start()
    while (dialling.sync.status().peers.length === 0) await pause(1)
    return await work()
  } finally {
    await dialling.sync.stop()
    await listening.sync.stop()
  }
}

async function syncOf(
  { space, key, chain, log }: Device,
  meter: Meter,
  listens: boolean,
  dial: readonly string[],
): Promise<{ readonly sync: Sync; addresses(): readonly string[] }> {
  const platform = systemPlatform()
  const network = await createLibp2pNetwork({
    ...platform,
    anchor: false,
    topic: 'reconcile',
    listen: listens ? [LOCAL] : [],
    announce: [],
    dial,
    transports: [tcp()],
    webrtc: false,
  })
  const sync = createSync({
    ...platform,
    network: measured(network, meter),
    replica: log,
    space,
    key,
    chain,
    isKnown: () => true,
    remember: () => undefined,
  })
  return { sync, addresses: () => network.addresses() }
}
