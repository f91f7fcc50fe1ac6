/** A change to the text of one product source; `find` stands in it exactly once. */
export interface Change {
  /** End of the path of the file. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A known bug. */
export interface Sabotage {
  readonly name: string
  /** What goes wrong, in a few words. */
  readonly what: string
  readonly changes: readonly Change[]
}

const sabotage = (
  name: string,
  what: string,
  file: string,
  find: string,
  replace: string,
): Sabotage => ({ name, what, changes: [{ file, find, replace }] })

/** Bugs that the campaign must find by itself. */
export const sabotages: readonly Sabotage[] = [
  sabotage(
    'ignore-dependencies',
    'deliver without dependencies',
    'crdt-store/src/log/log.ts',
    'const ignoreDependencies = sabotage.ignoreDependencies ?? false',
    'const ignoreDependencies = true',
  ),
  sabotage(
    'drop-commit',
    'drop one commit in a thousand',
    'crdt-store/src/log/log.ts',
    'deliveries.call(drops(commits))',
    'deliveries.call(commits.filter(() => (globalThis.dropped = (globalThis.dropped ?? 0) + 1) % 1000 !== 0))',
  ),
  sabotage(
    'no-anti-entropy',
    'push only, never ask for what is missing',
    'sync/src/engine/engine.ts',
    '  want(current)\n',
    '',
  ),
  sabotage(
    'resume-session',
    'go on in the last session after a restart',
    'crdt-store/src/log/append.ts',
    'this.#resumeSession = options.resumeSession',
    'this.#resumeSession = true',
  ),
  sabotage(
    'tips-only-frontier',
    'a frontier that leaves out every session with a successor, and with it lost tails',
    'core/src/log/frontier.ts',
    'if (held && held.seq === parent.seq && held.mark === parent.mark) implied.add(parent.session)',
    'if (held) implied.add(parent.session)',
  ),
  sabotage(
    'clock-register',
    'a register that goes by the clock alone',
    'crdt-store/src/kernels/register.ts',
    'cell.written.supersede(readSuperseded(superseded, turn), turn)',
    'readSuperseded(superseded, turn)',
  ),
]
