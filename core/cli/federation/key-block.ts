/** What an administrator reads to others, and they write into their configuration. */
export function keyBlock(siteId: string, announced: readonly string[]): string {
  const lines = announced.map((key) => `      '${key}',`)
  return `  peers: {\n    '${siteId}': { keys: [\n${lines.join('\n')}\n    ] },\n  },`
}
