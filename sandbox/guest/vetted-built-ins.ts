import { types } from 'node:util'
import { vetArrays } from './vetted-arrays.ts'
import { vetBuffers } from './vetted-buffers.ts'
import { vetCalls } from './vetted-calls.ts'
import { vetNames } from './vetted-names.ts'
import { vetProxies } from './vetted-proxies.ts'
import { vetStrings } from './vetted-strings.ts'

/**
 * Puts vetted methods in the place of built-in ones that nothing can interrupt. To be imported before anything else: `ses`
 * keeps and freezes what it finds while it is imported.
 */
// The first, because traps that nobody gave fall back on what stands there then.
vetNames()
const isProxied = vetProxies()
vetArrays(isProxied)
vetStrings(types.isRegExp)
vetBuffers(isProxied)
vetCalls(isProxied)
