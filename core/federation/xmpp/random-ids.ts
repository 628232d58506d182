import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
const AT_A_TIME = 256

/** Ids of 128 random bits. Randomness is drawn for many at a time: each draw costs as much as a hundred ids. */
export function createRandomIds(): () => string {
  const pool = Buffer.alloc(ID_BYTES * AT_A_TIME)
  let used = pool.length
  return () => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += ID_BYTES
    return pool.toString('base64url', used - ID_BYTES, used)
  }
}
