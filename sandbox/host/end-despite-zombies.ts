/**
 * A process waits for its threads when it ends, also within `process.exit`, and for one that cannot be stopped it would
 * wait for ever. So the very last thing that it does is to become another program, one that ends with the same code:
 * the system takes all threads away with that.
 * @param process - the one to end
 */
export function endDespiteZombies(process: NodeJS.Process): void {
  process.once('exit', (code) => {
    try {
      process.execve?.('/bin/sh', ['sh', '-c', `exit ${Number(code)}`], {})
    } catch {
      // Without a shell, or where processes cannot be replaced.
    }
    process.kill(process.pid, 'SIGKILL')
  })
}
