/** Which part of a list is asked for. */
export interface PageRequest {
  /** Entries per page; everything when absent, as older clients expect. */
  limit?: number
  /** `next` of the page before. */
  cursor?: string
}

export interface Page<Item> {
  items: Item[]
  /** Cursor of the following page; absent on the last one. */
  next?: string
  /** Changes whenever the list would; for `ETag`. */
  version: string
}
