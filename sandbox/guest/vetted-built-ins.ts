import { types } from 'node:util'
import { vetArrays } from './vetted-arrays.ts'
import { vetBuffers } from './vetted-buffers.ts'
import { vetCalls } from './vetted-calls.ts'
import { vetStrings } from './vetted-strings.ts'

/**
 * Puts vetted methods in the place of built-in ones that nothing can interrupt. To be imported before anything else: `ses`
 * keeps and freezes what it finds while it is imported.
 */
vetArrays(types.isProxy)
vetStrings()
vetBuffers(types.isProxy)
vetCalls(types.isProxy)
