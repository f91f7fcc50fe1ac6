import { sabotage, type Sabotage } from './sabotage.ts'

/** Bugs that the runs with deleted entities must find. */
export const deletionsBugs: readonly Sabotage[] = [
  sabotage(
    'generation-goes-on',
    'a change of a deleted entity goes on in its generation, so what was deleted is back',
    'crdt-store/src/kernels/entries.ts',
    'renews ? generation + 1 : generation',
    'renews ? generation : generation',
  ),
  sabotage(
    'deletion-closes',
    'a deletion also takes away changes that its author did not know',
    'crdt-store/src/kernels/entries.ts',
    '    if (names) this.#remove(key, names, generation, context)\n',
    '    if (names && names.length < 0) this.#remove(key, names, generation, context)\n',
  ),
  sabotage(
    'old-generations-count',
    'changes of an earlier generation change the current one',
    'crdt-store/src/kernels/entries.ts',
    'if (before?.generation === generation) return before',
    'if (before && before.generation >= generation) return before',
  ),
  sabotage(
    'closed-forgotten',
    'an entity that was closed can be changed in the same generation after a restart',
    'crdt-store/src/kernels/entries.ts',
    'return [open, closed.flatMap(([at, generation]) => [fromHex(at), generation])]',
    'return [open, closed.slice(0, 0).flatMap(([at, generation]) => [fromHex(at), generation])]',
  ),
]
