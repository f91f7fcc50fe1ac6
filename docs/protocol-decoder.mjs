// An independent reader of the records and bodies in protocol.md: plain JavaScript over node:crypto, without a line of the product. It checks
// protocol-vectors.json, state-vectors.json and writer-vectors.json, and is what to read beside the text when you write an implementation of your own.
//
//     node docs/protocol-decoder.mjs [vectors.json [state-vectors.json [writer-vectors.json]]]
//
// It prints what it has checked; at the first thing that is not as the text says it ends with that rule and exit code 1.

import { createHash, createHmac, createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

class Broken extends Error {}

/** Ends with `rule` unless `holds`. */
function must(holds, rule) {
  if (!holds) throw new Broken(rule)
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bytesOf = (text) => Uint8Array.from(Buffer.from(text, 'hex'))
const same = (a, b) => hex(a) === hex(b)
const join = (...parts) => Uint8Array.from(Buffer.concat(parts))
const text = (string) => new TextEncoder().encode(string)

// Canonical bytes: RFC 8949, section 4.2.1.

/** The value of canonical bytes. Whatever an encoder would have written differently is refused. */
export function decode(bytes) {
  let at = 0
  const take = (length) => {
    must(at + length <= bytes.length, 'canonical bytes: they end too early')
    return bytes.subarray(at, (at += length))
  }
  const argument = (info) => {
    if (info < 24) return info
    must(info <= 27, 'canonical bytes: a length that is not definite')
    const size = 2 ** (info - 24)
    const value = take(size).reduce((sum, byte) => sum * 256 + byte, 0)
    must(
      value >= (size === 1 ? 24 : 256 ** (size / 2)),
      'canonical bytes: a number has its shortest form',
    )
    must(Number.isSafeInteger(value), 'canonical bytes: whole numbers are below 2^53')
    return value
  }
  const item = (levels) => {
    const first = take(1)[0]
    const [major, info] = [first >> 5, first & 31]
    if (major === 7) return simple(first)
    const count = argument(info)
    if (major === 0) return count
    if (major === 1) return negative(-1 - count)
    if (major === 2) return take(count).slice()
    if (major === 3)
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(count))
    must(levels > 0, 'R-VALUE-6: at most 256 levels of lists and maps')
    if (major === 4) return Array.from({ length: count }, () => item(levels - 1))
    must(major === 5, 'canonical bytes: no tags')
    let before
    return Object.fromEntries(
      Array.from({ length: count }, () => {
        const start = at
        const key = item(0)
        must(typeof key === 'string', 'canonical bytes: keys are texts')
        const encoded = hex(bytes.subarray(start, at))
        must(
          before === undefined || before < encoded,
          'canonical bytes: keys are in ascending order',
        )
        before = encoded
        return [key, item(levels - 1)]
      }),
    )
  }
  const simple = (first) => {
    if (first === 0xf4) return false
    if (first === 0xf5) return true
    if (first === 0xf6) return null
    must(first >= 0xf9 && first <= 0xfb, 'canonical bytes: no other simple value')
    const size = 2 ** (first - 0xf8)
    const raw = take(size)
    const value = floatOf(raw)
    must(
      Number.isFinite(value) && !Number.isSafeInteger(value),
      'canonical bytes: a float is finite and not whole',
    )
    must(
      size === 2 || !floatFits(value, size / 2),
      'canonical bytes: a float has its shortest form',
    )
    return value
  }
  const value = item(256)
  must(at === bytes.length, 'canonical bytes: nothing follows the value')
  return value
}

function negative(value) {
  must(Number.isSafeInteger(value), 'R-VALUE-2: integers are above -2^53')
  return value
}

function floatOf(raw) {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length)
  if (raw.length === 8) return view.getFloat64(0)
  if (raw.length === 4) return view.getFloat32(0)
  const bits = view.getUint16(0)
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return (
    sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  )
}

function floatFits(value, size) {
  if (size === 4) return Math.fround(value) === value
  const scaled = Math.abs(value) * 2 ** 24
  const mantissa = scaled / 2 ** Math.max(0, Math.floor(Math.log2(scaled)) - 10)
  return Number.isInteger(mantissa) && Math.abs(value) <= 65504
}

/** Canonical bytes of a value. */
export function encode(value) {
  const head = (major, count) => {
    if (count < 24) return Uint8Array.of((major << 5) | count)
    const size = count < 256 ? 1 : count < 65536 ? 2 : count < 2 ** 32 ? 4 : 8
    const out = new Uint8Array(1 + size)
    out[0] = (major << 5) | (24 + Math.log2(size))
    for (let i = size, rest = count; i > 0; i--, rest = Math.floor(rest / 256)) out[i] = rest % 256
    return out
  }
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4)
  if (value instanceof Uint8Array) return join(head(2, value.length), value)
  if (typeof value === 'string') return join(head(3, text(value).length), text(value))
  if (Array.isArray(value)) return join(head(4, value.length), ...value.map(encode))
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, each]) => [encode(key), encode(each)])
    const sorted = entries.sort(([a], [b]) => Buffer.compare(a, b))
    return join(head(5, entries.length), ...sorted.flat())
  }
  if (Number.isSafeInteger(value)) return value < 0 ? head(1, -1 - value) : head(0, value)
  const size = [2, 4].find((each) => floatFits(value, each)) ?? 8
  const out = new DataView(new ArrayBuffer(1 + size))
  out.setUint8(0, { 2: 0xf9, 4: 0xfa, 8: 0xfb }[size])
  out[{ 2: 'setFloat16', 4: 'setFloat32', 8: 'setFloat64' }[size]](1, value)
  return new Uint8Array(out.buffer)
}

// Hashes and signatures.

const domain = (tag) => text(`peerplane/${tag}/1\0`)

/** `H(tag, m)`. */
export const H = (tag, ...parts) =>
  Uint8Array.from(
    createHash('sha256')
      .update(join(domain(tag), ...parts))
      .digest(),
  )

const hmac = (key, message) => Uint8Array.from(createHmac('sha256', key).update(message).digest())

