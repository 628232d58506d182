type Callable = (...args: unknown[]) => unknown

/** The same functions, but what they throw is made here: errors of the platform lead to objects of its own. */
export function withOwnErrors<Functions extends object>(functions: Functions): Functions {
  const wrapped = Object.entries(functions).map(([name, run]: [string, Callable]) => [
    name,
    (...args: unknown[]) => {
      try {
        return run(...args)
      } catch (error) {
        throw toOwnError(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as Functions
}

function toOwnError(error: unknown): Error {
  const message = error instanceof Error ? error.message : 'failed'
  if (error instanceof TypeError) return new TypeError(message)
  if (error instanceof RangeError) return new RangeError(message)
  return Object.assign(new Error(message), { name: 'OperationError' })
}
