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
 */
const freeTrace = {
  /** @param {{ report(found: { node: unknown, message: string }): void }} context */
  create(context) {
    const message =
      "Trace by trace?.('subject.verb', { … }): an optional call that makes its fields."
    return {
      /**
       * @param {{ optional: boolean, arguments: { type: string }[],
       *   callee: { name?: string, property?: { name?: string } } }} node
       */
      CallExpression(node) {
        const { name = node.callee.property?.name } = node.callee
        if (name !== 'trace') return
        const fields = node.arguments[1]
        if (node.optional && fields?.type === 'ObjectExpression') return
        context.report({ node, message })
      },
    }
  },
}

export default {
  meta: { name: 'house' },
  rules: {
    'free-trace': freeTrace,
    'no-export-all': noExportAll,
    'one-cursor': oneCursor,
    'one-text-codec': oneTextCodec,
  },
}
