import { constants } from 'node:os'

const signalWords: Record<string, string> = {
  SIGSEGV: 'it crashed on a forbidden memory access',
  SIGBUS: 'it crashed on a forbidden memory access',
  SIGABRT: 'it was aborted by its engine',
  SIGTRAP: 'it was stopped by a check of its engine',
  SIGILL: 'it was stopped by a check of its engine',
  SIGKILL: 'it was killed',
  SIGXCPU: 'it used all the processor time it may',
  SIGSYS: 'it made a forbidden system call',
}

/** Why a process is gone, in words. A starter in between reports the signal that ended its child as 128 and its number. */
export function describeExit(code: number | null, signal: string | null, printed: string): string {
  const name = signal ?? signalOf(code)
  if (/heap out of memory|Reached heap limit|OOM error/.test(printed)) return 'its heap was full'
  if (name) return `${signalWords[name] ?? 'it was ended by a signal'} (${name})`
  const reason = code ? firstLine(printed) : ''
  return `its process ended with code ${code}${reason && `: ${reason}`}`
}

function signalOf(code: number | null): string | undefined {
  const number = (code ?? 0) - 128
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
}

function firstLine(printed: string): string {
  return printed.trim().split('\n', 1)[0]?.slice(0, 200) ?? ''
}
