import { EncoderWrapper, ready } from '@peerbit/riblt'
import { nip77 } from 'nostr-tools'

/** What another algorithm needs to find which items one of two sets lacks. */
export interface Exchange {
  readonly bytes: number
  readonly roundTrips: number
}

/** Range-based set reconciliation, as strfry and Nostr relays use it (NIP-77); items have 32 bytes. */
export function negentropy(ours: readonly Uint8Array[], theirs: readonly Uint8Array[]): Exchange {
  const [client, server] = [ours, theirs].map((items) => {
    const storage = new nip77.NegentropyStorageVector()
    for (const [index, item] of items.entries()) storage.insert(index, toHex(item))
    storage.seal()
    return new nip77.Negentropy(storage)
  }) as [nip77.Negentropy, nip77.Negentropy]
  let bytes = 0
  let roundTrips = 0
  // A message as hexadecimal digits; `null` says that nothing is left to ask.
  for (let query: string | null = client.initiate(); query !== null;) {
    const answer: string = server.reconcile(query) ?? ''
    bytes += (query.length + answer.length) / 2
    roundTrips++
    query = answer === '' ? null : client.reconcile(answer)
  }
  return { bytes, roundTrips }
}

/** Bytes of a coded symbol: the sum of items of 8 bytes, the sum of their hashes of 8 bytes, a count of 4 bytes. */
const CODED_SYMBOL = 20

/** Rateless invertible Bloom lookup tables (Yang, Gilad, Alizadeh, SIGCOMM 2024); items have 8 bytes. One side sends until the other has enough. */
export async function riblt(
  ours: readonly Uint8Array[],
  theirs: readonly Uint8Array[],
): Promise<Exchange> {
  await ready
  const [encoder, local] = [ours, theirs].map((items) => {
    const made = new EncoderWrapper()
    for (const item of items)
      made.add_symbol(new DataView(item.buffer, item.byteOffset).getBigUint64(0))
    return made
  }) as [EncoderWrapper, EncoderWrapper]
  const decoder = local.to_decoder()
  let symbols = 0
  do {
    decoder.add_coded_symbol(encoder.produce_next_coded_symbol())
    decoder.try_decode()
    symbols++
  } while (!decoder.decoded())
  return { bytes: symbols * CODED_SYMBOL, roundTrips: 1 }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
