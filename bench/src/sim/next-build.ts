import { registerHooks } from 'node:module'

import type { Build } from '@peerplane/testing/campaign'

import { plantChanges, type Planted } from './plant.ts'
import type { Change } from './sabotage.ts'

/** Key of the extensions that the next build adds to every record, and to some of them. */
const KEYS = `
export const nextKeys = (isCritical) =>
  isCritical ? [[1000, 'critical'], [1001, ['kept', 1]]] : [[1001, ['kept', 1]]]
export const isKept = (extensions) =>
  (extensions ?? []).some(([key, value]) => key === 1001 && JSON.stringify(value) === '["kept",1]')
export const isCriticalRecord = (extensions) => (extensions ?? []).some(([key]) => key === 1000)
export const hasNextOp = (body) => new TextDecoder().decode(body).includes('next-op')
`

const COMMIT = `
/** Every header and every section has an ignorable key, and some have a critical one. */
function nextCommit(own, seq, given) {
  const { does } = globalThis.nextBuild
  const header = nextKeys(does.has('header') && seq % 5 === 2)
  const isSection = (i) => does.has('section') && (seq + i) % 4 === 1
  const sections = given.map((each, i) => ({ ...each, extensions: nextKeys(isSection(i)) }))
  for (const { entity, body, modelVersion, extensions } of sections) {
    const isHidden = own.isHidden || isCriticalRecord(header) || isCriticalRecord(extensions)
    if (isHidden || modelVersion > 1) globalThis.nextBuild.hidden(entity, body)
  }
  return { header, sections }
}
`

/**
 * The next build of Peerplane: an ignorable and a critical key more in every record, one more kind of message and one more op. A build that
 * knows more keys, or another version of a model, also has another format of rows, so that it folds everything again.
 */
