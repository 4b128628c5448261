/**
 * The arrows between the rooms of src/: each room may import what its line lists, and nothing else. `types` are rooms of
 * which only types may be imported. src/errors.ts is everybody's.
 */
const rooms = {
  transit: { imports: [], types: [] },
  tracing: { imports: ['transit'], types: [] },
  telemetry: { imports: ['transit'], types: ['tracing'] },
  auth: { imports: [], types: [] },
  sink: { imports: ['telemetry', 'transit', 'tracing', 'auth'], types: [] },
  interop: { imports: ['tracing'], types: ['main'] },
  main: { imports: ['transit', 'tracing', 'telemetry', 'auth', 'sink', 'interop'], types: [] },
  ingestion: { imports: ['transit', 'telemetry'], types: [] },
}

const forbidden = Object.entries(rooms).flatMap(([room, { imports, types }]) => [
  {
    name: `${room}-imports`,
    comment: `src/${room} may import ${[room, ...imports, ...types.map((t) => `${t} (types)`)].join(', ')}`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: {
      path: '^src/',
      pathNot: ['^src/errors\\.ts$', `^src/(${[room, ...imports, ...types].join('|')})/`],
    },
  },
  ...types.map((type) => ({
    name: `${room}-imports-types-of-${type}`,
    comment: `src/${room} may import only types of src/${type}`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: `^src/${type}/`, dependencyTypesNot: ['type-only'] },
  })),
])

module.exports = {
  forbidden: [
    ...forbidden,
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
    enhancedResolveOptions: { extensions: ['.ts'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}
