/** House rules that no linter ships. */
const noExportAll = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    return {
      /** @param {unknown} node */
      ExportAllDeclaration(node) {
        context.report({ node, message: 'Name what is exported: an `export *` hides the API.' })
      },
    }
  },
}

const TEXT_CODEC = 'packages/core/src/text.ts'

/** Texts become bytes and come back in one place, which drops and replaces nothing. */
const oneTextCodec = {
  /** @param {{ filename: string, report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    if (context.filename.endsWith(TEXT_CODEC)) return {}
    const message = `Use utf8() and fromUtf8() of @peerplane/core: only ${TEXT_CODEC} knows how a text stays the same.`
    return {
      /** @param {{ callee: { name?: string } }} node */
      NewExpression(node) {
        if (/^Text(De|En)coder$/.test(node.callee.name ?? '')) context.report({ node, message })
      },
      /** @param {{ value: unknown }} node */
      Literal(node) {
        // A test reads what it has written.
        if (context.filename.endsWith('.test.ts')) return
        if (/^utf-?8$/i.test(String(node.value))) context.report({ node, message })
      },
    }
  },
}

/** A table that is read with a cursor of one's own may be read for ever. */
const oneCursor = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    /** @param {unknown} node */
    const report = (node) =>
      context.report({ node, message: 'Read a table with pages(), which always comes to its end.' })
    const scan = "CallExpression[callee.property.name='scan']"
    return {
      [`WhileStatement ${scan}`]: report,
      [`DoWhileStatement ${scan}`]: report,
      [`ForStatement ${scan}`]: report,
    }
  },
}

/**
 * Where nobody listens a trace costs nothing: an optional call evaluates its arguments only if there is somebody to call, and an object that
 * was made before is not one of them.
 *
 * @typedef {{ name?: string, property?: { name?: string }, expression?: Callee }} Callee
 */
const freeTrace = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    const message =
      "Trace by trace?.('subject.verb', { … }): an optional call that makes its fields."
    return {
      /** @param {{ optional: boolean, arguments: { type: string }[], callee: Callee }} node */
      CallExpression(node) {
        // `trace!(…)` is a call of `trace`, too.
        const callee = node.callee.expression ?? node.callee
        const { name = callee.property?.name } = callee
        if (name !== 'trace') return
        const fields = node.arguments[1]
        if (node.optional && fields?.type === 'ObjectExpression') return
        context.report({ node, message })
      },
    }
  },
}

const IGNORED = /^\/\/ Ignored: \S/

/** Whether a comment of whole lines that ends above line `below` (from 1) gives a reason. */
const hasReason = (/** @type {string[]} */ lines, /** @type {number} */ below) => {
  for (let at = below - 2; lines[at]?.trim().startsWith('//'); at--) {
    if (IGNORED.test(lines[at]?.trim() ?? '')) return true
  }
  return false
}

/**
 * An error that nobody looks at has a reason beside it, so that `grep -rn "Ignored:"` lists them all. Errors that matter to somebody are
 * traced, or passed on.
 *
 * @typedef {{ type: string, loc: { start: { line: number } }, parent?: Node, params?: unknown[], body?: Node[] }} Node
 */
const noSilentCatch = {
  /** @param {{ sourceCode: { text: string }, report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    const message = 'Use the error, or say above it why nobody needs it: // Ignored: …'
    const lines = context.sourceCode.text.split('\n')
    /** @param {Node | undefined} handler */
    const isDeaf = (handler) =>
      /^(Arrow)?Function/.test(handler?.type ?? '') && handler?.params?.length === 0
    /** @param {Node} node */
    const statementOf = (node) => {
      let at = node
      while (at.parent && !/(Statement|Declaration|Definition)$/.test(at.type)) at = at.parent
      return at
    }
    return {
      /** @param {{ param: unknown, body: Node }} node */
      CatchClause(node) {
        // The reason is the first thing in the block.
        const inside = lines[node.body.loc.start.line]?.trim() ?? ''
        const [first] = node.body.body ?? []
        // Another error takes its place.
        if (node.param || first?.type === 'ThrowStatement') return
        if (!IGNORED.test(inside)) context.report({ node, message })
      },
      /** @param {Node & { callee: { property?: Node & { name?: string } }, arguments: Node[] }} node */
      CallExpression(node) {
        const method = node.callee.property
        const handler = new Map([
          ['catch', node.arguments[0]],
          ['then', node.arguments[1]],
        ]).get(method?.name ?? '')
        if (!method || !isDeaf(handler)) return
        const places = [method, handler, statementOf(node)]
        if (!places.some((place) => hasReason(lines, place?.loc.start.line ?? 0)))
          context.report({ node, message })
      },
    }
  },
}

const OTHER_ENDINGS =
  /^(destroy|detach|dispose|drain|end|halt|quit|shut(d|D)own|tear(d|D)own|terminate|unload)$/

/**
 * What was opened is closed, what was started is stopped: a method that ends its object has one of these two names.
 *
 * @typedef {{ type: string, computed?: boolean, key: { type: string, name?: string }, value?: { type: string }, typeAnnotation?: { typeAnnotation?: { type: string } } }} Member
 */
const oneEnding = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    /** @param {Member} node */
    const check = (node) => {
      const { name = '' } = node.key
      if (node.computed || node.key.type !== 'Identifier' || !OTHER_ENDINGS.test(name)) return
      const message = `Call it close() if it was opened, stop() if it was started; "${name}" is a third word for that.`
      context.report({ node: node.key, message })
    }
    /** @param {Member} node */
    const ifFunction = (node) => {
      const type = node.value?.type ?? node.typeAnnotation?.typeAnnotation?.type ?? ''
      if (/Function/.test(type)) check(node)
    }
    return {
      MethodDefinition: check,
      TSAbstractMethodDefinition: check,
      TSMethodSignature: check,
      PropertyDefinition: ifFunction,
      TSPropertySignature: ifFunction,
      Property: ifFunction,
    }
  },
}

export default {
  meta: { name: 'house' },
  rules: {
    'free-trace': freeTrace,
    'no-export-all': noExportAll,
    'no-silent-catch': noSilentCatch,
    'one-cursor': oneCursor,
    'one-ending': oneEnding,
    'one-text-codec': oneTextCodec,
  },
}
