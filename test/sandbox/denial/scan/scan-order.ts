/** What can be called on what with what; a number stands for each combination. */
export interface Catalogue {
  functions: string[]
  /** How each is called: as a constructor, or on a receiver. */
  forms: string[]
  lists: string[]
}

/** As in `guest.cjs`: receivers and arguments of a function come in no order. */
const STRIDE = 7919

export const callsOfOne = ({ forms, lists }: Catalogue): number => forms.length * lists.length

/** What a number stands for, in words. */
export function describeCall(catalogue: Catalogue, number: number) {
  const { functions, forms, lists } = catalogue
  const perFunction = callsOfOne(catalogue)
  const place = ((number % perFunction) * STRIDE) % perFunction
  return {
    run: functions[Math.floor(number / perFunction)] ?? '',
    form: forms[Math.floor(place / lists.length)] ?? '',
    list: lists[place % lists.length] ?? '',
  }
}

/** Numbers `from`, `from + step` and so on below `to`. */
export interface Range {
  from: number
  to: number
  step: number
}

/** What one host is to try. */
export interface ScanOrder extends Range {
  level: string
  /** Where the compiled guest may be kept. */
  cacheDir: string
  /** Absent: it is to be told. */
  catalogue?: Catalogue
  /** Where the host writes the number that it is at. */
  placeFile: string
  /** How long the guest is left alone after the last call, for what that one does later, ms. */
  lingerMs: number
}

/** What became of a call that did not come to an end by itself in time. */
export interface Finding {
  number: number
  /**
   * - `killed`: its guest was stopped
   * - `late`: its guest went on for more than half a second of processor time after its kill, and ended then
   * - `zombie`: nothing stopped it
   * - `host died`: the process of the site ended
   */
  outcome: 'killed' | 'late' | 'zombie' | 'host died'
  /** Why, in words. */
  why: string
  /** Processor time of the process of the host from the kill to the end of the guest, ms. */
  killMs?: number
}

export type ScanMessage =
  | { type: 'catalogue'; catalogue: Catalogue }
  | { type: 'finding'; finding: Finding }
  /** All numbers were tried, or this host must not go on. */
  | { type: 'end'; next: number; skipped: number }
