/**
 * The arrows between the rooms: each room may import what its line lists, and nothing else. `types` are rooms of which
 * only types may be imported. Rooms of src/ first, then those of server/src/.
 */
const rooms = {
  'src/model': { imports: [], types: ['src/transit'] },
  'src/transit': { imports: ['src/model'], types: [] },
  'src/tracing': { imports: ['src/model', 'src/transit'], types: [] },
  'src/telemetry': { imports: ['src/model', 'src/transit'], types: [] },
  'src/config': { imports: ['src/model'], types: [] },
  'src/http': { imports: ['src/model', 'src/config'], types: [] },
  'src/auth': { imports: ['src/model', 'src/config', 'src/http'], types: [] },
  'src/sink': {
    imports: [
      'src/model',
      'src/config',
      'src/telemetry',
      'src/transit',
      'src/tracing',
      'src/http',
      'src/auth',
    ],
    types: [],
  },
  'src/interop': { imports: ['src/model', 'src/tracing'], types: ['src/main'] },
  'src/main': {
    imports: [
      'src/model',
      'src/config',
      'src/transit',
      'src/tracing',
      'src/telemetry',
      'src/http',
      'src/auth',
      'src/sink',
      'src/interop',
    ],
    types: [],
  },
  'src/register': { imports: ['src/main', 'src/interop', 'src/model'], types: [] },
  'src/deferred': {
    imports: ['src/main', 'src/sink', 'src/interop', 'src/auth', 'src/telemetry'],
    types: [],
  },
  'src/query': { imports: ['src/model', 'src/config', 'src/http', 'src/auth'], types: [] },
  'src/cli': { imports: ['src/model', 'src/config', 'src/auth', 'src/query'], types: [] },
  'server/src/store': { imports: [], types: [] },
  'server/src/auth': { imports: [], types: [] },
}

const pathOf = (names) => `^(${names.join('|')})/`

const forbidden = Object.entries(rooms).flatMap(([room, { imports, types }]) => [
  {
    name: `${room}-imports`,
    comment: `${room} may import ${[room, ...imports, ...types.map((t) => `${t} (types)`)].join(', ')}`,
    severity: 'error',
    from: { path: pathOf([room]) },
    to: {
      path: '^(src|server/src)/',
      pathNot: [
        pathOf([room, ...imports, ...types]),
        ...(room.startsWith('server/') ? ['^src/wire\\.ts$'] : []),
      ],
    },
  },
  ...types.map((type) => ({
    name: `${room}-imports-types-of-${type}`,
    comment: `${room} may import only types of ${type}`,
    severity: 'error',
    from: { path: pathOf([room]) },
    to: { path: pathOf([type]), dependencyTypesNot: ['type-only'] },
  })),
])

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'server-imports-public-entries',
      comment: 'micromegas-server reaches the other package by its entries only',
      severity: 'error',
      from: { path: '^server/src/' },
      to: { path: '^src/', pathNot: ['^src/wire\\.ts$'] },
    },
    {
      name: 'sdk-does-not-know-the-server',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^server/' },
    },
    {
      name: 'page-is-alone',
      comment: 'the page runs in a browser: it knows the server by its HTTP routes only',
      severity: 'error',
      from: { path: '^server/page/src/' },
      to: { path: '^(src|server/src)/' },
    },
    {
      name: 'nobody-imports-the-page',
      severity: 'error',
      from: { path: '^(src|server/src)/' },
      to: { path: '^server/page/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
