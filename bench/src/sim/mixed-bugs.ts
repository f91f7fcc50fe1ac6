import { sabotage, type Sabotage } from './sabotage.ts'

/** A bug in what a build does with what it does not know. */
export interface MixedBug extends Sabotage {
  /** Whether the next build has it, too: otherwise it would be repaired by the update. */
  readonly inBoth?: boolean
}

/** Bugs that the runs with two builds must find. */
export const mixedBugs: readonly MixedBug[] = [
  sabotage(
    'drop-unknown-keys',
    'a record is passed on without the keys that a device does not know',
    'core/src/log/extensions.ts',
    '  return { extensions: readExtensions(fields[count], name) }',
    '  return {}',
  ),
  sabotage(
    'block-critical-key',
    'a session whose opening has an unknown critical key is refused',
    'crdt-store/src/log/opening-verifier.ts',
    '    const made = decodeOpening(evidence.bytes)\n',
    "    const made = decodeOpening(evidence.bytes)\n    if (made.opening.extensions?.some(([key]) => key % 2 === 0)) throw new PeerplaneError('malformed', 'an unknown key')\n",
  ),
  sabotage(
    'ignore-critical-key',
    'a record with an unknown critical key has an effect',
    'core/src/log/extensions.ts',
    '  !extensions || extensions.every(([key]) => key % 2 === 1)\n',
    '  extensions !== null\n',
  ),
  sabotage(
    'refuse-unknown-message',
    'a message of an unknown kind ends the link',
    'sync/src/wire/messages.ts',
    '  if (!reader) return undefined\n',
    "  if (!reader) throw new PeerplaneError('malformed', 'an unknown kind')\n",
  ),
  sabotage(
    'refuse-unknown-capability',
    'a peer that can do something more is refused',
    'sync/src/handshake/hello.ts',
    '  if (!isUnderstood(theirs.capabilities)) {',
    '  if (theirs.capabilities && isUnderstood(theirs.capabilities)) {',
  ),
  sabotage(
    'refuse-extended-grant',
    'a grant with an unknown key is malformed',
    'core/src/trust/admission.ts',
    "  const extensions = extensionsAfter(fields, 6, 'grant')",
    "  const extensions = (arrayField(fields, 'grant', 6), {})",
  ),
  sabotage(
    'believe-critical-admission',
    'a device with an unknown critical key in its admission writes with effect',
    'core/src/trust/admission.ts',
    '=> isUnderstood(grant.extensions) && isUnderstood(extensions))',
    '=> grant !== extensions)',
  ),
  sabotage(
    'forget-critical-admission',
    'after a restart, admissions are no longer looked at',
    'crdt-store/src/log/restore.ts',
    'chains.get(toHex(opening.admission)) ?? []',
    '[]',
  ),
  sabotage(
    'refuse-extended-message',
    'a message with an unknown key ends the link',
    'sync/src/wire/messages.ts',
    "  const { extensions } = extensionsAfter(fields, count, 'message')",
    "  const { extensions } = extensionsAfter(arrayField(fields, 'message', count), count, 'message')",
  ),
  sabotage(
    'read-newer-model',
    'a body for a newer model is read as one for the model that is known',
    'crdt-store/src/entities/slot.ts',
    '  modelVersion > model.version',
    '  modelVersion > model.version + 1',
  ),
  sabotage(
    'forget-incomplete',
    'an entity that is loaded from its row is no longer incomplete',
    'crdt-store/src/entities/folded-as-delivered.ts',
    '      isIncomplete: slot.isIncomplete,',
    '      isIncomplete: false,',
  ),
  {
    ...sabotage(
      'keep-old-rows',
      'an updated device shows the rows that the older build has made',
      'crdt-store/src/entities/drop-outdated.ts',
      '  if (!stored || !equalBytes(stored, encodeModels(models))) {',
      '  if (!stored) {',
    ),
    inBoth: true,
  },
]
