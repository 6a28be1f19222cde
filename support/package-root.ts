import { join } from 'node:path'

/** Folder of package.json, be it a checkout or below node_modules. */
export const PACKAGE_ROOT = join(import.meta.dirname, '..')
