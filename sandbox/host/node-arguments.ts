/**
 * Permissions with nothing granted, and nothing that a plugin has no use for. The same in every start: the compiled form
 * of the guest is bound to the flags of the engine.
 */
export const nodeArguments: readonly string[] = [
  '--permission',
  '--no-addons',
  '--disable-sigusr1',
  '--no-experimental-sqlite',
  '--no-experimental-webstorage',
  '--no-global-search-paths',
  '--v8-pool-size=1',
]

/** Nothing; named, because Node hands this one on to its children by itself unless it is said to be absent. */
export const noEnvironment: NodeJS.ProcessEnv = { NODE_V8_COVERAGE: undefined }
