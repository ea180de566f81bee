/**
 * @typedef {{ readonly dev?: boolean, readonly devOptional?: boolean, readonly optional?: boolean, readonly version?: string,
 *   readonly license?: string }} LockEntry
 * @typedef {{ readonly packages: Readonly<Record<string, LockEntry>> }} Lock
 */

/**
 * The npm packages that run with firstboot, as the lock file has them: paths such as `node_modules/pino`. Packages for
 * other platforms are left out. Pure.
 *
 * @param {Lock} lock  package-lock.json
 * @param {Lock} present  node_modules/.package-lock.json, what npm has installed
 * @returns {readonly string[]}
 * @throws {Error} when what is installed is not what the lock asks for
 */
export function productionModules(lock, present) {
  const wanted = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  const wrong = wanted.filter(([path, { version, optional }]) => {
    const found = present.packages[path]
    return found === undefined ? optional !== true : found.version !== version
  })
  if (wrong.length > 0)
    throw new Error(`node_modules is not what package-lock.json says: ${wrong.map(([path]) => path)}; run npm ci`)
  return wanted.map(([path]) => path).filter((path) => path in present.packages)
}

/** What packages bring for those who develop them. */
const FOR_DEVELOPERS = [
  /^(docs?|examples?|scripts)(\/|$)/,
  /(^|\/)(tests?|__tests__|specs?|fixtures|bench|benchmarks?)(\/|$)/,
  /(^|\/)(tests?|example|bench|benchmark|check|eslint\.config|gruntfile|tsconfig[^/]*)\.(js|json)$/,
  /(^|\/)(\.[^/]+|CNAME|Makefile|favicon\.ico|[^/]*\.(html|sh|[cm]?ts|map|md))$/,
]

/** What is of no use here, by package. */
const OF_NO_USE = [
  {
    module: /\/koffi$/,
    path: /^(lib|vendor)(\/|$)|(^cnoke\.cjs|trampolines\.cjs|CMakeLists\.txt|\.(cc|hh?|inc|S|asm|def))$/,
  }, // to compile it
  { module: /\/koffi-linux-[^/]+$/, path: /^musl_/ }, // Debian has the GNU libc
  { module: /\/@cfworker\/json-schema$/, path: /^src(\/|$)/ },
  { module: /\/undici$/, path: /^types(\/|$)/ },
  { module: /\/yaml$/, path: /^(browser|bin\.mjs)(\/|$)/ },
  { module: /\/pino$/, path: /^(bin|browser)\.js$/ },
]

/**
 * Whether a file or folder of an npm package goes into ours. Pure.
 * @param {string} module  `node_modules/pino`
 * @param {string} path  within it; empty for itself
 */
export function isPacked(module, path) {
  if (FOR_DEVELOPERS.some((pattern) => pattern.test(path))) return false
  return !OF_NO_USE.some((row) => row.module.test(module) && row.path.test(path))
}
