import { join } from 'node:path'

/** The folder of package.json, in a checkout or below node_modules. */
export const PACKAGE_ROOT = join(import.meta.dirname, '..')
