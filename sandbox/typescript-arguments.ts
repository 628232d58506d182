/**
 * What Node needs to run a file of ours in a thread: installed as a package, below `node_modules`, it would leave the types
 * in place. A thread has no part in what the main thread has registered.
 */
export function typescriptArguments(): string[] {
  if (!import.meta.url.includes('/node_modules/')) return []
  return ['--import', import.meta.resolve('@fogbow/plugin-sdk/typescript')]
}
