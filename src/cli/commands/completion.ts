import type { Command } from 'commander'
import { UsageError } from '../usage-error.ts'

interface Node {
  readonly path: string
  readonly words: readonly string[]
}

/** Every command with the words that may follow it. */
function nodesOf(command: Command, path = ''): Node[] {
  const commands = command.commands.filter((child) => child.name() !== 'help')
  const options = command.options.map((option) => option.long).filter((long) => long !== undefined)
  const node = { path, words: [...commands.map((child) => child.name()), ...options, '--help'] }
  return [node, ...commands.flatMap((child) => nodesOf(child, `${path} ${child.name()}`.trim()))]
}

/** A completion script: `eval "$(micromegas completion bash)"`. */
export function completion(program: Command, shell: string): string {
  const nodes = nodesOf(program)
  switch (shell) {
    case 'bash':
      return bash(nodes)
    case 'zsh':
      return `${ZSH_FIRST}${bash(nodes)}`
    case 'fish':
      return fish(nodes)
    default:
      throw new UsageError(`Cannot complete in ${shell}: expected bash, zsh or fish`)
  }
}

/** What bash's commands for completion are in zsh; it needs zsh's own, which not every .zshrc starts. */
const ZSH_FIRST = `(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }
autoload -U +X bashcompinit && bashcompinit
`

/** Its variables have other names than zsh's own: there, `path` is that of the commands. */
function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, words }) => `    "${path}") offered="${words.join(' ')}" ;;`)
  return `_micromegas() {
  local given="" offered="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -*) ;;
      *) case " ${nodes.map(({ path }) => path.split(' ').at(-1)).join(' ')} " in *" \${COMP_WORDS[i]} "*) given="\${given:+$given }\${COMP_WORDS[i]}" ;; esac ;;
    esac
  done
  case "$given" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _micromegas micromegas
`
}

function fish(nodes: readonly Node[]): string {
  return nodes
    .flatMap(({ path, words }) => {
      const condition =
        path === ''
          ? '__fish_use_subcommand'
          : path
              .split(' ')
              .map((word) => `__fish_seen_subcommand_from ${word}`)
              .join('; and ')
      return words.map((word) =>
        word.startsWith('--')
          ? `complete -c micromegas -n '${condition}' -l ${word.slice(2)}`
          : `complete -c micromegas -f -n '${condition}' -a ${word}`,
      )
    })
    .map((line) => `${line}\n`)
    .join('')
}
