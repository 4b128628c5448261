import { readFile } from 'node:fs/promises'
import { build, type Options } from 'tsup'
import ts from 'typescript'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** Who compiles decorators; `legacy`: as `experimentalDecorators` has them, with `emitDecoratorMetadata` by TypeScript. */
export type DecoratorCompiler = 'esbuild' | 'typescript' | 'legacy esbuild' | 'legacy typescript'

/** Leaves decorators to TypeScript, whose helpers differ from esbuild's; its source map goes into the file. */
function typescriptFirst(legacy: boolean): Plugin {
  return {
    name: 'typescript',
    setup(compilation) {
      compilation.onLoad({ filter: /support\/[\w-]+\.ts$/ }, async ({ path }) => {
        const { outputText } = ts.transpileModule(await readFile(path, 'utf8'), {
          fileName: path,
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            inlineSourceMap: true,
            inlineSources: true,
            experimentalDecorators: legacy,
            emitDecoratorMetadata: legacy,
          },
        })
        return { contents: outputText, loader: 'js' }
      })
    },
  }
}

export interface CompileOptions {
  readonly outDir: string
  /** Who compiles decorators. @defaultValue `esbuild` */
  readonly decorators?: DecoratorCompiler
  /** @defaultValue `['esm']` */
  readonly formats?: readonly ('esm' | 'cjs')[]
}

/** Compiles a TypeScript program, with all that it imports from here, to `<name>.mjs` or `.cjs` with a source map. */
export async function compileProgram(entry: string, options: CompileOptions): Promise<void> {
  const { decorators = 'esbuild' } = options
  await build({
    entry: [entry],
    outDir: options.outDir,
    config: false,
    silent: true,
    format: [...(options.formats ?? ['esm'])],
    target: 'es2022',
    sourcemap: true,
    splitting: false,
    outExtension: ({ format }) => ({ js: format === 'esm' ? '.mjs' : '.cjs' }),
    esbuildPlugins: decorators.endsWith('typescript')
      ? [typescriptFirst(decorators.startsWith('legacy'))]
      : [],
    esbuildOptions: (esbuild) => {
      if (decorators === 'legacy esbuild') {
        delete esbuild.tsconfig
        esbuild.tsconfigRaw = { compilerOptions: { experimentalDecorators: true } }
      }
      esbuild.keepNames = true
    },
  })
}
