import { Command, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { completion } from './commands/completion.ts'
import { DataOutput, parseColor } from './output/terminal.ts'

/** Options of commands that ask a server. */
function asking(command: Command): Command {
  return command
    .option('--uri <uri>', 'analytics server (MICROMEGAS_ANALYTICS_URI, else grpc://localhost:50051)')
    .option('--profile <name>', 'profile of ~/.micromegas/config.json (MICROMEGAS_PROFILE)')
    .option('--no-browser', 'show the address of a login instead of opening a browser')
}

/** Options of commands that show rows. */
function showing(command: Command): Command {
  return asking(command)
    .option('--format <format>', 'table, csv, json, ndjson or arrow', 'table')
    .option('--max-colwidth <n>', 'longest cell of a table; 0: no limit (default: 50, or what fits)')
    .addOption(color())
    .addOption(noColor())
}

function color(): Option {
  return new Option('--color [when]', 'colours: always, never, or auto: on a terminal')
    .preset('always')
    .argParser(parseColor)
}

function noColor(): Option {
  return new Option('--no-color', 'no colours').hideHelp()
}

function positional(command: Command): Command {
  return command.argument('<process-id>', 'UUID of the process, as `processes` shows it')
}

/**
 * The command line. Commands are loaded when they run: most of the start is the libraries of the query side.
 *
 * @param onExitCode - Told the exit code of a command that has one of its own.
 */
export function makeProgram(onExitCode: (code: number) => void): Command {
  const program = new Command('micromegas')
    .description('Asks a Micromegas server about processes, logs, metrics and spans')
    .version(packageJson.version, '--version')
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows the options)')
    .configureHelp({ showGlobalOptions: false })

  showing(program.command('processes'))
    .description('processes, oldest first')
    .option('--since <time>', 'alive since: 90s, 15m, 1h, 7d, or an RFC 3339 time', '1h')
    .option('--limit <n>', 'newest processes shown', '1000')
    .option('--username <text>', 'whose user name contains this')
    .option('--exe <text>', 'whose executable contains this')
    .option('--computer <text>', 'whose computer contains this')
    .action(async (flags) => (await import('./commands/processes.ts')).processes(flags))

  showing(positional(program.command('log')))
    .description('the log of a process')
    .option('--first <n>', 'first entries')
    .option('--last <n>', 'last entries (default: 1024)')
    .option('--target <text>', 'whose target contains this')
    .option('--msg <text>', 'whose message contains this')
    .option('--max-level <level>', 'least severe level: fatal … trace, or 1 … 6')
    .addOption(new Option('--maxlevel <level>').hideHelp())
    .action(async (id, { maxlevel, ...flags }) =>
      (await import('./commands/log.ts')).log(id, { ...flags, maxLevel: flags.maxLevel ?? maxlevel }),
    )

  showing(positional(program.command('metrics')))
    .description('the metrics of a process')
    .option('--name <text>', 'whose name contains this')
    .option('--target <text>', 'whose target contains this')
    .option('--stats', 'count, min, mean, median, max and sum by name')
    .option('--limit <n>', 'rows shown', '1024')
    .action(async (id, flags) => (await import('./commands/metrics.ts')).metrics(id, flags))

  asking(positional(program.command('trace')))
    .description('a trace of a process for Perfetto')
    .option('-o, --output <file>', 'file to write (default: <process-id>.perfetto)')
    .option('--begin <time>', 'from: 1h, or an RFC 3339 time (default: the start of the process)')
    .option('--end <time>', 'to (default: now)')
    .option('--spans <kind>', 'thread, async or both', 'both')
    .option('--no-logs', 'without logs')
    .option('--no-metrics', 'without metrics')
    .addOption(new Option('--filename <file>').hideHelp())
    .action(async (id, { filename, ...flags }) =>
      (await import('./commands/trace.ts')).trace(id, { ...flags, output: flags.output ?? filename }),
    )

  showing(program.command('query'))
    .description('any SQL')
    .argument('[sql]', 'the statement; - for the standard input')
    .option('--file <file>', 'take the SQL from a file; - for the standard input')
    .option('--begin <time>', 'begin of the time range: 1h, or an RFC 3339 time')
    .option('--end <time>', 'end of the time range (default: now)')
    .option('--all', 'no time range (the default without --begin)')
    .action(async (sql, flags) => (await import('./commands/query.ts')).query(sql, flags))

  asking(program.command('tail'))
    .description('follow what arrives')
    .option('--max-level <level>', 'least severe level: fatal … trace, or 1 … 6')
    .addOption(new Option('--level <level>').hideHelp())
    .option('--target <text>', 'whose target contains this')
    .option('--grep <text>', 'whose message contains this')
    .option('--exclude <text>', 'whose message does not contain this')
    .option('--process <id>', 'of this process only')
    .option('--kind <kind>', 'log or metric', 'log')
    .option('--since <time>', 'begin with what is not older than this', '10s')
    .option('--format <format>', 'text or ndjson', 'text')
    .option('--once', 'end after what is there now')
    .addOption(color())
    .addOption(noColor())
    .action(async ({ level, ...flags }) =>
      (await import('./commands/tail.ts')).tail({ ...flags, maxLevel: flags.maxLevel ?? level }),
    )

  asking(program.command('login'))
    .description('log in by browser, or by a code on another device')
    .option('--device', 'show a code to enter on another device')
    .action(async (flags) => (await import('./commands/login.ts')).login(flags))
  program
    .command('logout')
    .description('delete the saved tokens')
    .option('--profile <name>', 'of this profile only')
    .option('--revoke', 'make the identity provider forget them, too')
    .action(async (flags) => (await import('./commands/login.ts')).logout(flags))
  asking(program.command('whoami'))
    .description('who queries are asked as')
    .action(async (flags) => (await import('./commands/login.ts')).whoami(flags))

  addPartitions(program)

  program
    .command('server')
    .description('start micromegas-server')
    .argument('[arguments...]', 'its options')
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[]) => onExitCode(await (await import('./commands/server.ts')).server(args)))
  program
    .command('completion')
    .description('a script that completes commands: eval "$(micromegas completion bash)"')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) => new DataOutput().write(completion(program, shell)))
  return program
}

function addPartitions(program: Command): void {
  const partitions = program.command('partitions').description('administration of a deployment')
  showing(partitions.command('list'))
    .description('the partitions of the lake')
    .option('--view <name>', 'of this view set only')
    .action(async (flags) => (await import('./commands/partitions.ts')).listPartitions(flags))
  for (const work of ['retire', 'materialize', 'regenerate'] as const) {
    const command = asking(partitions.command(work))
      .description(`${work} the partitions of a view in a time`)
      .argument('<view>', 'view set, such as log_entries')
      .requiredOption('--begin <time>', 'from: 7d, or an RFC 3339 time')
      .requiredOption('--end <time>', 'to')
      .action(async (view, flags) =>
        (await import('./commands/partitions.ts')).workOnPartitions(work, view, flags),
      )
    if (work === 'retire') command.option('--instance <id>', 'view instance', 'global')
    else command.option('--delta <seconds>', 'length of a partition', '3600')
  }
}
