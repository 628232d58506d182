const colors = { green: 32, red: 31, yellow: 33, dim: 2 } as const

/** Colours a text where a terminal shows it. */
export function paint(text: string, color: keyof typeof colors, out: NodeJS.WriteStream): string {
  return out.isTTY && !process.env.NO_COLOR ? `\x1b[${colors[color]}m${text}\x1b[0m` : text
}
