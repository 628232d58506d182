import type { Step, Way } from './way.ts'

const LANE = 26
const TIME = 13

/** The way as lines for a terminal of 140 columns. */
export function wayText({ lanes, steps }: Way): string {
  const columnOf = (key: string) => TIME + lanes.findIndex((lane) => lane.key === key) * LANE
  const width = TIME + (lanes.length - 1) * LANE + 1
  const blank = () => {
    const line: string[] = new Array(width).fill(' ')
    for (const { key } of lanes) line[columnOf(key)] = '│'
    return line
  }

  function draw(step: Step): string {
    const line = blank()
    const [from, to] = [columnOf(step.from), columnOf(step.to)]
    const [left, right] = [Math.min(from, to), Math.max(from, to)]
    if (from === to)
      write(line, from === TIME ? from + 2 : from - step.label.length - 1, step.label)
    else {
      for (let x = left + 1; x < right; x += 1) line[x] = '─'
      line[to > from ? right - 1 : left + 1] = to > from ? '▶' : '◀'
      const label = ` ${labelOf(step)} `.slice(0, right - left - 3)
      write(line, left + 1 + Math.floor((right - left - 1 - label.length) / 2), label)
    }
    const time = step.at.toFixed(1).padStart(7)
    return time + line.slice(7).join('')
  }

  const heading = new Array(width + LANE).fill(' ')
  for (const { key, title } of lanes)
    write(heading, Math.max(0, columnOf(key) - Math.floor(title.length / 2)), title)
  write(heading, 0, '     ms')
  return [heading.join('').trimEnd(), ...steps.map(draw)].join('\n')
}

export function labelOf({ label, tookMs }: Step): string {
  return tookMs === undefined ? label : `${label} ${tookMs.toFixed(1)} ms`
}

function write(line: string[], at: number, text: string): void {
  for (const [n, character] of [...text].entries()) line[at + n] = character
}
