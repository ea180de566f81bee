import type { ManagementRoutes } from '../management.ts'
import type { Databases } from './databases.ts'

/** What a daemon on a chassis says of itself over its management socket, `GET /ovn/status`. */
export interface OvnStatus {
  /** null: it is not known yet. */
  readonly chassis: string | null
  readonly databases: readonly DatabaseStatus[]
}

export interface DatabaseStatus {
  readonly database: string
  /** null: it is connected, and its rows are known. */
  readonly problem: string | null
}

export function ovnStatusRoute(chassis: () => string | undefined, databases: Databases): ManagementRoutes {
  return {
    'GET /ovn/status': async (): Promise<OvnStatus> => ({
      chassis: chassis() ?? null,
      databases: databases.ready.map(({ name, whyNot }) => ({ database: name, problem: whyNot() ?? null })),
    }),
  }
}
