import { globSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'

import ts from 'typescript'

/** What one entry point of a package shows, as a page. */
export interface ApiReport {
  /** Path of the page below the root. */
  readonly path: string
  readonly text: string
}

interface Entry {
  /** As it is imported. */
  readonly specifier: string
  /** Its built declarations. */
  readonly file: string
  /** Folder of the package. */
  readonly root: string
}

/**
 * A report of every entry point, made from the declarations that are packed: each exported name with its type, without comments, in the
 * order of names. What is passed on from another package is named only. Types that exported ones mention, and that are exported nowhere in
 * the package, follow: a change of them is a change of the API too.
 */
export function apiReports(): ApiReport[] {
  const entries = globSync('packages/*').toSorted().flatMap(entriesOf)
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2024,
      strict: true,
      noEmit: true,
      types: [],
    },
  )
  return entries.map((entry) => new Report(program, entry).page())
}

function entriesOf(root: string): Entry[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const doors = Object.entries<{ types: string }>(exports)
  return doors.map(([door, { types }]) => ({
    specifier: join(name, door),
    file: resolve(root, types),
    root: resolve(root),
  }))
}

const printer = ts.createPrinter({ removeComments: true })

class Report {
  readonly #entry: Entry
  readonly #checker: ts.TypeChecker
  readonly #source: ts.SourceFile
  /** What is printed already, or passed on. */
  readonly #known = new Set<ts.Symbol>()
  readonly #mentioned: ts.Symbol[] = []

  constructor(program: ts.Program, entry: Entry) {
    const source = program.getSourceFile(entry.file)
    if (!source) throw new Error(`${relative('.', entry.file)} is not there: tsc -b makes it`)
    this.#entry = entry
    this.#checker = program.getTypeChecker()
    this.#source = source
  }

  page(): ApiReport {
    const { specifier, root } = this.#entry
    const module = this.#checker.getSymbolAtLocation(this.#source)
    const exported = module ? this.#checker.getExportsOfModule(module) : []
    const named = exported.map((symbol) => ({ name: symbol.name, symbol: this.#target(symbol) }))
    for (const { symbol } of named) this.#known.add(symbol)
    const passedOn = byName(named.filter(({ symbol }) => !this.#declares(symbol)))
    const shown = byName(named.filter(({ symbol }) => this.#declares(symbol))).map(
      ({ name, symbol }) => this.#print(symbol, name),
    )
    const inner: { name: string; text: string }[] = []
    for (let next = this.#mentioned.shift(); next; next = this.#mentioned.shift()) {
      inner.push({ name: next.name, text: this.#print(next, next.name) })
    }
    const title = `# ${specifier}\n\nThe API, written by \`npm run api\` from what is packed.\n`
    const parts = [title]
    if (shown.length > 0) parts.push(block(shown.join('\n\n')))
    if (passedOn.length > 0) {
      parts.push('## Passed on from other packages\n')
      parts.push(block(passedOn.map(({ name }) => name).join('\n')))
    }
    if (inner.length > 0) {
      parts.push(
        '## Not exported, but mentioned\n',
        block(
          byName(inner)
            .map(({ text }) => text)
            .join('\n\n'),
        ),
      )
    }
    const path = specifier.slice(specifier.indexOf('/') + 1).replace('/', '.')
    return { path: join('docs', 'api', `${path || basename(root)}.md`), text: parts.join('\n') }
  }

  /** The declarations of a symbol, and the name under which it is exported where that is another one. */
  #print(symbol: ts.Symbol, name: string): string {
    const own = (symbol.declarations ?? []).filter((each) => this.#isOwn(each))
    const text = own
      .map((declaration) => {
        this.#collect(declaration)
        const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
        const text = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
        return text.replace(/^export /, '').replace(/^declare /, '')
      })
      .join('\n')
    return name === symbol.name ? text : `// as ${name}\n${text}`
  }

  /** Remembers the types of this package that a declaration mentions. */
  #collect(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const symbol = this.#checker.getSymbolAtLocation(node)
      const target = symbol && this.#target(symbol)
      if (target && !this.#known.has(target) && isMentionable(target) && this.#declares(target)) {
        this.#known.add(target)
        this.#mentioned.push(target)
      }
    }
    node.forEachChild((child) => this.#collect(child))
  }

  #declares(symbol: ts.Symbol): boolean {
    return symbol.declarations?.some((each) => this.#isOwn(each)) ?? false
  }

  #isOwn(node: ts.Node): boolean {
    return node.getSourceFile().fileName.startsWith(`${this.#entry.root}/dist/`)
  }

  /** What a name that is imported or passed on stands for. */
  #target(symbol: ts.Symbol): ts.Symbol {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
    return isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }
}

function isMentionable(symbol: ts.Symbol): boolean {
  const types = ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias
  const values = ts.SymbolFlags.BlockScopedVariable | ts.SymbolFlags.Function
  return (symbol.flags & (types | values)) !== 0
}

function byName<Named extends { readonly name: string }>(all: readonly Named[]): Named[] {
  return all.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

const block = (text: string): string => `\`\`\`typescript\n${text}\n\`\`\`\n`
