import { FogbowError, type SpecPlugin } from '@fogbow/plugin-sdk'
import { type Flavors, toFlavor } from './compute/flavors.ts'
import { type Parts, segment } from './parts.ts'

export function createSpecPart({ open }: Parts, flavors: Flavors): SpecPlugin {
  return {
    async getAllSpecs(token, call) {
      const all = await flavors.all(await open(token, call))
      return all.map(({ id, name }) => ({ id, name }))
    },

    async getFlavor(specId, token, call) {
      const cloud = await open(token, call)
      const known = (await flavors.all(cloud)).find(({ id }) => id === specId)
      if (known) return { ...known }
      const answer = await cloud.find('compute', `/flavors/${segment(specId)}`)
      if (answer) return { ...toFlavor(answer.object('flavor')) }
      throw new FogbowError('instance_not_found', `flavor '${specId}' does not exist in the cloud`)
    },
  }
}
