import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

const SDK = '@fogbow/plugin-sdk'
const entry = fileURLToPath(import.meta.resolve(SDK))

/** Folder of the SDK that plugins get. */
export const sdkFolder = dirname(entry)

/**
 * Gives every plugin the SDK of this site, whatever copy its package brought along, and of it the main entry only:
 * validators and the conformance kit are for hosts and authors, and generate code at run time.
 */
export function sdkModule(): Plugin {
  return {
    name: 'sdk-module',
    setup(build) {
      build.onResolve({ filter: /^@fogbow\/plugin-sdk(\/|$)/ }, ({ path }) =>
        path === SDK
          ? { path: entry, sideEffects: false }
          : {
              errors: [{ text: `"${path}" is not for plugins at run time; import "${SDK}" only` }],
            },
      )
    },
  }
}
