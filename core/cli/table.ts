import Table from 'cli-table3'
import { printable, type Terminal } from './terminal.ts'

export type Row = Record<string, unknown>

/** Without lines, so that `awk` and people read it equally well. */
const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Longer texts inside of something, such as files, are shortened; `--json` has them whole. */
const LONGEST_INNER_TEXT = 40

/** Rows under a heading of their column names. */
export function formatRows(terminal: Terminal, columns: readonly string[], rows: Row[]): string {
  const heading = columns.map((column) => terminal.paint('bold', toTitle(column)))
  const cells = rows.map((row) => columns.map((column) => toCell(terminal, column, row[column])))
  return layOut([heading, ...cells])
}

/** One thing, a line per field; fields without a value are left out. */
export function formatFields(terminal: Terminal, fields: Row): string {
  const lines = Object.entries(fields)
    .map(([name, value]) => [terminal.paint('bold', name), toCell(terminal, name, value)])
    .filter(([, cell]) => cell !== '')
  return layOut(lines)
}

function layOut(lines: string[][]): string {
  const table = new Table({
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...lines)
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** `instanceId` → `INSTANCE ID`, `vCPU` → `VCPU`. */
function toTitle(column: string): string {
  return column.replace(/(?<=.)([A-Z])(?=[a-z])/g, ' $1').toUpperCase()
}

function toCell(terminal: Terminal, name: string, value: unknown): string {
  const text = toText(value)
  return /^(state|health|status)$/.test(name) ? terminal.paint(stateStyle(text), text) : text
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(toText).join(', ')
  if (typeof value !== 'object') return printable(String(value))
  const { id, name } = value as Row
  if (typeof id === 'string' && typeof name === 'string') return printable(`${name} (${id})`)
  return Object.entries(value)
    .filter(([, item]) => item !== null && item !== '' && item !== false)
    .map(([key, item]) => `${printable(key)}=${shorten(toText(item))}`)
    .join(' ')
}

function shorten(text: string): string {
  return text.length > LONGEST_INNER_TEXT ? `${text.slice(0, LONGEST_INNER_TEXT - 1)}…` : text
}

function stateStyle(state: string): 'green' | 'red' | 'yellow' {
  if (/^(ready|ok|available|active)$/i.test(state)) return 'green'
  return isFailed(state) || /quarantine|fail|down/i.test(state) ? 'red' : 'yellow'
}

/** Instance states from which only deletion leads on. */
export function isFailed(state: string): boolean {
  return state === 'FAILED' || state === 'ERROR'
}
