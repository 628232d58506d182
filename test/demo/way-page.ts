import type { Step, Way } from './way.ts'
import { labelOf } from './way-text.ts'

export interface PageFacts {
  readonly title: string
  readonly sentences: readonly string[]
  readonly members: readonly { id: string; dialect: string; latency: string }[]
}

const LANE = 210
const LEFT = 110
const TOP = 64
const ROW = 30

/** One page with nothing from outside: the picture as SVG, and what it says in words. */
export function wayPage(way: Way, { title, sentences, members }: PageFacts): string {
  const rows = members.map(
    ({ id, dialect, latency }) =>
      `<tr><td>${escaped(id)}</td><td>${escaped(dialect)}</td><td>${escaped(latency)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; --line: #8885; --ink: #2463ae; --answer: #2a7a4b; --note: #a15c00 }
  @media (prefers-color-scheme: dark) { :root { --ink: #7db4f5; --answer: #74cf9b; --note: #f0b45c } }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
  svg { width: 100%; height: auto } text { font: 12px system-ui, sans-serif; fill: currentColor }
  .lane { stroke: var(--line); stroke-dasharray: 3 3 } .title { font-weight: 600 }
  .time { font-variant-numeric: tabular-nums; text-anchor: end; opacity: .7 }
  .request { stroke: var(--ink) } .answer { stroke: var(--answer) } .note { fill: var(--note) }
  table { border-collapse: collapse } td, th { padding: .2rem 1.5rem .2rem 0; text-align: left }
</style>
<h1>${escaped(title)}</h1>
${sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join('\n')}
${picture(way)}
<table><tr><th>member</th><th>dialect</th><th>signed ping</th></tr>${rows.join('')}</table>
</html>
`
}

function picture({ lanes, steps }: Way): string {
  const xOf = (key: string) => LEFT + lanes.findIndex((lane) => lane.key === key) * LANE
  const width = LEFT + (lanes.length - 1) * LANE + 120
  const height = TOP + steps.length * ROW + 20
  const heads = lanes.map(
    ({ key, title }) =>
      `<text class="title" text-anchor="middle" x="${xOf(key)}" y="30">${escaped(title)}</text><line class="lane" x1="${xOf(key)}" x2="${xOf(key)}" y1="42" y2="${height}"/>`,
  )
  const marker = (name: string, colour: string) =>
    `<marker id="${name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="var(--${colour})"/></marker>`
  const drawn = steps.map((step, n) => drawStep(step, TOP + n * ROW, xOf))
  return `<svg role="img" aria-label="The way of the request" viewBox="0 0 ${width} ${height}">
<defs>${marker('request', 'ink')}${marker('answer', 'answer')}</defs>
${[...heads, ...drawn].join('\n')}
</svg>`
}

function drawStep(step: Step, y: number, xOf: (key: string) => number): string {
  const [from, to] = [xOf(step.from), xOf(step.to)]
  const time = `<text class="time" x="${LEFT - 50}" y="${y + 4}">${step.at.toFixed(1)} ms</text>`
  const label = escaped(labelOf(step))
  if (from === to)
    return `${time}<text class="note" text-anchor="middle" x="${from}" y="${y + 4}">${label}</text>`
  const kind = to > from ? 'request' : 'answer'
  return `${time}<line class="${kind}" marker-end="url(#${kind})" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/><text text-anchor="middle" x="${(from + to) / 2}" y="${y - 5}">${label}</text>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
