import { definePlugin } from '@fogbow/plugin-sdk'
import { createApi } from './api.ts'
import { createComputePart } from './compute.ts'
import { createCatalogueParts } from './lists.ts'

/** The smallest complete plugin of a cloud: one ordered kind, and what is needed to order it. */
export default definePlugin<{ url: string }>({
  create(host) {
    const api = createApi(host)
    return { compute: createComputePart(api), ...createCatalogueParts(api) }
  },
})
