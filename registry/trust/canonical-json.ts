/**
 * The one form of a JSON value that is signed (RFC 8785): keys sorted by UTF-16 code units, no white space.
 * @throws TypeError for what JSON cannot hold
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${sorted.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`
  }
  const isNumber = typeof value === 'number'
  if (isNumber ? !Number.isFinite(value) : !['string', 'boolean'].includes(typeof value)) {
    if (value !== null) throw new TypeError(`${String(value)} cannot be written as JSON`)
  }
  return JSON.stringify(value)
}
