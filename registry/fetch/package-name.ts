const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const LONGEST = 214

/** Whether npm would take it as the name of a new package; such a name is also safe as a relative path. */
export function isPackageName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= LONGEST && PACKAGE_NAME.test(name)
}
