import { parseArgs, type ParseArgsConfig } from 'node:util'

type Parsed<Config extends ParseArgsConfig> = ReturnType<typeof parseArgs<Config>>

/** The arguments of a command. With `--help` it prints `usage` and ends the process; with anything that is no argument of it, it prints the reason too and exits with 2. */
export async function readArguments<const Config extends ParseArgsConfig>(
  usage: string | (() => Promise<string>),
  config: Config,
): Promise<Parsed<Config>> {
  const text = async (): Promise<string> => (typeof usage === 'string' ? usage : usage())
  const args = config.args ?? process.argv.slice(2)
  if (args.includes('--help')) {
    console.log(await text())
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(`${error.message}\n\n${await text()}`)
    process.exit(2)
  }
}
