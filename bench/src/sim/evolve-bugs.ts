import { sabotage, type Sabotage } from './sabotage.ts'

/** Bugs that the runs with two versions of an app must find. */
export const evolveBugs: readonly Sabotage[] = [
  sabotage(
    'write-newer-only',
    'a converted register is written without the older register',
    'crdt-store/src/migration/handles.ts',
    '      for (const [stored, value] of writes) rewrite',
    '      for (const [stored, value] of writes.slice(0, 1)) rewrite',
  ),
  sabotage(
    'write-older-only',
    'a converted register is written as the older app writes it',
    'crdt-store/src/migration/handles.ts',
    '      for (const [stored, value] of writes) rewrite',
    '      for (const [stored, value] of writes.slice(1)) rewrite',
  ),
  sabotage(
    'show-newer-always',
    'what the older app writes to a converted register is not shown',
    'crdt-store/src/migration/converted.ts',
    'equalData(down.value, old.value)',
    'equalData(down.value, down.value)',
  ),
  sabotage(
    'show-older-always',
    'a converted register shows only what the older app can say',
    'crdt-store/src/migration/converted.ts',
    'equalData(down.value, old.value)',
    'down.value === undefined',
  ),
  sabotage(
    'read-by-new-name',
    'the mirror of a renamed field is looked for under its new name',
    'crdt-store/src/migration/mirrors.ts',
    'return (stored) => inner.of(stored[field.stored]!)',
    "return (stored) => inner.of(stored[field.name] ?? '')",
  ),
  sabotage(
    'forget-nested',
    'a command changes the values of a map as if they had no migrations',
    'core/src/entity/layout.ts',
    "isSame ? same : { kind: 'parts', part: lens }",
    'isSame ? same : same',
  ),
  sabotage(
    'show-first-mirror',
    'the mirror that is translated first is shown for every state',
    'crdt-store/src/migration/mirrors.ts',
    '    if (!shown) this.#shown.set(stored, (shown = this.#show(stored)))\n    return shown',
    '    if (!shown) this.#shown.set(stored, (shown = this.#shown.get(this) ?? this.#show(stored)))\n    this.#shown.set(this, shown)\n    return shown',
  ),
  {
    name: 'take-freed-name',
    what: 'a new field is stored under the name that a dropped field had',
    changes: [
      {
        file: 'core/src/entity/layout.ts',
        find: 'const stored = version === undefined ? name : `${name}~${version}`',
        replace: 'const stored = version === undefined ? name : name',
      },
      {
        file: 'core/src/entity/layout.ts',
        find: 'if (this.#stored.has(stored))',
        replace: 'if (this.#stored.has(`${stored} `))',
      },
    ],
  },
  sabotage(
    'keep-rows-of-versions',
    'an updated device shows the rows that the other version of the app has stored',
    'crdt-store/src/entities/drop-outdated.ts',
    '  if (!stored || !equalBytes(stored, encodeModels(models))) {',
    '  if (!stored) {',
  ),
  sabotage(
    'report-unknown-fields',
    'an entity is incomplete if a newer version of the app has changed a field that this version does not declare',
    'crdt-store/src/kernels/record.ts',
    '      return field && below(key, field.apply',
    "      if (!field) return new OtherKind('field', 'record')\n      return field && below(key, field.apply",
  ),
]