const ED25519 = { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' }

const publicKeyOf = (seed) =>
  createPublicKey(
    createPrivateKey({
      key: Buffer.from(ED25519.private + seed, 'hex'),
      format: 'der',
      type: 'pkcs8',
    }),
  )
    .export({ format: 'der', type: 'spki' })
    .subarray(-32)

/** The y coordinates of the points of small order. */
const SMALL = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]
const littleEndian = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`)

const PRIME = 2n ** 255n - 19n
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function signed(key, message, signature, rule) {
  must(littleEndian(signature.subarray(32)) < ORDER, `R-SIGNATURE-1: ${rule}`)
  for (const point of [key, signature.subarray(0, 32)]) {
    const y = Uint8Array.from(point)
    y[31] &= 127
    must(littleEndian(y) < PRIME, `R-SIGNATURE-2: ${rule}`)
    must(!SMALL.includes(hex(y)), `R-SIGNATURE-3: ${rule}`)
  }
  const der = Buffer.concat([Buffer.from(ED25519.public, 'hex'), key])
  must(verify(null, message, { key: der, format: 'der', type: 'spki' }, signature), rule)
}

/** Merkle root in the shape of RFC 9162. */
export function merkle(leaves) {
  if (leaves.length === 1) return leaves[0]
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return H('node', merkle(leaves.slice(0, split)), merkle(leaves.slice(split)))
}

// Records.

const array = (value, length, rule) => {
  must(Array.isArray(value) && (length === undefined || value.length === length), rule)
  return value
}
const bytes = (value, length, rule) => {
  must(value instanceof Uint8Array && (length === undefined || value.length === length), rule)
  return value
}
const whole = (value, from, rule) => {
  must(Number.isSafeInteger(value) && value >= from, rule)
  return value
}

/** The extensions after the fields of a record, or nothing. */
function extensionsAfter(fields, count, name) {
  must(
    fields.length === count || fields.length === count + 1,
    `${name}: ${count} fields, and extensions`,
  )
  if (fields.length === count) return []
  return extensions(fields[count], name)
}

function extensions(list, name) {
  array(list, undefined, `${name}: extensions are a list`)
  must(list.length > 0 && list.length % 2 === 0, `${name}: extensions are keys with values`)
  must(encode(list).length <= 1024, `${name}: extensions have at most 1,024 bytes`)
  list.forEach((key, at) => {
    if (at % 2 === 0) whole(key, at === 0 ? 0 : list[at - 2] + 1, `${name}: extension keys ascend`)
  })
  return list
}

const withExtensions = (fields, list) => (list.length > 0 ? [...fields, list] : fields)

const isRole = (value, rule) => must(value === 0 || value === 1, rule)

export function spaceRecord(encoded) {
  const fields = array(decode(encoded), undefined, 'space record: an array')
  const [version, creator, role, commitment, nonce] = fields
  must(version === 1, 'space record: version 1')
  extensionsAfter(fields, 5, 'space record')
  isRole(role, 'space record: a role')
  bytes(nonce, 16, 'space record: a nonce of 16 bytes')
  return {
    creator: bytes(creator, 32, 'space record: a creator of 32 bytes'),
    commitment: bytes(commitment, 32, 'space record: a hash of the secret'),
    id: H('space', encoded),
  }
}

const grantMessage = ([space, issuer, inviteKey, role, notAfter, , list = []]) =>
  join(domain('grant'), encode(withExtensions([space, issuer, inviteKey, role, notAfter], list)))

function grantOf(value) {
  const grant = array(value, undefined, 'grant: an array')
  extensionsAfter(grant, 6, 'grant')
  for (const field of grant.slice(0, 3))
    bytes(field, 32, 'grant: space, issuer and invite key have 32 bytes')
  isRole(grant[3], 'grant: a role')
  whole(grant[4], 0, 'grant: not after is a whole number')
  bytes(grant[5], 64, 'grant: a signature of 64 bytes')
  signed(grant[1], grantMessage(grant), grant[5], 'grant: the issuer signs it')
  return grant
}

export function admission(encoded) {
  const fields = array(decode(encoded), undefined, 'admission: an array')
  const list = extensionsAfter(fields, 3, 'admission')
  const [value, device, signature] = fields
  const grant = grantOf(value)
  bytes(device, 32, 'admission: a device of 32 bytes')
  const message = join(
    domain('admission-signature'),
    H('grant-id', grantMessage(grant)),
    device,
    ...withExtensions([], list).map(encode),
  )
  signed(grant[2], message, signature, 'admission: the invite key signs it')
  return { grant, device, extensions: list, id: H('admission', encoded) }
}

export function invitation(link) {
  must(link.startsWith('pp1.'), 'invitation: it begins with pp1.')
  const encoded = Uint8Array.from(Buffer.from(link.slice(4), 'base64url'))
  const fields = array(decode(encoded), undefined, 'invitation: an array')
  extensionsAfter(fields, 7, 'invitation')
  const [version, record, secret, grant, seed, chain, addresses] = fields
  must(version === 1, 'invitation: version 1')
  const space = spaceRecord(record)
  must(
    same(H('space-secret', secret), space.commitment),
    'invitation: the space record commits to the secret',
  )
  must(same(grantOf(grant)[0], space.id), 'invitation: the grant is of its space')
  must(same(publicKeyOf(hex(seed)), grant[2]), 'invitation: its seed is that of the invite key')
  return { space, grant, chain: chain.map(admission), addresses }
}

/** What a side of a handshake says first. */
export function helloOf(encoded) {
  const fields = array(decode(encoded), undefined, 'hello: an array')
  const list = extensionsAfter(fields, 3, 'hello')
  const [lowest, highest, nonce] = fields
  whole(lowest, 0, 'hello: the lowest version')
  whole(highest, lowest, 'hello: the highest version, from the lowest on')
  return { lowest, highest, nonce: bytes(nonce, 32, 'hello: a nonce of 32 bytes'), list }
}

/** The device of `[statement, chain]` in a handshake, verified. */
function claimOf(value, context, creator) {
  const [statement, chain] = array(value, 2, 'handshake: a statement and a chain')
  const [device, signature] = array(statement, 2, 'statement: a device and a signature')
  signed(
    device,
    join(domain('statement'), encode([context, device])),
    signature,
    'statement: the device signs the context and itself',
  )
  must(same(chainOf(chain, creator).device, device), 'chain: it leads to the device')
  return device
}

/** The device to which a chain leads, and the id of its last admission. */
function chainOf(chain, creator) {
  let [device, last] = [creator, undefined]
  for (const encoded of array(chain, undefined, 'chain: a list')) {
    const { grant, device: admitted, id } = admission(bytes(encoded, undefined, 'chain: bytes'))
    must(same(grant[1], device), 'chain: each grant is issued by the device before it')
    ;[device, last] = [admitted, id]
  }
  return { device, last }
}

const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** The network id of an Ed25519 key: base58btc of an identity multihash over the protobuf of the key. */
function networkIdOf(key) {
  let rest = BigInt(`0x002408011220${hex(key)}`)
  let out = ''
  for (; rest > 0n; rest /= 58n) out = DIGITS[Number(rest % 58n)] + out
  return `1${out}`
}

const tipOf = (value) => {
  const [session, seq, mark] = array(value, 3, 'tip: 3 fields')
  bytes(session, 16, 'tip: a session of 16 bytes')
  bytes(mark, 16, 'tip: a mark of 16 bytes')
  return { session, seq: whole(seq, 1, 'tip: a seq from 1'), mark }
}

export function opening(encoded) {
  const fields = array(decode(encoded), undefined, 'opening: an array')
  must(fields[0] === 1, 'opening: version 1')
  const list = extensionsAfter(fields, 6, 'opening')
  const [, space, device, parents, admissionId, nonce] = fields
  bytes(nonce, 16, 'opening: a nonce of 16 bytes')
  const first = H('opening', encoded)
  return {
    space: bytes(space, 32, 'opening: a space of 32 bytes'),
    device: bytes(device, 32, 'opening: a device of 32 bytes'),
    parents: array(parents, undefined, 'opening: parents are a list').map(tipOf),
    admission: bytes(admissionId, 32, 'opening: an admission of 32 bytes'),
    extensions: list,
    start: startOf(list),
    first,
    session: first.slice(0, 16),
  }
}

/** R-OPENING-6 */
const startOf = ([key, value]) =>
  key === 0 && Number.isSafeInteger(value) && value >= 0 ? value : undefined

export const saltOf = (seed, seq, index) => H('salt', seed, encode([seq, index])).slice(0, 16)

export const leafOf = (salt, { key, version, body, extensions: list }) =>
  H('section', encode(withExtensions([salt, key, version, H('body', body)], list)))

const rootOf = (leaves) =>
  leaves.length === 0 ? new Uint8Array(32) : H('sections', encode([leaves.length, merkle(leaves)]))

const headerOf = ({ seq, deps, digest, time, root, extensions: list }) =>
  encode(withExtensions([seq, deps, digest, time, root], list))

/** A batch of a session, its headers and hashes rebuilt. */
export function batch(encoded, { session, previous, firstSeq }) {
  const fields = array(decode(encoded), 5, 'batch: 5 fields')
  const [seed, signature, firstTime, depList, list] = fields
  bytes(seed, 16, 'batch: a seed of 16 bytes')
  bytes(signature, undefined, 'batch: a signature')
  must(signature.length === 0 || signature.length === 64, 'batch: a signature of 64 bytes, or none')
  must(array(list, undefined, 'batch: commits').length > 0, 'batch: at least one commit')
  const named = []
  let time = pair(firstTime)
  const commits = list.map((value, index) => {
    const items = [...array(value, undefined, 'commit: a list')]
    if (index > 0) time = timeAfter(time, items.shift())
    const last = items.at(-1)
    const isExtended = Array.isArray(last) && last.length === 1
    const more = isExtended ? extensions(items.pop()[0], 'header') : []
    const sections = items.map((section) => sectionOf(section, named))
    const seq = firstSeq + index
    const root = rootOf(sections.map((section, at) => leafOf(saltOf(seed, seq, at), section)))
    const deps = index === 0 ? depsOf(depList) : { deps: [], digest: new Uint8Array(0) }
    const header = headerOf({ seq, ...deps, time, root, extensions: more })
    return { seq, time, sections, header, id: H('commit', session, header) }
  })
  const root = merkle(commits.map(({ id }) => id))
  const id = H('batch', encode([session, firstSeq, commits.length, previous, root]))
  return { commits, root, id, signature, seed, ...depsOf(depList) }
}

const pair = (value) => {
  const time = array(value, 2, 'time: milliseconds and a counter')
  must(time[1] <= MAX_COUNTER, 'R-COMMIT-6: the counter is at most 65,535')
  return time.map((each) => whole(each, 0, 'time: whole numbers'))
}

const MAX_COUNTER = 65535

function timeAfter([ms, counter], value) {
  if (!Array.isArray(value)) {
    whole(value, 0, 'time: a whole number, or a pair')
    if (value > 0) return [whole(ms + value, 0, 'time: not beyond the last one'), 0]
    must(counter < MAX_COUNTER, 'time: not beyond the last one')
    return [ms, counter + 1]
  }
  const time = pair(value)
  const isNext = time[0] === ms && time[1] === counter + 1
  must(!isNext && !(time[0] > ms && time[1] === 0), 'time: a number where a number would do')
  return time
}

function depsOf(list) {
  array(list, undefined, 'deps: a list')
  if (list.length === 0) return { deps: [], digest: new Uint8Array(0) }
  must(list.length % 2 === 1 && list.length > 1, 'deps: a digest and pairs')
  const deps = []
  for (let at = 1; at < list.length; at += 2) {
    bytes(list[at], 16, 'deps: a session of 16 bytes')
    must(at === 1 || hex(list[at - 2]) < hex(list[at]), 'deps: in the order of their sessions')
    deps.push([list[at], whole(list[at + 1], 1, 'deps: a seq from 1')])
  }
  return { deps, digest: bytes(list[0], 16, 'deps: a digest of 16 bytes') }
}

function sectionOf(value, named) {
  const list = extensionsAfter(array(value, undefined, 'section: an array'), 2, 'section')
  const [entity, body] = value
  bytes(body, undefined, 'section: a body')
  if (!Array.isArray(entity)) {
    must(
      named[whole(entity, 0, 'section: the number of an entity')],
      'section: an entity that was named',
    )
    return { ...named[entity], body, extensions: list }
  }
  const [key, version] = array(entity, 2, 'section: an entity has a key and a version')
  must(typeof key === 'string' && /^[^/]+\/./su.test(key), 'section: a key is type/id')
  whole(version, 0, 'section: a version is a whole number')
  must(
    !named.some((each) => each.key === key && each.version === version),
    'section: an entity is named once',
  )
  named.push({ key, version })
  return { key, version, body, extensions: list }
}

/** The device signs the id of a batch. */
const isSigned = (device, { id, signature }) =>
  signed(device, join(domain('batch-signature'), id), signature, 'batch: the device signs its id')

/** A proof of a fork, verified. */
export function fork(encoded, session, device) {
  const fields = array(decode(encoded), undefined, 'fork: an array')
  const list = extensionsAfter(fields, 4, 'fork')
  must(
    list.every((key, at) => at % 2 === 1 || key % 2 === 1),
    'fork: no critical key that is not known',
  )
  const [seq, previous, ...branches] = fields.slice(0, 4)
  const ids = branches.map((branch) => {
    const [links, signature] = array(branch, 2, 'fork: a branch has links and a signature')
    let [id, at, first] = [previous, seq, undefined]
    for (const [count, root] of links) {
      id = H('batch', encode([session, at, count, id, root]))
      first ??= id
      at += count
    }
    signed(
      device,
      join(domain('batch-signature'), id),
      signature,
      'fork: the device signs both branches',
    )
    return hex(first)
  })
  must(ids[0] !== ids[1], 'fork: the first batches differ')
  return { seq, previous, tip: [session, Number.MAX_SAFE_INTEGER - seq, previous.slice(0, 16)] }
}

const EMPTY = new Uint8Array(16)

/** The digest of a path of the trie over tips. */
export function digest(tips, path = '') {
  const below = tips.filter(([session]) => hex(session).startsWith(path))
  if (below.length === 0) return EMPTY
  const sorted = below.sort(([a], [b]) => (hex(a) < hex(b) ? -1 : 1))
  if (below.length <= 16) return H('tips', encode(sorted)).slice(0, 16)
  const children = Array.from({ length: 16 }, (_, digit) =>
    digest(below, path + digit.toString(16)),
  )
  return H('tip-trie', ...children).slice(0, 16)
}

// Messages.

const trieTip = (value) => {
  const { session, seq, mark } = tipOf(value)
  return [hex(session), seq, hex(mark)]
}
const triePath = (value) => {
  must(typeof value === 'string' && /^[0-9a-f]{0,32}$/.test(value), 'R-TIP-2: a path')
  return value
}
const textOf = (value, rule) => {
  must(typeof value === 'string', rule)
  return value
}
const summaryOf = (value) => {
  const [path, sessions, commits, of] = array(value, 4, 'summary: 4 fields')
  whole(sessions, 0, 'summary: a number of sessions')
  whole(commits, 0, 'summary: a number of commits')
  return [triePath(path), sessions, commits, hex(bytes(of, 16, 'summary: a digest of 16 bytes'))]
}
const rangeOf = (value) => {
  const [session, from, to] = array(value, 3, 'want: a range has 3 fields')
  bytes(session, 16, 'want: a session of 16 bytes')
  whole(from, 1, 'want: a seq from 1')
  return [hex(session), from, whole(to, from, 'want: it does not end before it begins')]
}
const peerOf = (value) => {
  const [peer, addresses, device] = array(value, 3, 'peers: 3 fields')
  for (const address of array(addresses, undefined, 'peers: addresses'))
    textOf(address, 'peers: an address is a text')
  return [textOf(peer, 'peers: a network id'), addresses, hex(bytes(device, 32, 'peers: a device'))]
}
const listOf = (value, read) => array(value, undefined, 'message: a list').map(read)

/** How the fields of each kind of message are read. */
const messageKinds = {
  1: ['summary', (list) => listOf(list, summaryOf), (reply) => reply === true],
  2: ['have', (list) => listOf(list, trieTip), (paths) => listOf(paths, triePath)],
  3: ['want', (list) => listOf(list, rangeOf)],
  4: ['runs', (list) => listOf(list, runOf)],
  5: ['peers', (list) => listOf(list, peerOf)],
  6: ['bye', (reason) => textOf(reason, 'bye: a reason')],
  7: ['list', triePath, (after) => whole(after, 0, 'list: a position')],
  8: [
    'page',
    triePath,
    (list) => listOf(list, trieTip),
    (next) => whole(next, 0, 'page: a position'),
  ],
}

/** A message of a link; `undefined` for one of an unknown kind, or with a critical key that is not known. */
export function message(encoded) {
  const [kind, ...fields] = array(decode(encoded), undefined, 'R-MESSAGE-1: a list')
  const [name, ...readers] = messageKinds[whole(kind, 0, 'R-MESSAGE-1: a kind')] ?? []
  if (!name) return undefined
  const list = extensionsAfter(fields, readers.length, name)
  if (list.some((key, at) => at % 2 === 0 && key % 2 === 0)) return undefined
  if (name === 'summary') must(typeof fields[1] === 'boolean', 'summary: reply is true or false')
  return { name, fields: readers.map((read, at) => read(fields[at])) }
}

/** A run, nothing verified yet. */
function runOf(value) {
  const { length } = array(value, undefined, 'run: a list')
  must(length === 4 || length === 5, 'R-RUN-8: 4 fields, or 5 with the proof of a fork')
  const [session, from, begin, batches, proof] = value
  bytes(session, 16, 'run: a session of 16 bytes')
  whole(from, 1, 'run: a seq from 1')
  must((from === 1) === (begin !== null), 'R-RUN-7: the opening is there if it begins at commit 1')
  const encoded = listOf(batches, (each) => bytes(each, undefined, 'run: a batch is bytes'))
  must(encoded.length > 0 || length === 5, 'run: a batch or a proof')
  if (length === 5) bytes(proof, undefined, 'R-FORM-7: the proof of a fork is bytes')
  return { session, from, begin, batches: encoded, proof }
}

/**
 * Verifies a run, and adds to `held` what it brings: the device of each session, and the ids of its batches by the seq of their last commit.
 * Returns the tip of the session.
 */
export function verifyRun({ session, from, begin, batches, proof }, { space, creator }, held) {
  if (begin) {
    const [record, chain] = array(begin, 2, 'run: an opening and a chain')
    const opened = opening(bytes(record, undefined, 'R-FORM-7: an opening is bytes'))
    must(same(opened.session, session), 'R-OPENING-1: the session of the run')
    must(same(opened.space, space), 'R-OPENING-1: the space')
    const { device, last } = chainOf(chain, creator)
    must(same(device, opened.device), 'R-RUN-7: the chain leads to the device of the opening')
    must(same(opened.admission, last ?? space), 'R-OPENING-4: the admission of the device')
    held.set(hex(session), { device, ends: new Map([[0, opened.first]]) })
  }
  const { device, ends } = held.get(hex(session))
  let [previous, firstSeq] = [ends.get(from - 1), from]
  let end
  for (const encoded of batches) {
    end = batch(encoded, { session, previous, firstSeq })
    previous = end.id
    firstSeq += end.commits.length
    ends.set(firstSeq - 1, previous)
  }
  if (!proof) {
    isSigned(device, end)
    return [session, firstSeq - 1, previous.slice(0, 16)]
  }
  const proved = fork(proof, session, device)
  must(
    proved.seq === firstSeq && same(proved.previous, previous),
    'R-FORK-4: the proof follows the last batch',
  )
  return proved.tip
}

// The vectors.

/** Checks all of the vectors; returns what was checked. Throws with the rule that does not hold. */
export function check(vectors) {
  const done = []
  const rule = (name, holds) => {
    must(holds, `vectors: ${name}`)
    done.push(name)
  }
  checkBytes(vectors, rule)
  const devices = checkTrust(vectors, rule)
  checkLog(vectors, devices, rule)
  checkMessages(vectors, devices, rule)
  checkAnnouncement(vectors, rule)
  checkHandshake(vectors, devices, rule)
  return done
}

function checkBytes(vectors, rule) {
  for (const { value, hex: encoded } of vectors.canonical) {
    rule('canonical bytes', isDeepStrictEqual(decode(bytesOf(encoded)), value))
  }
  for (const [why, encoded] of Object.entries(vectors.notCanonical)) {
    rule(
      `refused: ${why}`,
      isRefused(() => decode(bytesOf(encoded))),
    )
  }
  checkClock(vectors.clock, rule)
  const isValid = ({ key, message, signature }) => {
    signed(bytesOf(key), bytesOf(message), bytesOf(signature), 'a signature')
    return true
  }
  for (const each of Object.values(vectors.signatures.accepted)) {
    rule('a valid signature', isValid(each))
  }
  for (const [why, each] of Object.entries(vectors.signatures.refused)) {
    rule(
      `refused: ${why}`,
      isRefused(() => isValid(each)),
    )
  }
  rule('hash', hex(H(vectors.hash.tag, bytesOf(vectors.hash.message))) === vectors.hash.hex)
  const { key, tag, message } = vectors.mac
  const macInput = join(domain(tag), bytesOf(message))
  rule('mac', hex(hmac(bytesOf(key), macInput)) === vectors.mac.hex)
  for (const { tips, digest: expected } of vectors.tips) {
    rule('digest of tips', hex(digest(tips.map((tip) => decode(bytesOf(tip))))) === expected)
  }
}

/** Checks the readings of a clock: R-CLOCK-2 and R-CLOCK-3. */
function checkClock(steps, rule) {
  let [ms, counter] = [0, 0]
  for (const { wall, gives, observes, ignores } of steps) {
    if (gives) {
      if (wall > ms) [ms, counter] = [wall, 0]
      else if (counter < MAX_COUNTER) counter++
      else [ms, counter] = [ms + 1, 0]
      rule('clock: what it gives', isDeepStrictEqual(gives, [ms, counter]))
      continue
    }
    const [theirs, count] = pair(observes ?? ignores)
    const isLater = theirs > ms || (theirs === ms && count > counter)
    rule('clock: what it observes', (isLater && theirs <= wall + 86_400_000) === !ignores)
    if (observes) [ms, counter] = observes
  }
}

/** Checks who may write; returns the creator of the space and a guest. */
function checkTrust(vectors, rule) {
  const space = spaceRecord(sized(vectors.space.record))
  rule('space id', hex(space.id) === vectors.space.id)
  rule('creator', same(space.creator, publicKeyOf(vectors.space.creatorSeed)))
  const invited = invitation(vectors.invitation.text)
  rule(
    'invitation',
    same(invited.space.id, space.id) &&
      vectors.invitation.text.length === vectors.invitation.characters,
  )
  rule('invite seed', same(invited.grant[2], publicKeyOf(vectors.invitation.inviteSeed)))
  const admitted = admission(sized(vectors.admission.record))
  rule(
    'admission',
    hex(admitted.id) === vectors.admission.id && same(admitted.grant[1], space.creator),
  )
  rule('admitted device', same(admitted.device, publicKeyOf(vectors.admission.deviceSeed)))
  const extended = admission(sized(vectors.admission.withExtensions.record))
  rule('admission with extensions', hex(extended.id) === vectors.admission.withExtensions.id)
  rule('extensions of it and its grant', extended.extensions.length + extended.grant[6].length > 3)
  return { space: space.id, creator: space.creator, guest: admitted.device }
}

function checkLog(vectors, { space, creator, guest }, rule) {
  const opened = opening(sized(vectors.opening.record))
  rule(
    'opening',
    hex(opened.first) === vectors.opening.first && hex(opened.session) === vectors.opening.session,
  )
  rule(
    'opening: the space and its creator',
    same(opened.space, space) && same(opened.device, creator),
  )
  const reopened = openedAs(vectors.opening.withOneParent)
  rule('opening with a parent', same(reopened.parents[0].session, opened.session))
  const extended = openedAs(vectors.opening.withExtensions)
  rule('opening with extensions', extended.extensions.length > 0)
  const { withStart } = vectors.opening
  rule('opening with a start', openedAs(withStart).start === withStart.start)

  const place = { session: opened.session, previous: opened.first, firstSeq: 1 }
  const three = batch(sized(vectors.batch.ofThree), place)
  rule('batch id', hex(three.id) === vectors.batch.id && hex(three.root) === vectors.batch.root)
  rule('batch seed', hex(three.seed) === vectors.batch.seed)
  isSigned(creator, three)
  rule('batch signature', hex(three.signature) === vectors.batch.signature)
  const [first] = three.commits
  rule(
    'header',
    same(first.header, sized(vectors.commit.header)) && hex(first.id) === vectors.commit.id,
  )
  rule('salt', hex(saltOf(three.seed, 1, 0)) === vectors.commit.salt)
  rule('leaf', hex(leafOf(saltOf(three.seed, 1, 0), first.sections[0])) === vectors.commit.leaf)
  const one = batch(sized(vectors.batch.ofOne), guestPlace(vectors))
  const dependent = vectors.commit.withOneDependency
  rule(
    'header with a dependency',
    same(one.commits[0].header, sized(dependent.header)) && hex(one.commits[0].id) === dependent.id,
  )
  rule('digest of deps', hex(H('deps', three.id).slice(0, 16)) === dependent.digest)
  isSigned(guest, one)
  checkDependent(vectors, { creator, guest }, [three.id, one.id], rule)
  const more = batch(sized(vectors.batch.withExtensions.bytes), place)
  isSigned(creator, more)
  rule('batch with extensions', hex(more.id) === vectors.batch.withExtensions.id)
  for (const [why, encoded] of Object.entries(vectors.batch.refused)) {
    rule(
      `refused: ${why}`,
      isRefused(() => batch(bytesOf(encoded), place)),
    )
  }

  const proved = fork(sized(vectors.fork.proof), opened.session, creator)
  rule('tip of a fork', same(encode(proved.tip), sized(vectors.fork.tip)))
  const { proof, tip } = vectors.fork.afterThree
  const after = fork(sized(proof), opened.session, creator)
  rule('fork after a batch', after.seq === 4 && same(after.previous, three.id))
  rule('tip of that fork', same(encode(after.tip), sized(tip)))
  const extendedFork = fork(sized(vectors.fork.withExtensions), opened.session, creator)
  rule('fork with extensions', same(encode(extendedFork.tip), sized(vectors.fork.tip)))
  checkSparse(vectors, three, rule)
}

/** Batches that depend on the ends of one session and of two: `ids` are those of batches of the creator and of the guest. */
function checkDependent({ opening: begun, batch: of, commit }, { creator, guest }, ids, rule) {
  const parent = openedAs(begun.withOneParent)
  const after = batch(sized(of.afterItsParent.bytes), placeAfter(parent))
  isSigned(creator, after)
  rule('batch after its parent', hex(after.id) === of.afterItsParent.id)
  rule(
    'R-COMMIT-3: a parent is a dep, too',
    same(after.deps[0][0], parent.parents[0].session) && after.deps[0][1] === parent.parents[0].seq,
  )
  rule('R-COMMIT-5: the parent', same(after.digest, H('deps', ids[0]).slice(0, 16)))

  const opened = openedAs(of.ofTwoSessions.opening)
  rule('parent of the guest', same(opened.parents[0].mark, ids[1].slice(0, 16)))
  const both = batch(sized(of.ofTwoSessions.bytes), placeAfter(opened))
  isSigned(guest, both)
  rule('batch of two deps', hex(both.id) === of.ofTwoSessions.id)
  const [first] = both.commits
  const { header, digest: expected, id } = commit.withTwoDependencies
  rule('header of two deps', same(first.header, sized(header)) && hex(first.id) === id)
  const idOf = new Map([
    [hex(opened.parents[0].session), ids[1]],
    [hex(parent.session), after.id],
  ])
  const named = both.deps.map(([session]) => idOf.get(hex(session)))
  rule('R-COMMIT-5: two deps', hex(H('deps', ...named).slice(0, 16)) === expected)
  const place = { session: opened.session, previous: both.id, firstSeq: 2 }
  const next = batch(sized(of.ofTwoSessions.next.bytes), place)
  isSigned(guest, next)
  rule('batch without deps', hex(next.id) === of.ofTwoSessions.next.id && next.deps.length === 0)
}

const placeAfter = ({ session, first }) => ({ session, previous: first, firstSeq: 1 })

function checkMessages({ messages, fork: { afterThree }, batch: of }, devices, rule) {
  const held = new Map()
  const opened = of.ofTwoSessions.opening.session
  const ends = {
    runs: [`${opened} 2 ${of.ofTwoSessions.next.id.slice(0, 32)}`],
    runsWithFork: [hex(sized(afterThree.tip))],
  }
  ends.runsWithoutOpening = ends.runs
  ends.runsOfTwoSessions = [...ends.runsWithFork, ...ends.runs]
  const { ignored, ...others } = messages
  for (const [why, encoded] of Object.entries(ignored)) {
    rule(`ignored: ${why}`, message(bytesOf(encoded)) === undefined)
  }
  for (const [name, vector] of Object.entries(others)) {
    const { name: kind, fields } = message(sized(vector))
    if (kind !== 'runs') {
      rule(`message: ${name}`, name.startsWith(kind) && isDeepStrictEqual(fields, vector.fields))
      continue
    }
    const tips = fields[0].map((run) => verifyRun(run, devices, held))
    const shownTips = tips.map(([session, seq, mark]) =>
      seq > 2 ** 52 ? hex(encode([session, seq, mark])) : `${hex(session)} ${seq} ${hex(mark)}`,
    )
    rule(`message: ${name}`, isDeepStrictEqual(shownTips, ends[name]))
  }
}

function checkAnnouncement({ announcement, mac: { key } }, rule) {
  const [content, proof] = array(decode(sized(announcement)), 2, 'R-GOSSIP-1: content and mac')
  const [commits, of, tips] = array(content, undefined, 'R-GOSSIP-1: a list')
  extensionsAfter(content, 3, 'announcement')
  whole(commits, 0, 'R-GOSSIP-1: a number of commits')
  must(tips.length <= 64, 'R-GOSSIP-1: at most 64 tips')
  const fields = [commits, hex(bytes(of, 16, 'R-GOSSIP-1: a digest')), listOf(tips, trieTip)]
  rule('announcement', isDeepStrictEqual(fields, announcement.fields))
  const mac = (tag, of) => hmac(bytesOf(key), join(domain(tag), of))
  rule('mac of an announcement', same(proof, mac('announcement', encode(content))))
  const topic = mac('topic', new Uint8Array(0)).slice(0, 16)
  rule('topic', hex(topic) === announcement.topic)
}

function checkSparse({ sparse }, three, rule) {
  const second = three.commits[1]
  const leaves = second.sections.map((section, at) =>
    leafOf(saltOf(three.seed, sparse.seq, at), section),
  )
  rule(
    'sparse: leaf and salt',
    hex(leaves[0]) === sparse.leafOfHidden &&
      hex(saltOf(three.seed, sparse.seq, 1)) === sparse.saltOfShown,
  )
  rule('sparse: the section that is shown', second.sections[1].key === sparse.shows)
  const [sibling, rest] = sparse.path.map(bytesOf)
  rule('sparse: path', same(H('node', H('node', sibling, second.id), rest), three.root))
}

function checkHandshake(vectors, { space, creator, guest }, rule) {
  const { initiator, responder, contexts } = vectors.handshake
  for (const side of [initiator, responder]) {
    rule('network id', networkIdOf(publicKeyOf(side.networkSeed)) === side.networkId)
  }
  const ids = [initiator.networkId, responder.networkId]
  const secret = bytesOf(vectors.mac.key)
  const mac = (tag, message) => hmac(secret, join(domain(tag), message))
  const contextOf = (hello, answer, side) =>
    H('handshake-context', encode([space, ...ids, hello, answer, side]))

  const [first, shown] = initiator.frames.map((frame) => decode(sized(frame)))
  const [second, told, last] = responder.frames.map((frame) => decode(sized(frame)))
  const [selector, hello, proof] = array(first, 3, 'handshake: selector, hello and mac')
  rule('selector', same(selector, mac('select', encode([space, ids[1]])).slice(0, 16)))
  const [answer, answerProof] = array(second, 2, 'handshake: hello and mac')
  for (const each of [hello, answer]) {
    const { lowest, highest } = helloOf(each)
    rule('hello: version 1', lowest <= 1 && highest >= 1)
  }
  const opened = contextOf(hello, new Uint8Array(0), 'initiator')
  rule('context of the first frame', hex(opened) === contexts.ofTheFirstFrame)
  rule('mac of the first frame', same(proof, mac('handshake', opened)))
  const ofInitiator = contextOf(hello, answer, 'initiator')
  const ofResponder = contextOf(hello, answer, 'responder')
  rule('context of the initiator', hex(ofInitiator) === contexts.ofTheInitiator)
  rule('context of the responder', hex(ofResponder) === contexts.ofTheResponder)
  rule('mac of the responder', same(answerProof, mac('handshake', ofResponder)))
  rule('device of the responder', same(claimOf(told, ofResponder, creator), creator))
  rule('device of the initiator', same(claimOf(shown, ofInitiator, creator), guest))
  rule('admitted', isDeepStrictEqual(last, ['admitted']))
}

/** An opening of the vectors that states its session. */
function openedAs({ record, session }) {
  const found = opening(sized(record))
  must(hex(found.session) === session, 'opening: its hash begins with the session id')
  return found
}

/** The bytes of a vector that states their number. */
function sized({ bytes: count, hex: encoded }) {
  const found = bytesOf(encoded)
  must(found.length === count, 'vectors: the number of bytes')
  return found
}

const guestPlace = ({ batch: { guest } }) => ({
  session: bytesOf(guest.session),
  previous: bytesOf(guest.first),
  firstSeq: 1,
})

function isRefused(task) {
  try {
    task()
    return false
  } catch (error) {
    return error instanceof Broken || error instanceof TypeError
  }
}

// States: what is shown follows from the set of all bodies, so no order of arrival occurs here.

/** An op whose kind differs from that of its place: it is skipped. */
class OtherKind extends Error {}

/**
 * The state that bodies of commits make, whether the entity exists, and whether it is incomplete. A shape is `{kind: 'counter'}`,
 * `{kind: 'set'}`, `{kind: 'register', initial, clock}`, `{kind: 'multi-value-register', initial}`, `{kind: 'flag', wins}`, `{kind: 'vote'}`, `{kind: 'grow-only-counter'}`,
 * `{kind: 'grow-only-set'}`, `{kind: 'text'}`, `{kind: 'map', value: shape}` or `{kind: 'record', fields: {name: shape}}`.
 */
export function stateOf({ shape, sessions, bodies }) {
  const opened = new Map(sessions.map((each) => [each.session, each]))
  const judged = bodies.map((body) => judge(shape, body, opened)).filter((each) => each)
  const { exists, current } = entityOf(judged)
  const ops = exists ? current.flatMap((each) => each.ops) : []
  return { state: jsonOf(shown(shape, ops)), exists, incomplete: judged.some((each) => each.skips) }
}

/** Whether the entity exists, and the bodies of its generation: R-ENTITY-1 to R-ENTITY-5. */
function entityOf(judged) {
  const generation = Math.max(0, ...judged.map(({ body }) => body.generation))
  const current = judged.filter(({ body }) => body.generation === generation)
  const deletions = current.filter(({ body }) => body.deletes !== undefined)
  const isDeleted = ({ session, seq, prefix }) =>
    deletions.some(({ body: { deletes, commits } }) =>
      deletes?.some((number) => {
        const name = commits[number]
        return name.session === session && name.seq === seq && name.prefix === prefix
      }),
    )
  const touches = current.filter(({ body }) => body.touches).map(({ body }) => body)
  const later = [...touches, ...deletions.map(({ body }) => body)]
  const comesAfter = (a, b) => covers({ body: a, index: 0 }, { body: b, index: 0 })
  const isLeft = (touch) => !isDeleted(touch) && !later.some((each) => comesAfter(each, touch))
  const isClosed = deletions.some(({ body: { deletes } }) => deletes === null)
  return { exists: !isClosed && touches.some(isLeft), current }
}

/** What a body holds, its ops, and whether one was skipped; `undefined` if it is void. */
function judge(shape, vector, opened) {
  const ops = []
  let skips = false
  try {
    const body = readBody(vector, opened)
    if (body.deletes !== undefined) return { body, ops, skips }
    for (const [index, op] of body.ops.entries()) {
      try {
        checkOp(shape, op, { ...body, index })
        ops.push({ op, index, body })
      } catch (error) {
        if (!(error instanceof OtherKind)) throw error
        skips = true
      }
    }
    return { body, ops, skips }
  } catch (error) {
    if (error instanceof Broken) return undefined
    throw error
  }
}

/** A body. Bodies of vectors are short: this reader does not count the bytes of values and texts. */
function readBody({ session, seq, time, prefix, body }, opened) {
  const { kind, fields, generation } = formOf(body)
  const { device } = opened.get(session)
  const place = { session, seq, time, prefix, opened, device, generation, touches: true }
  // R-BODY-3: one op of another kind.
  if (kind !== 'native') return { ...place, fields, commits: [], ops: [new Uint8Array()] }
  const [list, ops] = fields
  must(array(ops, undefined, 'R-VOID-1: ops').length <= 10_000, 'R-VOID-1: at most 10,000 ops')
  return { ...place, fields, ...nativeOf({ list, ops, session, generation }) }
}

/** The commits and ops of a native body, and whether it deletes or touches the entity. */
function nativeOf({ list, ops, session, generation }) {
  const commits = commitsOf(list)
  must(!commits.some((each) => each.session === session), 'R-VOID-2: no commit of its own session')
  const deletes = deletionOf(ops, commits, generation)
  return { commits, ops, deletes, touches: deletes === undefined && touchesBy(ops) }
}

/** R-ENTITY-3 */
const touchesBy = (ops) => ops.length === 0 || !ops.every(removes)

/** The kind of a body, its items without the generation, and its generation: R-BODY-3, R-ENTITY-1. */
function formOf(body) {
  const all = array(decode(bytesOf(body)), undefined, 'R-VOID-1: a list')
  const [first] = all
  const isNumbered = typeof all.at(-1) === 'number'
  const [kind, length] =
    first instanceof Uint8Array
      ? ['document', isNumbered ? all.length - 1 : all.length]
      : Array.isArray(first)
        ? ['native', 2]
        : ['writer', { 1: 2, 2: 2, 3: 6 }[first]]
  must(all.length === length || all.length === length + 1, 'R-VOID-1: items of a known form')
  const generation =
    all.length > length ? whole(all[length], 1, 'R-ENTITY-1: a generation from 1') : 0
  return { kind, fields: all.slice(0, length), generation }
}

/** R-ENTITY-2: what the deletion of an entity names; `undefined` if a body is none. */
function deletionOf(ops, commits, generation) {
  if (!ops.some((op) => Array.isArray(op) && op[0] === 6)) return undefined
  must(ops.length === 1, 'R-ENTITY-2: the only op')
  const [, names] = array(ops[0], 2, 'R-ENTITY-2: two items')
  if (names === null) must(generation < LAST, 'R-ENTRY-7: the last generation stays open')
  else checkNames(names, commits)
  return names
}

function commitsOf(list) {
  must(array(list, undefined, 'R-VOID-2: a list').length % 3 === 0, 'R-VOID-2: three items each')
  const sessions = []
  return Array.from({ length: list.length / 3 }, (_, index) => {
    const [first, seq, prefix] = list.slice(3 * index, 3 * index + 3)
    if (first instanceof Uint8Array) sessions.push(hex(bytes(first, 16, 'R-VOID-2: a session')))
    const session = first instanceof Uint8Array ? sessions.at(-1) : sessions[first]
    must(session !== undefined, 'R-VOID-2: a session that is listed before')
    return {
      session,
      seq: whole(seq, 1, 'R-VOID-2: a seq from 1'),
      prefix: hex(bytes(prefix, 8, 'R-VOID-2: a prefix of 8 bytes')),
    }
  })
}

/** For each mark, its kind, the smallest number of items, and the places of the names, of the generation, of an id, of a spot, of a parent and of a rank. */
const FORMS = {
  0: { kind: 'register', least: 3, names: 2 },
  1: { kind: 'set', least: 2, generation: 2 },
  2: { kind: 'set', least: 3, names: 2, generation: 3 },
  3: { kind: 'map', least: 3, generation: 3 },
  4: { kind: 'map', least: 3, names: 2, generation: 3 },
  5: { kind: 'map', least: 2, generation: 2 },
  10: { kind: 'list', least: 1, spot: 1 },
  11: { kind: 'list', least: 4, id: 2 },
  12: { kind: 'list', least: 4, names: 1, id: 2, spot: 4 },
  13: { kind: 'list', least: 4, names: 1, id: 2 },
  20: { kind: 'flag enable', least: 2, names: 1 },
  21: { kind: 'flag enable', least: 2, names: 1 },
  22: { kind: 'flag disable', least: 2, names: 1 },
  23: { kind: 'flag disable', least: 2, names: 1 },
  24: { kind: 'vote', least: 2 },
  25: { kind: 'multi-value-register', least: 3, names: 2 },
  26: { kind: 'grow-only-counter', least: 2 },
  27: { kind: 'grow-only-set', least: 2 },
  15: { kind: 'tree', least: 3, parent: 1, rank: 2 },
  16: { kind: 'tree', least: 5, parent: 2, rank: 3, names: 4 },
  17: { kind: 'tree', least: 3 },
  18: { kind: 'tree', least: 3, names: 2 },
  19: { kind: 'tree', least: 2 },
  30: { kind: 'text', least: 2 },
  31: { kind: 'text', least: 5 },
}

/** R-BODY-3: the kind of an op. */
function kindOf(op) {
  if (typeof op === 'number') return 'counter'
  if (op instanceof Uint8Array) return 'document'
  array(op, undefined, 'R-VOID-1: an op has a form')
  if (op.length === 2 && typeof op[0] === 'string') return 'record'
  const form = typeof op[0] === 'number' ? FORMS[op[0]] : undefined
  must(form !== undefined, 'R-VOID-1: an op has a form')
  const { kind } = form
  if (kind !== 'register') return kind
  // R-REGISTER-5
  return op.length < 4 ? 'register default' : `register ${op[3] === null ? 'reverse' : 'custom'}`
}

/** The kind of ops at a place. */
function kindAt({ kind, clock = 'default', wins = 'enable' }) {
  if (kind === 'register') return `register ${clock.replace('-auto-increment', '')}`
  return kind === 'flag' ? `flag ${wins}` : kind
}

/** R-BODY-5: the kind of an op, then whatever else is checked at its place, then the op in it. */
function checkOp(shape, op, at) {
  if (kindOf(op) !== kindAt(shape)) throw new OtherKind()
  if (shape.kind === 'counter') return must(Number.isSafeInteger(op), 'R-COUNTER-1: an integer')
  if (shape.kind === 'record') {
    const field = fieldOf(shape, op[0])
    return field && checkOp(field, op[1], at)
  }
  if (shape.kind === 'list') return checkListOp(shape, op, at)
  if (shape.kind === 'tree') return checkTreeOp(shape, op, at)
  if (shape.kind === 'text') return checkTextOp(op, at)
  const [mark, second, third] = op
  const { least, names, generation } = FORMS[mark]
  const hasClock = mark === 0 && op.length === 4
  must(op.length === least || op.length - 1 === generation || hasClock, 'R-VOID-1: how many items')
  if (hasClock && op[3] !== null) whole(op[3], 0, 'R-REGISTER-5: a clock')
  if (mark === 24) must(typeof second === 'boolean', 'R-VOTE-1: true or false')
  else if (mark === 26) whole(second, 0, 'R-GROW-1: an integer that is not negative')
  else if (shape.kind === 'map') textOf(second, 'R-VOID-4: a text')
  else if (names !== 1) isValue(second, 32)
  if (op.length - 1 === generation) whole(op[generation], 1, 'R-ENTRY-1: a generation')
  if (names !== undefined && !closes(op)) checkNames(op[names], at.commits)
  must(!closes(op) || generationOf(op) < LAST, 'R-ENTRY-7: the last generation stays open')
  if (mark === 3) checkOp(shape.value, third, at)
}

function checkListOp(shape, op, at) {
  const { least, names, id, spot } = FORMS[op[0]]
  const more = op.length - least
  must(more === 0 || (spot !== undefined && more === 3), 'R-ORDER-2: the number of items')
  if (names !== undefined && !closes(op)) checkNames(op[names], at.commits)
  if (id !== undefined) checkId(op[id], op[id + 1], at)
  if (more > 0) {
    must(op[spot] === 0 || op[spot] === 1, 'R-ORDER-2: a side')
    checkId(op[spot + 1], op[spot + 2], at)
  }
  if (op[0] === 11) checkOp(shape.item, op[1], at)
}

/** R-TEXT-1 */
function checkTextOp([mark, ...items], at) {
  const checkCharacter = (commit, offset) => checkId(commit, offset, { ...at, index: Infinity })
  if (mark === 31) {
    must(items.length > 0 && items.length % 4 === 0, 'R-TEXT-1: two ids for each range')
    for (let i = 0; i < items.length; i += 2) checkCharacter(items[i], items[i + 1])
    return
  }
  const [inserted, side, commit, offset] = items
  must(typeof inserted === 'string' && inserted !== '', 'R-TEXT-1: a text')
  must(items.length === 1 || items.length === 4, 'R-TEXT-1: a spot')
  if (items.length === 1) return
  must(side === 0 || side === 1, 'R-TEXT-1: a side')
  checkCharacter(commit, offset)
}

/** R-TREE-1 */
function checkTreeOp(shape, op, at) {
  const { least, names, parent, rank } = FORMS[op[0]]
  must(op.length === least, 'R-VOID-1: the number of items')
  const checkNode = (node) => checkId(...array(node, 2, 'R-TREE-1: a node'), at)
  if (op[0] !== 15) checkNode(op[1])
  if (parent !== undefined && op[parent] !== null) checkNode(op[parent])
  if (rank !== undefined) {
    const { length } = array(op[rank], undefined, 'R-TREE-6: a rank')
    must(length % 4 === 2 && length < 128, 'R-TREE-6: levels')
    must(op[rank].every(Number.isSafeInteger), 'R-TREE-6: integers')
  }
  if (names !== undefined && !closes(op)) checkNames(op[names], at.commits)
  if (op[0] === 17) checkOp(shape.node, op[2], at)
}

/** R-ORDER-1 */
function checkId(commit, number, { commits, seq, index }) {
  whole(number, 0, 'R-ORDER-1: an index')
  if (Number.isInteger(commit) && commit < 0) {
    must(seq + 1 + commit >= 1, 'R-ORDER-1: a commit of its own session')
    must(commit < -1 || number < index, 'R-ORDER-1: made by an earlier op')
  } else checkNames([commit], commits)
}

/** R-VOID-3: names are numbers of commits in the list. */
function checkNames(list, commits) {
  for (const each of array(list, undefined, 'names: a list'))
    must(commits[whole(each, 0, 'R-VOID-3: a number')], 'R-VOID-3: a commit that is listed')
}

const fieldOf = ({ fields }, name) => (Object.hasOwn(fields, name) ? fields[name] : undefined)

/** R-VOID-4: a value has at most so many levels of lists and maps. */
function isValue(value, levels) {
  if (typeof value !== 'object' || value === null) return
  must(levels > 0, 'R-VOID-4: levels of lists and maps')
  if (value instanceof Uint8Array) return
  must(!isBytesForm(value), 'R-VOID-4: bytes are a byte string')
  for (const each of Object.values(value)) isValue(each, levels - 1)
}

/** Whether a map is what JSON has in the place of a byte string. */
function isBytesForm(value) {
  const form = value.$bytes
  if (typeof form !== 'string' || Object.keys(value).length > 1) return false
  return Buffer.from(form, 'base64url').toString('base64url') === form
}

/** A value as JSON shows it. */
function jsonOf(value) {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64url') }
  if (Array.isArray(value)) return value.map(jsonOf)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, jsonOf(each)]))
}

const LAST = Number.MAX_SAFE_INTEGER

const isRemoval = ([mark]) => [2, 4, 13, 18, 31].includes(mark)

const closes = (op) => isRemoval(op) && op[FORMS[op[0]].names] === null

/** R-ENTRY-1: the generation of an op on an entry. */
const generationOf = (op) => op[FORMS[op[0]].generation] ?? 0

/** R-ENTRY-3: whether an op removes something, at whatever depth. */
function removes(op) {
  if (!Array.isArray(op)) return false
  if (typeof op[0] === 'string') return removes(op[1])
  if (op[0] === 11) return removes(op[1])
  return op[0] === 3 || op[0] === 17 ? removes(op[2]) : isRemoval(op)
}

/** The commits that an op names. */
const namesOf = ({ op, body }) =>
  (op[FORMS[op[0]].names] ?? []).map((number) => body.commits[number])

/** Whether one of `ops` names the commit of an op. */
const isNamed = ({ body }, ops) =>
  ops.some((each) =>
    namesOf(each).some(
      (name) =>
        name.session === body.session && name.seq === body.seq && name.prefix === body.prefix,
    ),
  )

/** The parents of a session that belong to its own device. */
const parentsOf = (session, opened) => {
  const { device, parents } = opened.get(session)
  return parents.filter(([parent]) => opened.get(parent)?.device === device)
}

/** R-OPENING-5 */
const coversCommit = (session, commit, opened) =>
  parentsOf(session, opened).some(
    ([parent, seq]) =>
      (parent === commit.session && seq >= commit.seq) || coversCommit(parent, commit, opened),
  )

/** R-BODY-1: whether an op comes after another one only by whose it is. */
const covers = (later, { body, index }) =>
  later.body.session === body.session
    ? (later.body.seq - body.seq || later.index - index) > 0
    : coversCommit(later.body.session, body, body.opened)

const inside = (ops, place) => ops.map((each) => ({ ...each, op: each.op[place] }))

function shown(shape, ops) {
  const { kind } = shape
  if (kind === 'counter') return clamped(ops.reduce((sum, { op }) => sum + BigInt(op), 0n))
  if (kind === 'list') return elementsOf(shape, ops)
  if (kind === 'grow-only-counter')
    return clamped(ops.reduce((sum, { op }) => sum + BigInt(op[1]), 0n))
  if (kind === 'register') return writtenOf(shape, ops)
  if (kind === 'multi-value-register') {
    const values = keptOf(ops).map(({ op }) => op[1])
    return values.length > 0 ? distinct(values.reverse()) : [shape.initial]
  }
  if (kind === 'flag') {
    const kept = keptOf(ops).map(({ op }) => op[0] === 20 || op[0] === 22)
    return kept.includes(true) && (shape.wins !== 'disable' || !kept.includes(false))
  }
  if (kind === 'vote') {
    const votes = keptOf(ops).map(({ op, body }) => [body.device, op[1]])
    return Object.fromEntries(votes.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  if (kind === 'grow-only-set') return distinct(ops.map(({ op }) => op[1])).sort(byKind)
  if (kind === 'tree') return treeOf(shape, ops)
  if (kind === 'text') return textFrom(ops)
  if (kind === 'record') {
    const valueOf = ([name, field]) => {
      const own = ops.filter(({ op }) => op[0] === name)
      return [name, shown(field, inside(own, 1))]
    }
    return Object.fromEntries(Object.entries(shape.fields).map(valueOf))
  }
  const keys = distinct(ops.map(({ op }) => op[1]))
  const entries = keys.map((key) => entryOf(ops.filter(({ op }) => isSame(op[1], key))))
  const present = entries.filter(({ isPresent }) => isPresent)
  if (kind === 'set') return present.map(({ key }) => key).sort(byKind)
  return Object.fromEntries(
    present.map(({ key, current }) => {
      const changes = current.filter(({ op }) => op[0] === 3)
      return [key, shown(shape.value, inside(changes, 2))]
    }),
  )
}

/** R-COUNTER-2: the nearest integer that can be shown. */
function clamped(sum) {
  const most = BigInt(Number.MAX_SAFE_INTEGER)
  return Number(sum > most ? most : sum < -most ? -most : sum)
}

/** R-REGISTER-2 to R-REGISTER-4: the writes, or moves, that are left, the latest last. */
function keptOf(ops) {
  const ofDevice = Map.groupBy(ops, ({ body }) => body.device.slice(0, 32))
  const kept = [...ofDevice.values()].map((own) => own.sort(byStart).at(-1))
  return kept.filter((each) => !isNamed(each, ops)).sort(byTime)
}

/** R-REGISTER-4, R-REGISTER-6: the value that a register shows. */
function writtenOf({ initial, clock = 'default' }, ops) {
  const kept = keptOf(ops)
  if (kept.length === 0) return initial
  if (clock === 'reverse') return kept[0].op[1]
  const greatest = Math.max(...kept.map(({ op }) => op[3] ?? 0))
  return kept.filter(({ op }) => (op[3] ?? 0) === greatest).at(-1).op[1]
}

const isSame = (a, b) => same(encode(a), encode(b))

/** Each of several values once, at its first place. */
const distinct = (values) =>
  values.filter((value, i) => values.findIndex((each) => isSame(each, value)) === i)
/** R-ORDER-3 to R-ORDER-8 */
function elementsOf(shape, ops) {
  const inserts = ops.filter(({ op }) => op[0] === 10)
  const made = ops.filter(({ op }) => op[0] === 10 || op[0] === 12)
  const spots = made.map((each) => {
    const [side, commit, index] = each.op.slice(FORMS[each.op[0]].spot)
    const parent = commit === undefined ? undefined : idNamed(each, commit, index, made)
    return { each, parent, side: parent === undefined ? 1 : side }
  })
  const walk = (parent, side) =>
    spots
      .filter((spot) => spot.parent === parent && spot.side === side)
      .map(({ each }) => each)
      .sort(byId)
      .flatMap((each) => [...walk(idOf(each), 0), each, ...walk(idOf(each), 1)])
  const placed = walk(undefined, 1)
  const waiting = made.filter((each) => !placed.includes(each)).sort(byId)
  const elements = inserts.map((insert) => {
    const others = ops.filter((each) => {
      const { id } = FORMS[each.op[0]]
      return id && idNamed(each, each.op[id], each.op[id + 1], inserts) === idOf(insert)
    })
    const moves = keptOf(others.filter(({ op }) => op[0] === 12))
    const current = moves.filter((each) => placed.includes(each)).at(-1) ?? insert
    return { insert, others, current, isPresent: entryOf([insert, ...others]).isPresent }
  })
  return [...placed, ...waiting].flatMap((position) =>
    elements
      .filter(({ current, isPresent }) => current === position && isPresent)
      .map(({ insert, others }) => ({
        key: keyOfElement(insert),
        value: shown(
          shape.item,
          inside(
            others.filter(({ op }) => op[0] === 11),
            1,
          ),
        ),
      })),
  )
}

/** R-TEXT-2 to R-TEXT-5 */
function textFrom(ops) {
  const all = []
  for (const each of ops.filter(({ op }) => op[0] === 30).sort(byId)) {
    for (const [at, unit] of each.op[1].split('').entries()) {
      const offset = all.filter(({ body }) => body === each.body).length
      all.push({ body: each.body, index: offset, unit, by: each, before: at && all.at(-1) })
    }
  }
  for (const character of all) {
    const [, , side = 1, commit, offset] = character.by.op
    const named = commit === undefined ? undefined : idBefore(character.by, commit, offset, all)
    character.parent = character.before ? idOf(character.before) : named
    character.side = character.before || named === undefined ? 1 : side
  }
  const walk = (parent, side) =>
    all
      .filter((each) => each.parent === parent && each.side === side)
      .flatMap((each) => [...walk(idOf(each), 0), each, ...walk(idOf(each), 1)])
  const placed = walk(undefined, 1)
  for (const each of ops.filter(({ op }) => op[0] === 31)) {
    for (let i = 1; i < each.op.length; i += 4) deleteRange(each, each.op.slice(i, i + 4), all)
  }
  const order = [...placed, ...all.filter((each) => !placed.includes(each))]
  const shownUnits = order.filter(({ isDeleted }) => !isDeleted).map(({ unit }) => unit)
  return shownUnits.join('').toWellFormed()
}

/** R-TEXT-4: the id that an op names; `undefined` if its own session has not inserted the character before the op. */
function idBefore({ body, index }, commit, offset, all) {
  const isBefore = ({ body: of, by }) => of.seq < body.seq || by.index < index
  return idNamed({ body }, commit, offset, commit >= 0 ? all : all.filter(isBefore))
}

/** R-TEXT-3 */
function deleteRange(each, [commit, offset, lastCommit, lastOffset], all) {
  const find = (ref, number) => {
    const id = idBefore(each, ref, number, all)
    return all.find((character) => idOf(character) === id)
  }
  const [first, last] = [find(commit, offset), find(lastCommit, lastOffset)]
  if (!first || !last || first.body.session !== last.body.session) return
  for (const character of all.slice(all.indexOf(first), all.indexOf(last) + 1)) {
    character.isDeleted = true
  }
}

/** The nodes of a tree: R-TREE-2 to R-TREE-7. */
function treeOf(shape, ops) {
  const inserts = ops.filter(({ op }) => op[0] === 15)
  const nodes = inserts.map((insert) => nodeOf(insert, inserts, ops))
  const find = (id) => nodes.find((node) => node.id === id)
  for (const node of nodes) {
    const spots = node.spots.map((each) => ({ ...each, above: find(each.parent) }))
    const known = spots.filter(({ parent, above }) => parent === null || above)
    const top = { ...spots[0], above: undefined }
    node.spots = node.isClosed || known.length === 0 ? [top] : known
  }
  for (const node of nodes) node.spot = spotOf(node)
  for (const { spot } of nodes.filter(({ isKept, isMoved }) => isKept && isMoved))
    for (let { above } = spot; above; { above } = above.spot) above.isPresent ||= !above.isClosed
  const childrenOf = (parent) =>
    nodes
      .filter(({ spot, isPresent }) => isPresent && spot.above === parent)
      .sort((a, b) => compareRanks(a.spot.rank, b.spot.rank) || byId(a.insert, b.insert))
  const show = (list, level) =>
    list.flatMap((node) => {
      const value = shown(shape.node, inside(node.changes, 2))
      const below = show(childrenOf(node), level + 1)
      const one = { key: keyOfElement(node.insert), value, children: level < 64 ? below : [] }
      return level < 64 ? [one] : [one, ...below]
    })
  return show(childrenOf(undefined), 1)
}

/** The node of an insertion. */
function nodeOf(insert, inserts, ops) {
  const idIn = (each, node) => node && idNamed(each, node[0], node[1], inserts)
  const others = ops.filter((each) => each.op[0] > 15 && idIn(each, each.op[1]) === idOf(insert))
  const moves = others.filter(({ op }) => op[0] === 16)
  const left = keptOf(moves).reverse()
  const past = moves.filter((each) => !left.includes(each)).sort(byTime)
  const { isPresent } = entryOf([insert, ...others])
  return {
    insert,
    id: idOf(insert),
    changes: others.filter(({ op }) => op[0] === 17),
    isClosed: others.some(({ op }) => closes(op)),
    isKept: isPresent,
    isPresent,
    isMoved: moves.length > 0,
    spots: [...left, ...past.slice(-1), insert].map((made) => {
      const { op, body, index } = made
      const { parent, rank } = FORMS[op[0]]
      const run = Number.parseInt(body.session.slice(0, 8), 16)
      const own = [run, op[rank].at(-1), body.seq * 16_384 + index]
      return { made, parent: idIn(made, op[parent]), rank: [...op[rank].slice(0, -1), ...own] }
    }),
  }
}

/** R-TREE-3 */
function spotOf(node) {
  const [wanted, ...others] = node.spots
  const walk = (from) => {
    const path = []
    for (let at = from; at && !path.includes(at); at = at.spots[0].above) path.push(at)
    return path
  }
  const isInCycle = (each) => walk(each.spots[0].above).includes(each)
  const isCutOff = (each) => walk(each).some((at) => isInCycle(at) || at.isClosed)
  const isLast = (each) => each === node || byLateness(each, node) < 0
  if (!isInCycle(node) || !walk(node).every(isLast)) return wanted
  const exit = others.find(({ above }) => !above || !isCutOff(above))
  return exit ?? { ...wanted, above: undefined }
}

/** The node with the later wanted spot comes last. */
const byLateness = ({ spots: [a], insert: i }, { spots: [b], insert: j }) =>
  a.made.body === b.made.body ? byId(i, j) : byTime(a.made, b.made)

function compareRanks(a, b) {
  const at = a.findIndex((number, index) => number !== b[index])
  return at < 0 || b[at] === undefined ? a.length - b.length : a[at] - b[at]
}

const idOf = ({ body: { session, seq, prefix }, index }) => `${session} ${seq} ${prefix} ${index}`

/** The id that an op names; `undefined` if its own session has not made it. */
function idNamed({ body }, commit, index, made) {
  if (commit >= 0) return idOf({ body: body.commits[commit], index })
  const isIt = (each) =>
    each.body.session === body.session &&
    each.body.seq === body.seq + 1 + commit &&
    each.index === index
  const found = made.find(isIt)
  return found && idOf(found)
}

/** R-ORDER-8 */
const keyOfElement = ({ body, index }) =>
  `${Buffer.from(body.session, 'hex').toString('base64url')}${body.seq}.${index}`

const byId = ({ body: a, index: i }, { body: b, index: j }) =>
  a.session === b.session ? a.seq - b.seq || i - j : a.session < b.session ? -1 : 1

/** What the ops on one entry make of it: R-ENTRY-2 to R-ENTRY-6. */
function entryOf(ops) {
  const generation = Math.max(...ops.map(({ op }) => generationOf(op)))
  const current = ops.filter(({ op }) => generationOf(op) === generation)
  const removals = current.filter(({ op }) => isRemoval(op))
  const touches = current.filter(({ op }) => !removes(op))
  const isLeft = (touch) =>
    !isNamed(touch, removals) && ![...touches, ...removals].some((each) => covers(each, touch))
  const isPresent = !removals.some(({ op }) => closes(op)) && touches.some(isLeft)
  return { key: ops[0].op[1], isPresent, current }
}

/** R-SET-2: numbers, then texts, then other values by their bytes. */
const byKind = (a, b) => {
  const rank = (value) => (typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (typeof a === 'number') return a - b
  return typeof a === 'string'
    ? Buffer.compare(text(a), text(b))
    : Buffer.compare(encode(a), encode(b))
}

const byTime = ({ body: a, index: i }, { body: b, index: j }) =>
  a.time[0] - b.time[0] ||
  a.time[1] - b.time[1] ||
  (a.session === b.session ? a.seq - b.seq || i - j : a.session < b.session ? -1 : 1)

/** R-REGISTER-2 */
function byStart({ body: a, index: i }, { body: b, index: j }) {
  const started = ({ session, opened }) => opened.get(session).start ?? 0
  return started(a) - started(b) || byId({ body: a, index: i }, { body: b, index: j })
}

/** Checks vectors of states. Returns what each of them shows. */
export function checkStates(vectors) {
  return vectors.map(({ what, state, exists, incomplete, ...given }) => {
    must(isDeepStrictEqual(stateOf(given), { state, exists, incomplete }), `state: ${what}`)
    return what
  })
}

// Entities with a single writer. The one declared event, `added`, appends what it holds to a list.

/**
 * The branches of an entity, the shown one first, computed from all its bodies at once, whether the entity exists, and whether something was
 * skipped. A deleted entity has no branches.
 */
export function writerStateOf(kind, initial, id, bodies) {
  const named = /^([0-9a-f]{64})(\/|$)/.exec(id)?.[1]
  const opened = new Map(bodies.map(({ session, device }) => [session, { device, parents: [] }]))
  const all = bodies
    // R-EVENT-2: only bodies of the device that the id names, if it names one.
    .filter(({ device }) => named === undefined || device === named)
    .map((body) => ({ body: writerBodyOf({ ...body, opened }) }))
    .filter(({ body }) => body !== undefined)
  const { exists, current } = entityOf(all)
  const changes = current.map(({ body }) => body).filter(({ deletes }) => deletes === undefined)
  const isClosed = current.some(({ body: { deletes } }) => deletes === null)
  const shown = branchesOf(kind, isClosed ? [] : changes)
  return { ...shown, branches: exists ? shown.branches : [], exists }
}

/** R-EVENT-3 to R-EVENT-8, for the bodies of one generation. */
function branchesOf(kind, read) {
  const strands = Object.values(Object.groupBy(read, ({ session }) => session))
    .map((own) =>
      strandOf(
        kind,
        own.sort((a, b) => a.seq - b.seq),
      ),
    )
    .filter(({ last }) => last !== undefined)
  const beginLater = (a, b) => b.rank - a.rank || (a.session < b.session ? 1 : -1)
  // R-EVENT-4
  const kept = Object.values(Object.groupBy(strands, ({ device }) => device))
    .flatMap((own) => own.sort(beginLater).slice(0, 8))
    .sort(beginLater)
  // R-EVENT-5
  const hasEnded = ({ session, last }) =>
    kept
      .flatMap(({ names }) => names)
      .some(
        (name) => name.session === session && name.seq === last.seq && name.prefix === last.prefix,
      )
  const live = kept.filter((strand) => !hasEnded(strand))
  // R-EVENT-6
  const branches = (live.length > 0 ? live : kept).map(({ session, number, value }) => ({
    session,
    number,
    value,
  }))
  const all = Object.values(Object.groupBy(read, ({ session }) => session))
  return { branches, incomplete: all.some((own) => strandOf(kind, own).isIncomplete) }
}

function strandOf(kind, own) {
  const { session, device } = own[0]
  const strand = { session, device, rank: 0, names: [], last: undefined, isIncomplete: false }
  for (const { seq, prefix, fields } of own) {
    const [form, ...rest] = fields
    const other = kind === 'events' ? 2 : 1
    // R-EVENT-3
    const isWithout = form !== 3 && strand.last === undefined
    if (typeof form !== 'number') strand.isIncomplete = true
    else if (isWithout) continue
    else if (form === other) strand.isIncomplete = true
    else {
      if (form === 3) begin(strand, rest)
      if (form === 2) [strand.value, strand.number] = [rest[0], strand.number + 1]
      else addAll(kind, strand, form === 3 ? rest[4] : rest[0])
      strand.last = { seq, prefix }
    }
  }
  return strand
}

function begin(strand, [commits, rank, number, value]) {
  strand.names = commitsOf(commits)
  strand.rank = Math.max(strand.rank, rank)
  strand.number = number
  strand.value = jsonOf(value)
}

/** R-EVENT-7, R-EVENT-8 */
function addAll(kind, strand, list) {
  for (let i = 0; i < list.length; i += 2) {
    strand.number++
    if (kind === 'events' && list[i] === 'added')
      strand.value = [...strand.value, jsonOf(list[i + 1])]
    else strand.isIncomplete = true
  }
}

/** R-EVENT-1: a body; `undefined` for one that is void. */
function writerBodyOf(given) {
  try {
    const { kind, fields, generation } = formOf(given.body)
    const body = { ...given, fields, generation, commits: [], touches: true }
    if (kind === 'writer') checkWriterBody(fields, given.session)
    if (kind !== 'native') return body
    const [list, ops] = fields
    array(ops, undefined, 'R-VOID-1: ops')
    must(ops.length <= 10_000, 'R-VOID-1: at most 10,000 ops')
    // R-BODY-4: another kind, of which only the form is checked, unless it deletes the entity.
    if (!ops.some((op) => Array.isArray(op) && op[0] === 6)) {
      return { ...body, touches: touchesBy(ops) }
    }
    return { ...body, ...nativeOf({ list, ops, session: given.session, generation }) }
  } catch (error) {
    if (error instanceof Broken) return undefined
    throw error
  }
}

function checkWriterBody([form, ...rest], session) {
  if (form === 1) checkEvents(rest[0], 1)
  else if (form === 2) isValue(rest[0], 32)
  else {
    const [commits, rank, number, value, list] = rest
    const names = commitsOf(commits)
    must(names.length <= 128, 'R-EVENT-1: at most 128 commits')
    must(!names.some((each) => each.session === session), 'R-EVENT-1: no commit of its own session')
    whole(rank, 0, 'R-EVENT-1: a rank')
    whole(number, 0, 'R-EVENT-1: a number')
    isValue(value, 32)
    checkEvents(list, 0)
  }
}

function checkEvents(list, least) {
  array(list, undefined, 'R-EVENT-1: events')
  must(list.length % 2 === 0, 'R-EVENT-1: a name and a value for each event')
  must(list.length / 2 >= least && list.length / 2 <= 250, 'R-EVENT-1: how many events')
  for (const [index, each] of list.entries()) {
    if (index % 2 === 1) isValue(each, 32)
    else {
      const length = text(textOf(each, 'R-EVENT-1: a name is a text')).length
      must(length >= 1 && length <= 256, 'R-EVENT-1: a name of 1 to 256 bytes')
    }
  }
}

/** Checks vectors of entities with a single writer. Returns what each of them shows. */
export function checkWriters(vectors) {
  return vectors.map(({ what, kind, initial, id, bodies, ...expected }) => {
    must(isDeepStrictEqual(writerStateOf(kind, initial, id, bodies), expected), `writer: ${what}`)
    return what
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (given, name) =>
    JSON.parse(readFileSync(given ?? new URL(name, import.meta.url), 'utf8'))
  try {
    const done = [
      ...check(read(process.argv[2], 'protocol-vectors.json')),
      ...checkStates(read(process.argv[3], 'state-vectors.json')),
      ...checkWriters(read(process.argv[4], 'writer-vectors.json')),
    ]
    process.stdout.write(`${done.length} rules hold:\n  ${[...new Set(done)].join('\n  ')}\n`)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    process.stderr.write(`broken: ${error.message}\n`)
    process.exitCode = 1
  }
}
