/**
 * Changes whenever the gate would make other bytes of the same package, or refuse what it let pass before; bundles of
 * folders are then built anew. Kept apart so that asking for it loads no bundler.
 */
export const gateVersion = '3'