export const nextBuild: readonly Change[] = [
  {
    file: 'core/src/log/extensions.ts',
    find: '  !extensions || extensions.every(([key]) => key % 2 === 1)\n',
    replace: `  !extensions || extensions.every(([key]) => key % 2 === 1 || key === 1000)\n${KEYS}`,
  },
  {
    file: 'core/src/index.ts',
    find: 'export { extensionsAfter, isUnderstood,',
    replace:
      'export { hasNextOp, isCriticalRecord, isKept, nextKeys, extensionsAfter, isUnderstood,',
  },
  {
    file: 'crdt-store/src/entities/drop-outdated.ts',
    find: 'const FORMAT_VERSION = 8',
    replace: 'const FORMAT_VERSION = 9',
  },
  // Another version of openings.
  {
    file: 'core/src/log/opening.ts',
    find: '  if (version === FORMAT_VERSION) return\n',
    replace: "  if (version === FORMAT_VERSION || (name === 'opening' && version === 2)) return\n",
  },
  {
    file: 'core/src/log/opening.ts',
    find: '  const fields = [\n    FORMAT_VERSION,',
    replace: '  const fields = [\n    opening.version ?? FORMAT_VERSION,',
  },
  {
    file: 'crdt-store/src/log/own-session.ts',
    find: '  const opening: Opening = {\n',
    replace: `  const opening = {
    ...(globalThis.nextBuild.does.has('version') && random.bytes(1)[0]! % 2 === 0 && { version: 2 }),
`,
  },
  // A key in every space record, grant, admission, invitation, opening, header, section, proof of a fork, hello, message and announcement.
  {
    file: 'core/src/log/fork.ts',
    find: '  return encodeCanonical(withExtensions([...place, ...branches.map(branchToValue)], extensions))',
    replace:
      '  return encodeCanonical(withExtensions([...place, ...branches.map(branchToValue)], extensions ?? nextKeys(false)))',
  },
  {
    file: 'core/src/log/fork.ts',
    find: 'import { extensionsAfter,',
    replace: 'import { nextKeys, extensionsAfter,',
  },
  {
    file: 'core/src/trust/space.ts',
    find: '  const encoded = encodeCanonical([\n    FORMAT_VERSION,',
    replace: '  const encoded = encodeCanonical([...[\n    FORMAT_VERSION,',
  },
  {
    file: 'core/src/trust/space.ts',
    find: '    random.bytes(16),\n  ])',
    replace: '    random.bytes(16),\n  ], nextKeys(false).flat()])',
  },
  {
    file: 'core/src/trust/space.ts',
    find: 'import { extensionsAfter,',
    replace: 'import { nextKeys, extensionsAfter,',
  },
  {
    file: 'core/src/trust/invitation.ts',
    find: 'role: options.role, notAfter: options.notAfter }',
    replace: 'role: options.role, notAfter: options.notAfter, extensions: nextKeys(false) }',
  },
  {
    file: 'core/src/trust/invitation.ts',
    find: '    invitation.addresses,\n  ])',
    replace: '    invitation.addresses,\n    nextKeys(false).flat(),\n  ])',
  },
  {
    file: 'core/src/trust/invitation.ts',
    find: 'import { extensionsAfter,',
    replace: 'import { nextKeys, extensionsAfter,',
  },
  {
    file: 'runtime/src/membership/membership.ts',
    find: 'await ports.crypto.keyFromSeed(inviteSeed))',
    replace:
      "await ports.crypto.keyFromSeed(inviteSeed), nextKeys(globalThis.nextBuild.does.has('admission')))",
  },
  {
    file: 'runtime/src/membership/membership.ts',
    find: '  readInvitation,\n',
    replace: '  nextKeys,\n  readInvitation,\n',
  },
  {
    file: 'sync/src/wire/messages.ts',
    find: '  return encodeCanonical(toValue(message))',
    replace: `  const { does } = globalThis.nextBuild
  const isCritical = message.kind === 'summary' && message.nodes[0]?.digest.endsWith('3')
  return encodeCanonical([...toValue(message), nextKeys(does.has('message') && isCritical).flat()])`,
  },
  {
    file: 'sync/src/wire/messages.ts',
    find: '  listField,\n',
    replace: '  listField,\n  nextKeys,\n',
  },
  {
    file: 'sync/src/wire/announcement.ts',
    find: '  const content = [commits, fromHex(digest), tips.slice(-ANNOUNCED_TIPS).map(tipToValue)]',
    replace: `  const isCritical = globalThis.nextBuild.does.has('message') && digest.endsWith('5')
  const keys = nextKeys(isCritical).flat()
  const content = [commits, fromHex(digest), tips.slice(-ANNOUNCED_TIPS).map(tipToValue), keys]`,
  },
  {
    file: 'sync/src/wire/announcement.ts',
    find: '  listField,\n',
    replace: '  listField,\n  nextKeys,\n',
  },
  {
    file: 'crdt-store/src/log/own-session.ts',
    find: 'import { fromHex,',
    replace: 'import { isCriticalRecord, nextKeys, fromHex,',
  },
  {
    file: 'crdt-store/src/log/own-session.ts',
    find: '    nonce: random.bytes(16),\n',
    replace:
      "    nonce: random.bytes(16),\n    extensions: nextKeys(globalThis.nextBuild.does.has('opening') && random.bytes(1)[0]! % 3 === 0),\n",
  },
  {
    file: 'crdt-store/src/log/own-session.ts',
    find: '  return { id, opening,',
    replace: `  const isHidden = [opening, ...chain].some(({ extensions }) => isCriticalRecord(extensions))
  return { isHidden, id, opening,`,
  },
  {
    file: 'crdt-store/src/log/pending-flush.ts',
    find: 'import {\n  depsDigest,',
    replace: `import {\n  nextKeys,\n  isCriticalRecord,\n  depsDigest,`,
  },
  {
    file: 'crdt-store/src/log/pending-flush.ts',
    find: '  const commit = makeCommit(\n',
    replace: '  const next = nextCommit(own, place.seq, sections)\n  const commit = makeCommit(\n',
  },
  {
    file: 'crdt-store/src/log/pending-flush.ts',
    find: '      time: place.time,\n    },\n    sections,\n',
    replace:
      '      time: place.time,\n      extensions: next.header,\n    },\n    next.sections,\n',
  },
  {
    file: 'crdt-store/src/log/pending-flush.ts',
    find: '/** Puts a commit that was prepared',
    replace: `${COMMIT}\n/** Puts a commit that was prepared`,
  },
  {
    file: 'crdt-store/src/entities/bodies-of.ts',
    find: 'import { isUnderstood, mayName,',
    replace: 'import { isKept, isUnderstood, mayName,',
  },
  {
    file: 'crdt-store/src/entities/bodies-of.ts',
    find: '      if (!isWanted(entity)) continue\n',
    replace:
      '      if (isKept(extensions) && isKept(header.extensions)) globalThis.nextBuild.kept(entity, body)\n      if (!isWanted(entity)) continue\n',
  },
  {
    file: 'sync/src/handshake/hello.ts',
    find: '{ lowest: 1, highest: 1 }',
    replace: "{ lowest: 1, highest: 1, capabilities: [[1001, ['can', 1]]] }",
  },
  // One more kind of message, between others.
  {
    file: 'sync/src/exchange/open-link.ts',
    find: 'import { limits,',
    replace: 'import { encodeCanonical, limits,',
  },
  {
    file: 'sync/src/exchange/open-link.ts',
    find: '    await link.send(frame)\n',
    replace: `    if (frame.length % 3 === 0) {
      globalThis.nextBuild.said()
      await link.send(encodeCanonical([99, 'news', { of: [frame.length] }]))
    }
    await link.send(frame)\n`,
  },
  // One more op: an increment with a note. Only bodies with that op need the next version of the model.
  {
    file: 'crdt-store/src/kernels/native-model.ts',
    find: 'const NATIVE_VERSION = 1',
    replace: 'const NATIVE_VERSION = 2',
  },
  {
    file: 'crdt-store/src/kernels/op.ts',
    find: 'const forms: readonly Form[] = [\n',
    replace: "const forms: readonly Form[] = [\n  { mark: 50, kind: 'counter', min: 3, max: 3 },\n",
  },
  {
    file: 'crdt-store/src/kernels/counter.ts',
    find: '    const [by] = fields\n',
    replace: '    const by = fields.length === 3 ? fields[1] : fields[0]\n',
  },
  {
    file: 'crdt-store/src/kernels/counter.ts',
    find: '    if (by !== 0) place.write(sign * by)\n',
    replace:
      "    if (by !== 0) place.write(by === 4 && globalThis.nextBuild.does.has('op') ? [50, sign * by, 'next-op'] : sign * by)\n",
  },
  {
    file: 'runtime/src/commands/decide.ts',
    find: 'const modelVersion = input.modelVersions.get(key) ?? 1',
    replace: 'const modelVersion = hasNextOp(body) ? 2 : 1',
  },
  {
    file: 'runtime/src/commands/decide.ts',
    find: 'import {\n  asPeerplaneError,',
    replace: 'import {\n  hasNextOp,\n  asPeerplaneError,',
  },
]

