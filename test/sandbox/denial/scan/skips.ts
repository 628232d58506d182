import { type Catalogue, callsOfOne, describeCall } from './scan-order.ts'

/** How often one function may end a guest with the same arguments, on the same receiver, and at all. */
const MOST_OF_LIST = 1
const MOST_OF_FORM = 2
const MOST_OF_FUNCTION = 6

/** What is left out because it is known to take long and to be stoppable: a guest must be started after each such call. */
export interface Skips {
  /** Of which function which receivers and arguments are left out. */
  readonly without: { at: number; form: Record<string, true>; list: Record<string, true> }
  /** Calls that were left out with whole functions. */
  readonly count: number
  /** The number after one that ended its guest. */
  after(number: number, step: number): number
}

export function createSkips(catalogue: Catalogue): Skips {
  const perFunction = callsOfOne(catalogue)
  let without: Skips['without'] = { at: -1, form: {}, list: {} }
  let counts = new Map<string, number>()
  let total = 0
  let count = 0

  function counted(what: string): number {
    const times = (counts.get(what) ?? 0) + 1
    counts.set(what, times)
    return times
  }

  return {
    get without() {
      return without
    },
    get count() {
      return count
    },
    after(number, step) {
      const at = Math.floor(number / perFunction)
      if (at !== without.at) {
        without = { at, form: {}, list: {} }
        counts = new Map()
        total = 0
      }
      const { form, list } = describeCall(catalogue, number)
      if (counted(`on ${form}`) >= MOST_OF_FORM) without.form[form] = true
      if (counted(`with ${list}`) >= MOST_OF_LIST) without.list[list] = true
      const next = number + step
      if (++total < MOST_OF_FUNCTION) return next
      const end = (at + 1) * perFunction
      const left = Math.max(Math.ceil((end - next) / step), 0)
      count += left
      return next + left * step
    },
  }
}
