import type { SiteMarketplace } from '../site-marketplace.ts'

/** For tests of what never asks the marketplace for anything. */
export const noMarketplace = Object.freeze({}) as SiteMarketplace
