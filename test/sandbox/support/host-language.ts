/** Notices when something changes the language for the host itself. */
export interface HostLanguage {
  /** Names of what is not as it was when the watch began. */
  changes(): string[]
}

export function watchHostLanguage(): HostLanguage {
  const before = new Map(holders().map(([name, holder]) => [name, propertiesOf(holder)]))
  return {
    changes() {
      return holders()
        .filter(([name, holder]) => !isSame(before.get(name), propertiesOf(holder)))
        .map(([name]) => name)
    },
  }
}

type Properties = Map<PropertyKey, PropertyDescriptor>

/** The built-ins and their prototypes. */
function holders(): [name: string, holder: object][] {
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name))
  const found: [string, object][] = names.flatMap((name): [string, object][] => {
    const value: unknown = Reflect.get(globalThis, name)
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return []
    const prototype: unknown = Reflect.get(value, 'prototype')
    const own: [string, object] = [name, value]
    return typeof prototype === 'object' && prototype !== null
      ? [own, [`${name}.prototype`, prototype]]
      : [own]
  })
  const generator = Object.getPrototypeOf(function* () {})
  return [
    ...found,
    ['GeneratorFunction.prototype', generator],
    ['Math', Math],
    ['Reflect', Reflect],
  ]
}

function propertiesOf(holder: object): Properties {
  return new Map(
    Reflect.ownKeys(holder).map((key) => [
      key,
      Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor,
    ]),
  )
}

function isSame(before: Properties | undefined, now: Properties): boolean {
  if (!before || before.size !== now.size) return false
  return [...now].every(([key, property]) => {
    const earlier = before.get(key)
    return (
      earlier !== undefined &&
      Object.is(earlier.value, property.value) &&
      earlier.get === property.get &&
      earlier.set === property.set
    )
  })
}
