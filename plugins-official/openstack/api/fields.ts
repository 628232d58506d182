import { FogbowError } from '@fogbow/plugin-sdk'

/** An object that a cloud answered, read field by field: what is not as the API says is an error that names it. */
export interface Fields {
  text(key: string): string
  /** Undefined when it is absent, null or empty. */
  maybeText(key: string): string | undefined
  number(key: string): number
  flag(key: string): boolean
  object(key: string): Fields
  maybeObject(key: string): Fields | undefined
  /** Empty when it is absent. */
  objects(key: string): Fields[]
  texts(key: string): string[]
  /** Fields that are texts, or numbers and flags as text. */
  entries(): Record<string, string>
  keys(): string[]
}

/** @param what - whose answer it is, for messages */
export function fieldsOf(value: unknown, what: string): Fields {
  if (!isObject(value)) throw unexpected(what, 'is no object')
  const at = (key: string) => (Object.hasOwn(value, key) ? value[key] : undefined)
  const child = (key: string) => `${what}.${key}`
  const wrong = (key: string, problem: string) => unexpected(child(key), problem)
  const list = (key: string): unknown[] => {
    const found = at(key) ?? []
    if (Array.isArray(found)) return found
    throw wrong(key, 'is no list')
  }
  const maybeText = (key: string) => {
    const found = at(key)
    return typeof found === 'string' && found !== '' ? found : undefined
  }
  return {
    maybeText,
    text(key) {
      const found = maybeText(key)
      if (found !== undefined) return found
      throw wrong(key, 'is missing')
    },
    number(key) {
      const found = at(key)
      if (typeof found === 'number') return found
      throw wrong(key, 'is no number')
    },
    flag: (key) => at(key) === true,
    object: (key) => fieldsOf(at(key), child(key)),
    maybeObject: (key) => (isObject(at(key)) ? fieldsOf(at(key), child(key)) : undefined),
    objects: (key) => list(key).map((entry) => fieldsOf(entry, child(key))),
    texts: (key) => list(key).filter((entry) => typeof entry === 'string'),
    entries: () =>
      Object.fromEntries(
        Object.entries(value).flatMap(([key, entry]) =>
          typeof entry === 'object' ? [] : [[key, String(entry)]],
        ),
      ),
    keys: () => Object.keys(value),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Nothing is known of what came of the request. */
function unexpected(what: string, problem: string): FogbowError {
  return new FogbowError(
    'unavailable_provider',
    `the cloud answered something strange: ${what} ${problem}`,
  )
}
