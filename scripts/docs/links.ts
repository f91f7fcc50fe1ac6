import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { prose } from './markdown.ts'

/** Relative links and images of a page that lead to no file or no heading. */
export function brokenLinks(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|(?:src|href)="([^"]+)"/g)]
  return links
    .map((link) => link[1] ?? link[2] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !leadsSomewhere(page, target))
    .map((target) => `${page}: the link ${target} leads nowhere`)
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : join(dirname(page), decodeURIComponent(path))
  if (!existsSync(file)) return false
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith('.md')) return true
  return headings(file).includes(anchor)
}

/** Anchors as GitHub makes them from headings. */
function headings(page: string): string[] {
  return [...prose(page).matchAll(/^#{1,6}\s+(.+?)\s*$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}
