/**
 * A plugin whose image `NAME` is the outcome of the check of that name, as JSON in the image's `name`: SDKs answer to no
 * contract of ours, and this is the shortest way through one.
 */
export function sdkPlugin(createChecks) {
  return {
    async create(host) {
      const checks = await createChecks(host)
      return {
        image: {
          getAllImages: async () => [],
          async getImage(id) {
            const outcome = await checks[id]()
            return { id, name: JSON.stringify(outcome) ?? 'null', size: 1, status: 'ACTIVE' }
          },
        },
      }
    },
  }
}

/** What went wrong in `run`, by name and message. */
export async function failureOf(run) {
  try {
    await run()
  } catch (error) {
    return { name: error.name, message: error.message, status: error.statusCode ?? error.status }
  }
}
