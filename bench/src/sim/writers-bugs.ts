import type { Sabotage } from './sabotages.ts'

const bug = (
  name: string,
  what: string,
  file: string,
  find: string,
  replace: string,
): Sabotage => ({
  name,
  what,
  changes: [{ file: `crdt-store/src/single-writer/${file}`, find, replace }],
})

/** Bugs that the runs with entities that have a single writer must find. */
export const writersBugs: readonly Sabotage[] = [
  bug(
    'begin-without-names',
    'a session that continues a branch does not end it',
    'writer-draft.ts',
    '      .slice(0, limits.branchNames)\n',
    '      .slice(0, 0)\n',
  ),
  bug(
    'forget-names-in-rows',
    'a row does not say which branches a session has ended',
    'writer-state.ts',
    'value, isIncomplete, commitsToValue(names)]',
    'value, isIncomplete, []]',
  ),
  bug(
    'count-twice',
    'a body that is folded again adds its events again',
    'writer-state.ts',
    '    if (strand && origin.seq <= strand.seq) return true\n',
    '',
  ),
  bug(
    'anybody-writes',
    'a device writes on the branch of another device without having chosen it',
    'writer-draft.ts',
    'if (shown.device !== device)',
    "if (shown.device === '')",
  ),
  bug(
    'write-on-the-shown',
    'a session whose branch is not shown continues the shown one, and loses its own',
    'writer-draft.ts',
    'if (others.some((each) => each.session === session))',
    "if (others.some((each) => each.session === ''))",
  ),
  bug(
    'end-all',
    'a session that continues the shown branch ends all others too',
    'writer-draft.ts',
    'this.#chosen ? this.#branches : this.#branches.slice(0, 1)',
    'this.#branches',
  ),
  bug(
    'begin-from-the-oldest',
    'a session that continues a branch begins with the value of another one',
    'writer-draft.ts',
    'return this.#chosen ?? this.#branches[0] ??',
    'return this.#chosen ?? this.#branches.at(-1) ??',
  ),
  bug(
    'first-come-first-shown',
    'of several branches, the one that arrived first is shown',
    'strands.ts',
    '  const all = [...strands.values()].sort(byRank)\n',
    '  const all = [...strands.values()]\n',
  ),
]
