interface Node {
  type?: string
  required?: readonly string[]
  properties?: Record<string, Node | undefined>
  minimum?: number
  default?: unknown
  enum?: readonly unknown[]
}

/** The smallest object that a schema accepts: required fields and those with a default. */
export function exampleOf(schema: unknown): Record<string, unknown> {
  const { properties = {}, required = [] } = schema as Node
  const entries = Object.entries(properties).filter(
    ([name, property]) => required.includes(name) || property?.default !== undefined,
  )
  return Object.fromEntries(entries.map(([name, property]) => [name, exampleValue(property ?? {})]))
}

function exampleValue({ type, minimum, default: byDefault, enum: values }: Node): unknown {
  if (byDefault !== undefined) return byDefault
  if (values) return values[0]
  return type === 'integer' ? Math.max(minimum ?? 1, 1) : 'example'
}