/** Marks the addresses of the modules of the second build. */
export const QUERY = '?next'

/** A second copy of these packages is loaded. The others, and the classes of errors, are shared. */
const isCopied = (url: string): boolean =>
  /\/packages\/(core|crdt-store|sync|runtime)\/src\//.test(url) &&
  !/\/core\/src\/(errors|describe)\.ts$/.test(url)

/** Prepares this thread for the next build. To be called before anything of the product is imported. */
export function plantNextBuild(): { readonly planted: Planted; load(): Promise<Build> } {
  const planted = plantChanges('the next build', nextBuild, QUERY)
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const isEntry = specifier.startsWith(ENTRY)
      const resolved = nextResolve(isEntry ? specifier.slice(ENTRY.length) : specifier, context)
      const isNext = isEntry || context.parentURL?.endsWith(QUERY) === true
      if (!isNext || !isCopied(resolved.url)) return resolved
      return { ...resolved, url: `${resolved.url}${QUERY}` }
    },
  })
  const load = async (): Promise<Build> => {
    const [core, runtime] = await Promise.all([
      import(`${ENTRY}@peerplane/core`) as Promise<Build['core']>,
      import(`${ENTRY}@peerplane/runtime`) as Promise<Build['runtime']>,
    ])
    return { core, runtime }
  }
  return { planted, load }
}

const ENTRY = 'next:'
