export { type CatalogueEntry, catalogueType, createCatalogues } from './catalogue.ts'
export { createFinder, type Finder, type FinderOptions } from './finder.ts'
export { pluginKeyword } from './npm-search.ts'
