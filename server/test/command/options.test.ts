import { describe, expect, test } from 'vitest'
import { readServerEnv } from '../../src/command/environment.ts'
import { serverOptionsFromEnv, startServer } from '../../src/index.ts'
import { resolveOptions, type ServerOptions } from '../../src/options.ts'

const auth: ServerOptions = { disableAuth: true }

function problemsOf(action: () => unknown): string[] {
  try {
    action()
  } catch (error) {
    expect(error).toMatchObject({ name: 'TelemetryError', code: 'ERR_TELEMETRY_CONFIG' })
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
  throw new Error('it was accepted')
}

describe('options', () => {
  test('have defaults', () => {
    expect(resolveOptions(auth)).toMatchObject({
      host: '127.0.0.1',
      port: 8081,
      dataDir: expect.stringMatching(/[/\\]\.micromegas$/),
      maxBytes: 4 * 1024 ** 3,
      bodyLimitBytes: 100 * 1024 * 1024,
      checkBlocks: true,
      fsync: false,
      roles: ['ingestion', 'analytics'],
      print: undefined,
      closeTimeoutMs: 5000,
    })
  })

  test('that are wrong are one error with all of them by name, and no value', () => {
    const wrong = {
      host: ' ',
      port: 65_536,
      dataDr: '/tmp',
      maxBytes: 1,
      fsync: 'yes',
      roles: ['ingest'],
      apiKeys: [{ name: 'ok', key: 'canary secret' }, { name: '', key: 'x' }, 'canary'],
      oidc: { issuers: [] },
      disableAuth: 'yes',
      print: 1,
      onEvent: {},
      closeTimeoutMs: 2 ** 31,
    } as unknown as ServerOptions
    const problems = problemsOf(() => resolveOptions(wrong))
    for (const start of [
      'dataDr: no such option',
      'host: ',
      'port: ',
      'maxBytes: ',
      'fsync: expected true or false',
      'roles[0]: expected ingestion, analytics or both',
      'apiKeys[0].key: ',
      'apiKeys[1].name: ',
      'apiKeys[2]: ',
      'oidc.issuers: ',
      'disableAuth: ',
      'print: ',
      'onEvent: ',
      'closeTimeoutMs: ',
    ]) {
      expect(problems.filter((problem) => problem.startsWith(start))).toHaveLength(1)
    }
    expect(problems).toHaveLength(14)
    expect(problems.join()).not.toContain('canary')
  })

  test('without any authentication are an error that says what to do', () => {
    for (const options of [{}, { apiKeys: [] }, { admins: ['alice'] }]) {
      expect(problemsOf(() => resolveOptions(options))[0]).toMatch(
        /^no authentication: set MICROMEGAS_API_KEYS, .* or MICROMEGAS_OIDC_CONFIG/,
      )
    }
  })

  test('accept both sides of each limit', () => {
    for (const options of [
      { port: 0 },
      { port: 65_535 },
      { maxBytes: 1024 * 1024 },
      { maxBytes: Number.POSITIVE_INFINITY },
      { bodyLimitBytes: 1 },
      { closeTimeoutMs: 0 },
    ]) {
      expect(() => resolveOptions({ ...auth, ...options })).not.toThrow()
    }
    for (const options of [
      { port: -1 },
      { port: 1.5 },
      { maxBytes: 1024 * 1024 - 1 },
      { maxBytes: Number.NaN },
      { bodyLimitBytes: 0 },
    ]) {
      expect(() => resolveOptions({ ...auth, ...options })).toThrow()
    }
  })

  test('that contradict each other about an issuer are an error', () => {
    const issuer = 'https://accounts.example'
    const issuers = [
      { issuer, audience: 'a', trustEmail: true },
      { issuer, audience: 'b' },
    ]
    expect(problemsOf(() => resolveOptions({ oidc: { issuers } }))).toEqual([
      'oidc.issuers[1]: trustEmail (trust_email) differs from another audience of this issuer',
    ])
    const admins = ['alice', { issuer: `${issuer}/`, subject: 'alice' }]
    expect(
      problemsOf(() => resolveOptions({ oidc: { issuers: [{ issuer, audience: 'a' }] }, admins })),
    ).toEqual(['admins[1]: its issuer is not one of those configured, spelled exactly so'])
  })

  test('name an admin by a text, or by the issuer and either subject or email', () => {
    const issuer = 'https://accounts.example'
    const oidc = { issuers: [{ issuer, audience: 'a' }] }
    const good = ['alice', { issuer, subject: 'alice' }, { issuer, email: 'alice@example.com' }]
    expect(resolveOptions({ oidc, admins: good }).doors.analytics.admins).toEqual(good)
    const bad = [
      5,
      '',
      { issuer },
      { issuer, subject: 'a', email: 'b' },
      { subject: 'a' },
      { issuer, sub: 'a' },
    ]
    const problems = problemsOf(() => resolveOptions({ oidc, admins: bad } as unknown as ServerOptions))
    expect(problems).toEqual(
      bad.map(
        (_, i) => `admins[${i}]: expected a text, or an object with issuer and either subject or email`,
      ),
    )
  })

  test('of one door win over the plain ones, each by itself; keys and their file go together', () => {
    const oidcFor = (audience: string) => ({ issuers: [{ issuer: 'https://accounts.example', audience }] })
    const key = (name: string) => [{ name, key: `mmk_${name}` }]
    const { doors } = resolveOptions({
      apiKeys: key('plain'),
      apiKeysFile: '/plain',
      oidc: oidcFor('plain'),
      admins: ['alice'],
      ingestion: { apiKeys: key('sender') },
      analytics: { apiKeysFile: '/readers', oidc: oidcFor('readers'), admins: [] },
    })
    expect(doors.ingestion).toMatchObject({
      apiKeys: key('sender'),
      apiKeysFile: undefined,
      oidc: oidcFor('plain'),
      admins: ['alice'],
    })
    expect(doors.analytics).toMatchObject({
      apiKeys: [],
      apiKeysFile: '/readers',
      oidc: oidcFor('readers'),
      admins: [],
    })
  })

  test('without authentication at one door are an error that names it', () => {
    const apiKeys = [{ name: 'a', key: 'mmk_canary' }]
    expect(problemsOf(() => resolveOptions({ ingestion: { apiKeys } }))).toEqual([
      expect.stringMatching(/^no authentication for answering questions: set MICROMEGAS_ANALYTICS_API_KEYS /),
    ])
    expect(problemsOf(() => resolveOptions({ analytics: { apiKeys }, ingestion: { apiKeys: [] } }))).toEqual([
      expect.stringMatching(/^no authentication for taking telemetry: set MICROMEGAS_INGESTION_API_KEYS /),
    ])
    expect(problemsOf(() => resolveOptions({ apiKeys, analytics: { keys: apiKeys } } as never))).toEqual([
      'analytics.keys: no such option',
    ])
  })

  test('make admins of all callers only where nobody else could be one', () => {
    const apiKeys = [{ name: 'a', key: 'b' }]
    const oidc = { issuers: [{ issuer: 'https://accounts.example', audience: 'a' }] }
    for (const good of [{ apiKeys }, { oidc }, { apiKeys, admins: ['alice'] }])
      expect(resolveOptions({ ...good, callersAreAdmins: true }).callersAreAdmins).toBe(true)
    for (const bad of [
      { oidc, admins: ['alice'] },
      { apiKeys, analytics: { oidc, admins: ['alice'] } },
    ])
      expect(problemsOf(() => resolveOptions({ ...bad, callersAreAdmins: true }))).toEqual([
        'callersAreAdmins: excludes admins (MICROMEGAS_ADMINS), which name those who are',
      ])
    expect(problemsOf(() => resolveOptions({ disableAuth: true, callersAreAdmins: true }))[0]).toContain(
      'excludes disableAuth',
    )
  })

  test('a temporary directory and another one exclude each other', () => {
    expect(problemsOf(() => resolveOptions({ ...auth, temporary: true, dataDir: 'x' }))).toEqual([
      'temporary: excludes dataDir',
    ])
  })

  test('that are wrong keep the server from starting', async () => {
    await expect(startServer({ port: 99_999, disableAuth: true })).rejects.toMatchObject({
      code: 'ERR_TELEMETRY_CONFIG',
    })
  })
})

describe('the environment', () => {
  const KEYS = '[{"name":"ci","key":"mmk_1"},{"name":"laptop","key":"mmk_2"}]'

  test('is read as the reference server spells it', () => {
    const options = serverOptionsFromEnv({
      MICROMEGAS_API_KEYS: KEYS,
      MICROMEGAS_OIDC_CONFIG: JSON.stringify({
        issuers: [
          { issuer: 'https://accounts.example', audience: 'api', trust_email: true },
          { issuer: 'https://accounts.example', audience: 'client-id', trust_email: true },
        ],
        jwks_refresh_interval_secs: 60,
        token_cache_size: 0,
        token_cache_ttl_secs: 10,
      }),
      MICROMEGAS_ADMINS: '["alice@example.com"]',
      MICROMEGAS_INGESTION_HOST: '0.0.0.0',
      MICROMEGAS_INGESTION_PORT: '9000',
      MICROMEGAS_INGESTION_DATA_DIR: '/data',
      MICROMEGAS_INGESTION_MAX_BYTES: '1.5GiB',
      MICROMEGAS_INGESTION_FSYNC: 'true',
      MICROMEGAS_SERVER_ROLES: 'ingestion, Analytics',
    })
    const config = resolveOptions(options)
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 9000,
      dataDir: expect.stringMatching(/data$/),
      maxBytes: 1.5 * 1024 ** 3,
      fsync: true,
      roles: ['ingestion', 'analytics'],
    })
    expect(config.doors.analytics).toEqual(config.doors.ingestion)
    expect(config.doors.ingestion).toMatchObject({
      apiKeys: [
        { name: 'ci', key: 'mmk_1' },
        { name: 'laptop', key: 'mmk_2' },
      ],
      oidc: {
        issuers: [
          { audience: 'api', trustEmail: true },
          { audience: 'client-id', trustEmail: true },
        ],
        jwksRefreshIntervalSeconds: 60,
        tokenCacheSize: 0,
        tokenCacheTtlSeconds: 10,
      },
      admins: ['alice@example.com'],
    })
  })

  test('has the reference defaults for what OIDC leaves out', () => {
    const MICROMEGAS_OIDC_CONFIG = '{"issuers":[{"issuer":"https://accounts.example","audience":"api"}]}'
    expect(
      resolveOptions(serverOptionsFromEnv({ MICROMEGAS_OIDC_CONFIG })).doors.ingestion.oidc,
    ).toMatchObject({
      jwksRefreshIntervalSeconds: 3600,
      tokenCacheSize: 1000,
      tokenCacheTtlSeconds: 300,
    })
  })

  test('names the credentials of one door by its prefix, with every problem by the whole name', () => {
    const options = serverOptionsFromEnv({
      MICROMEGAS_API_KEYS: KEYS,
      MICROMEGAS_API_KEYS_FILE: ' /keys ',
      MICROMEGAS_INGESTION_API_KEYS: '[{"name":"service","key":"mmk_3"}]',
      MICROMEGAS_INGESTION_API_KEY: 'mmk_of_the_services_here',
      MICROMEGAS_ANALYTICS_API_KEYS_FILE: '/readers',
      MICROMEGAS_ANALYTICS_OIDC_CONFIG:
        '{"issuers":[{"issuer":"https://accounts.example","audience":"api"}]}',
      MICROMEGAS_ANALYTICS_ADMINS: '["alice"]',
      MICROMEGAS_ANALYTICS_URI: 'grpc://elsewhere',
    })
    expect(options).toMatchObject({
      apiKeysFile: '/keys',
      ingestion: { apiKeys: [{ name: 'service', key: 'mmk_3' }] },
      analytics: { apiKeysFile: '/readers', admins: ['alice'], oidc: { issuers: [{ audience: 'api' }] } },
    })
    expect(options.ingestion).not.toHaveProperty('oidc')
    const names = ['INGESTION_API_KEYS', 'INGESTION_OIDC_CONFIG', 'ANALYTICS_API_KEYS', 'ANALYTICS_ADMINS']
    const wrong = Object.fromEntries(names.map((name) => [`MICROMEGAS_${name}`, 'canary']))
    const problems = problemsOf(() => serverOptionsFromEnv(wrong))
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      names.map((name) => `MICROMEGAS_${name}`),
    )
    expect(problems.join()).not.toContain('canary')
  })

  test.for(['tcp://10.96.0.1:8081', ' TCP://10.96.0.1:8081', 'udp://[fd00::1]:8081', 'tcp://x'])(
    'whose port is what Kubernetes sets for a Service, %s, is told and counts for nothing',
    (MICROMEGAS_INGESTION_PORT) => {
      const MICROMEGAS_ANALYTICS_PORT = MICROMEGAS_INGESTION_PORT
      const { options, problems, notes } = readServerEnv({
        MICROMEGAS_INGESTION_PORT,
        MICROMEGAS_ANALYTICS_PORT,
      })
      expect([options, problems]).toEqual([{}, []])
      expect(notes).toEqual([
        expect.stringMatching(/^MICROMEGAS_INGESTION_PORT is ignored: .*Kubernetes.* micromegas-ingestion/),
        expect.stringMatching(/^MICROMEGAS_ANALYTICS_PORT is ignored: .*Kubernetes.* micromegas-analytics/),
      ])
    },
  )

  test.for(['http://10.0.0.1', 'tcp:8081', '8081/tcp', '0x50', '1e3', '+80'])(
    'whose port is %s is an error',
    (MICROMEGAS_INGESTION_PORT) => {
      expect(problemsOf(() => serverOptionsFromEnv({ MICROMEGAS_INGESTION_PORT }))).toEqual([
        'MICROMEGAS_INGESTION_PORT: expected a port from 0 to 65535',
      ])
    },
  )

  test('that is blank counts as unset', () => {
    const blank = {
      MICROMEGAS_API_KEYS: '',
      MICROMEGAS_OIDC_CONFIG: ' ',
      MICROMEGAS_ADMINS: '\n',
      MICROMEGAS_INGESTION_PORT: '',
    }
    expect(serverOptionsFromEnv(blank)).toEqual({})
  })

  test.for([
    ['500MiB', 500 * 1024 ** 2],
    ['1048576', 1024 ** 2],
    ['2 tib', 2 * 1024 ** 4],
    ['unlimited', Number.POSITIVE_INFINITY],
  ] as const)('takes %s as an amount of bytes', ([MICROMEGAS_INGESTION_MAX_BYTES, maxBytes]) => {
    expect(serverOptionsFromEnv({ MICROMEGAS_INGESTION_MAX_BYTES })).toEqual({ maxBytes })
  })

  test('that is wrong is one error with every problem by variable name, and no secret', () => {
    const problems = problemsOf(() =>
      serverOptionsFromEnv({
        MICROMEGAS_API_KEYS:
          '[{"name":"a","key":"canary"},{"name":"b","key":"canary"},{"nmae":"c","key":"canary two"}]',
        MICROMEGAS_OIDC_CONFIG:
          '{"issuers":[{"issuer":"accounts.example","audience":""}],"jwks_refresh_interval_sec":1}',
        MICROMEGAS_ADMINS: 'alice',
        MICROMEGAS_INGESTION_PORT: '80a',
        MICROMEGAS_INGESTION_MAX_BYTES: '10 parsecs',
      }),
    )
    for (const name of ['API_KEYS', 'OIDC_CONFIG', 'ADMINS', 'INGESTION_PORT', 'INGESTION_MAX_BYTES']) {
      expect(problems.some((problem) => problem.startsWith(`MICROMEGAS_${name}`))).toBe(true)
    }
    expect(problems.join('\n')).not.toContain('canary')
  })

  test.for([
    ['MICROMEGAS_API_KEYS', '[{"name":"ci","key":"…"}]'],
    ['MICROMEGAS_OIDC_CONFIG', '{"issuers":[{"issuer":"https://…","audience":"…"}]}'],
    ['MICROMEGAS_ADMINS', '["alice@example.com"]'],
  ] as const)('%s with text that is no JSON says the form, which is taken', ([name, form]) => {
    expect(problemsOf(() => serverOptionsFromEnv({ [name]: 'mmk_canary' }))).toEqual([
      `${name}: expected JSON such as ${form}`,
    ])
    expect(() => serverOptionsFromEnv({ [name]: form.replaceAll('…', 'filled-in') })).not.toThrow()
  })

  test('with text that is no JSON never shows it', () => {
    for (const MICROMEGAS_API_KEYS of [
      'canary',
      '["canary"',
      '{"canary":1}',
      '[["canary"]]',
      '"canary"',
      '[{"canary":"x"}]',
    ]) {
      expect(problemsOf(() => serverOptionsFromEnv({ MICROMEGAS_API_KEYS })).join()).not.toContain('canary')
    }
  })

  test('says when a key is there twice, without showing it', () => {
    const MICROMEGAS_API_KEYS = '[{"name":"a","key":"canary"},{"name":"b","key":"canary"}]'
    expect(problemsOf(() => serverOptionsFromEnv({ MICROMEGAS_API_KEYS }))).toEqual([
      'MICROMEGAS_API_KEYS: a key is there twice',
    ])
  })
})
