import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { startServer } from '../../server/test/support/server.ts'
import { commandLine, environment, home, runCommand } from './support/run-command.ts'

const exec = promisify(execFile)

test('--version says the version, --help the commands, on the standard output', async () => {
  expect(await runCommand(['micromegas', '--version'])).toEqual({
    stdout: `${packageJson.version}\n`,
    stderr: '',
    code: 0,
  })
  const help = await runCommand(['micromegas', '--help'])
  const commands = 'processes log metrics trace query tail login logout whoami partitions server completion'
  for (const name of commands.split(' ')) expect(help.stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
  expect(help).toMatchObject({ stderr: '', code: 0 })
})

test('a profile of the home directory says where to ask; a flag and a variable win', async () => {
  await using server = await startServer()
  mkdirSync(join(home, '.micromegas'))
  writeFileSync(
    join(home, '.micromegas', 'config.json'),
    JSON.stringify({
      default_profile: 'nowhere',
      profiles: { nowhere: { uri: 'grpc://127.0.0.1:1' }, here: { uri: server.flightUri } },
    }),
  )
  const ask = (args: string[], env = {}) =>
    runCommand(['micromegas', 'query', 'select 1 as a', '--format', 'csv', ...args], { env })
  const answered = { stdout: 'a\n1\n', stderr: '', code: 0 }
  expect(await ask(['--profile', 'here'])).toEqual(answered)
  expect(await ask([], { MICROMEGAS_PROFILE: 'here' })).toEqual(answered)
  expect(await ask(['--uri', server.flightUri])).toEqual(answered)
  expect(await ask([], { MICROMEGAS_ANALYTICS_URI: server.flightUri })).toEqual(answered)
  expect(await ask([])).toMatchObject({ stdout: '', code: 1 })
  expect(await ask(['--profile', 'neither'])).toMatchObject({ stdout: '', code: 2 })
})

test('server starts micromegas-server with its options, and ends as it ends', async () => {
  const help = await runCommand(['micromegas', 'server', '--help'])
  expect(help.stdout).toContain('micromegas-server')
  expect(help).toMatchObject({ stderr: '', code: 0 })
  const wrong = await runCommand(['micromegas', 'server', '--no-such-option'])
  expect(wrong.stderr).toContain('--no-such-option')
  expect(wrong.code).toBeGreaterThan(0)
})

describe('completion', () => {
  /** What bash offers for the last of the words, by the script for it. */
  async function complete(...words: string[]): Promise<string[]> {
    const [node, ...args] = commandLine(['micromegas', 'completion', 'bash'])
    const script = `eval "$('${node}' ${args.map((arg) => `'${arg}'`).join(' ')})"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _micromegas; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await exec('bash', ['-c', script, 'bash', ...words], { env: environment() })
    return stdout.split('\n').filter((word) => word !== '')
  }

  test('in bash offers commands, their commands, and options', async () => {
    expect(await complete('micromegas', 'p')).toEqual(['processes', 'partitions'])
    expect(await complete('micromegas', 'partitions', 're')).toEqual(['retire', 'regenerate'])
    expect(await complete('micromegas', 'log', '--max-l')).toEqual(['--max-level'])
    expect(await complete('micromegas', 'log', 'some-id', '--format', 'json', '--la')).toEqual(['--last'])
    expect(await complete('micromegas', 'tail', '--maxl')).toEqual([])
  })

  test('in zsh is the same by bashcompinit; fish has its own', async () => {
    const zsh = await runCommand(['micromegas', 'completion', 'zsh'])
    const bash = await runCommand(['micromegas', 'completion', 'bash'])
    expect(zsh.stdout.endsWith(`\nautoload -U +X bashcompinit && bashcompinit\n${bash.stdout}`)).toBe(true)
    const { stdout } = await runCommand(['micromegas', 'completion', 'fish'])
    expect(stdout).toContain("complete -c micromegas -f -n '__fish_use_subcommand' -a partitions\n")
    expect(stdout).toContain(
      "complete -c micromegas -n '__fish_seen_subcommand_from partitions; and __fish_seen_subcommand_from retire' -l begin\n",
    )
    expect(
      stdout.split('\n').every((line) => line === '' || line.startsWith('complete -c micromegas ')),
    ).toBe(true)
  })

  test.runIf(isThere('zsh'))(
    'zsh takes the script, whether or not its own completion was started',
    async () => {
      const { stdout: script } = await runCommand(['micromegas', 'completion', 'zsh'])
      for (const first of ['', 'autoload -U compinit && compinit -u\n']) {
        const { stdout, stderr } = await exec(
          'zsh',
          ['-f', '-c', `${first}${script}\nprint -r -- $_comps[micromegas] $path[1]`],
          { env: environment({ PATH: '/usr/bin:/bin' }) },
        )
        expect({ stdout, stderr }).toEqual({
          stdout: '_bash_complete -o default -F _micromegas /usr/bin\n',
          stderr: '',
        })
      }
    },
  )

  test.runIf(isThere('fish'))('fish offers commands, their commands, and options', async () => {
    const { stdout: script } = await runCommand(['micromegas', 'completion', 'fish'])
    const offered = async (line: string): Promise<string[]> => {
      const { stdout } = await exec('fish', ['-c', `${script}complete -C '${line}'`], { env: environment() })
      return stdout.split('\n').filter((word) => word !== '')
    }
    expect(await offered('micromegas lo')).toEqual(['log', 'login', 'logout'])
    expect(await offered('micromegas partitions re')).toEqual(['regenerate', 'retire'])
    expect(await offered('micromegas log --max-l')).toEqual(['--max-level'])
  })
})

function isThere(shell: string): boolean {
  return process.env.PATH!.split(':').some((folder) => existsSync(join(folder, shell)))
}
