import * as module from 'node:module'

/** Runs the command line, with compiled code kept between runs where Node can do that (22.1 and later). */
export async function run(args: readonly string[]): Promise<void> {
  const { enableCompileCache } = module as { readonly enableCompileCache?: () => unknown }
  enableCompileCache?.()
  const { main } = await import('../main.ts')
  await main(args)
}
