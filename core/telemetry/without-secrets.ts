/** Fields that are never written, wherever they stand. Plugins log fields of their own choice. */
const secretKeys = new Set([
  'tokenvalue',
  'token',
  'password',
  'credentials',
  'secret',
  'secrets',
  'authorization',
  'fogbow-user-token',
])

const DEEPEST = 8

/** The same fields, with the values of those that are secrets replaced. Objects of classes, such as errors, are kept. */
export function withoutSecrets(
  fields: Record<string, unknown>,
  depth = 0,
): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const key in fields)
    safe[key] = secretKeys.has(key.toLowerCase()) ? '[secret]' : clean(fields[key], depth)
  return safe
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[deep]'
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  return Object.getPrototypeOf(value) === Object.prototype
    ? withoutSecrets(value as Record<string, unknown>, depth + 1)
    : value
}
