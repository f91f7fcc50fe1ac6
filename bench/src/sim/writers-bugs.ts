import { sabotage, type Sabotage } from './sabotage.ts'

/** Bugs that the runs with entities that have a single writer must find. */
export const writersBugs: readonly Sabotage[] = [
  sabotage(
    'begin-without-names',
    'a session that continues a branch does not end it',
    'crdt-store/src/single-writer/writer-draft.ts',
    '      .slice(0, limits.branchNames)\n',
    '      .slice(0, 0)\n',
  ),
  sabotage(
    'forget-names-in-rows',
    'a row does not say which branches a session has ended',
    'crdt-store/src/single-writer/writer-state.ts',
    'value, isIncomplete, commitsToValue(names)]',
    'value, isIncomplete, []]',
  ),
  {
    name: 'count-twice',
    what: 'a body that is folded again adds its events again',
    changes: [
      {
        file: 'crdt-store/src/whole/deletable-state.ts',
        find: '    if (seq <= this.#seenOf(session)) return true\n',
        replace: '',
      },
      {
        // The state inside would notice.
        file: 'crdt-store/src/single-writer/writer-state.ts',
        find: '    if (strand && origin.seq <= strand.seq) return true\n',
        replace: '',
      },
    ],
  },
  sabotage(
    'anybody-writes',
    'a device writes on the branch of another device without having chosen it',
    'crdt-store/src/single-writer/writer-draft.ts',
    'if (!shown || this.#chosen || shown.device === this.#place.origin.device) return',
    "if (!shown || this.#chosen || shown.device !== '') return",
  ),
  sabotage(
    'end-all',
    'a session that continues the shown branch ends all others too',
    'crdt-store/src/single-writer/writer-draft.ts',
    'this.#chosen ? this.#branches : this.#branches.slice(0, 1)',
    'this.#branches',
  ),
  sabotage(
    'begin-from-the-oldest',
    'a session that continues a branch begins with the value of another one',
    'crdt-store/src/single-writer/writer-draft.ts',
    'return this.#chosen ?? this.#branches[0] ??',
    'return this.#chosen ?? this.#branches.at(-1) ??',
  ),
  sabotage(
    'first-come-first-shown',
    'of several branches, the one that arrived first is shown',
    'crdt-store/src/single-writer/strands.ts',
    '  const all = [...strands.values()].sort(byRank)\n',
    '  const all = [...strands.values()]\n',
  ),
]
